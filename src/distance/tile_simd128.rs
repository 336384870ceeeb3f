//! The tile in WebAssembly: 4 by 8, in 8-bit products with relaxed SIMD, in 16-bit products without.

#[allow(clippy::wildcard_imports, reason = "intrinsics have long names and are many")]
use std::arch::wasm32::*;

use super::simd128::{load, store};
use super::tile::{Block, Columns, Form, Layout, Out};

/// The form of this build.
pub(super) const FORM: Form = Form {
    rows: 4,
    columns: 8,
    layout: if cfg!(target_feature = "relaxed-simd") { Layout::Bytes } else { Layout::Words },
    run,
    name: super::BACKEND,
};

/// Adds the products of one group. Codes are 0 to 126, so it does not matter which operand the
/// engine takes for the signed one, and two products fit 16 bits.
#[inline]
fn add_products(row: v128, column: v128, sum: v128) -> v128 {
    #[cfg(target_feature = "relaxed-simd")]
    return i32x4_relaxed_dot_i8x16_i7x16_add(column, row, sum);
    #[cfg(not(target_feature = "relaxed-simd"))]
    return i32x4_add(sum, i32x4_dot_i16x8(row, column));
}

#[inline(never)]
fn run(block: &Block, columns: &Columns<'_>, out: &mut Out<'_>) {
    let ((across, down), stride) = (out.places(4, columns), out.stride);
    let rows = block.groups.as_chunks::<4>().0.as_chunks::<4>().0;
    // The dots are 1 or 2.
    let twice = u32x4_splat(u32::from(block.dots == 2).wrapping_neg());
    for (tile, (panel, terms)) in columns.panels::<4, 8>(block).enumerate() {
        let mut sums = [[i32x4_splat(0); 2]; 4];
        let panel = panel.as_chunks::<4>().0.as_chunks::<8>().0;
        for (rows, columns) in rows.iter().zip(panel) {
            let (halves, _) = columns.as_chunks::<4>();
            let (low, high) = (load(&halves[0]), load(&halves[1]));
            for (sums, row) in sums.iter_mut().zip(rows) {
                let row = u32x4_splat(u32::from_le_bytes(*row));
                sums[0] = add_products(row, low, sums[0]);
                sums[1] = add_products(row, high, sums[1]);
            }
        }
        let terms = terms.as_chunks::<4>().0;
        let distances: [[v128; 2]; 4] = std::array::from_fn(|row| {
            let row_term = u32x4_splat(block.terms[row]);
            std::array::from_fn(|half| {
                let (both, sum) = (i32x4_add(row_term, load(&terms[half])), sums[row][half]);
                i32x4_sub(i32x4_sub(both, sum), v128_and(sum, twice))
            })
        });
        if let Some(across) = across {
            for (row, distances) in distances.iter().enumerate() {
                for (half, distances) in distances.iter().enumerate() {
                    let place = row * stride + 8 * tile + 4 * half;
                    // SAFETY: there is room for 4 rows of 8 places for each tile, `stride` apart.
                    unsafe { v128_store(across.add(place).cast(), *distances) };
                }
            }
        }
        if let Some(down) = down {
            for half in 0..2 {
                let columns = turned(distances.map(|row| row[half]));
                for (column, distances) in columns.into_iter().enumerate() {
                    let place = (8 * tile + 4 * half + column) * stride;
                    // SAFETY: there is room for 8 columns of 4 places for each tile, `stride` apart.
                    unsafe { v128_store(down.add(place).cast(), distances) };
                }
            }
        }
    }
}

/// Sixteen codes in 16 bits each, two in a word: compilers do not find the extensions.
#[inline]
pub(super) fn widened(codes: &[u8; 16]) -> [[u32; 4]; 2] {
    let codes = load(codes);
    [words(u16x8_extend_low_u8x16(codes)), words(u16x8_extend_high_u8x16(codes))]
}

#[inline]
fn words(lanes: v128) -> [u32; 4] {
    let mut words = [0; 4];
    store(&mut words, lanes);
    words
}

/// Four rows of words as four columns: compilers do not find the shuffles.
#[inline]
pub(super) fn turned_words(rows: &[[u32; 4]; 4]) -> [[u32; 4]; 4] {
    let columns = turned([load(&rows[0]), load(&rows[1]), load(&rows[2]), load(&rows[3])]);
    columns.map(words)
}

/// Four rows as four columns.
#[inline]
fn turned([a, b, c, d]: [v128; 4]) -> [v128; 4] {
    let (ab_low, ab_high) = (u32x4_shuffle::<0, 4, 1, 5>(a, b), u32x4_shuffle::<2, 6, 3, 7>(a, b));
    let (cd_low, cd_high) = (u32x4_shuffle::<0, 4, 1, 5>(c, d), u32x4_shuffle::<2, 6, 3, 7>(c, d));
    [
        u64x2_shuffle::<0, 2>(ab_low, cd_low),
        u64x2_shuffle::<1, 3>(ab_low, cd_low),
        u64x2_shuffle::<0, 2>(ab_high, cd_high),
        u64x2_shuffle::<1, 3>(ab_high, cd_high),
    ]
}
