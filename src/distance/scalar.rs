//! What every kernel computes: the plain loops. Slow machines use them, tests trust them.

use super::nearest::{TOGETHER, nearest_with};

/// The sum of `(a - b)^2`.
pub(super) fn squared_l2(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum()
}

/// The sum of `a * b`.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// The sum of `a * b` over codes.
pub(super) fn dot_codes(a: &[u8], b: &[u8]) -> u32 {
    a.iter().zip(b).map(|(x, y)| u32::from(*x) * u32::from(*y)).sum()
}

/// [`squared_l2`] of four rows.
pub(super) fn squared_l2_x4(query: &[f32], rows: [&[f32]; 4]) -> [f32; 4] {
    rows.map(|row| squared_l2(query, row))
}

/// [`dot`] of four rows.
pub(super) fn dot_x4(query: &[f32], rows: [&[f32]; 4]) -> [f32; 4] {
    rows.map(|row| dot(query, row))
}

/// [`dot_codes`] of four rows.
pub(super) fn dot_codes_x4(query: &[u8], rows: [&[u8]; 4]) -> [u32; 4] {
    rows.map(|row| dot_codes(query, row))
}

/// The `k` smallest of a row.
pub(super) fn nearest(row: &[u32], k: usize, limit: u32, found: &mut Vec<u64>) {
    nearest_with::<[u32; 4]>(row, k, limit, found, |distances: &[u32; TOGETHER], limit| {
        let marks = distances.iter().rev();
        marks.fold(0, |marks, distance| marks << 1 | u32::from(*distance <= limit))
    });
}
