//! aarch64: NEON, which every such processor has; codes by the dot product instructions where there
//! are any.

#[allow(clippy::wildcard_imports, reason = "intrinsics have long names and are many")]
use std::arch::aarch64::*;
use std::arch::is_aarch64_feature_detected;

use super::nearest::{TOGETHER, nearest_with};
use super::tile_aarch64::add_dot;
use super::{Kernels, scalar};

/// The forms for NEON with dot products of bytes, where the processor has them.
pub(super) fn dotprod() -> Option<Kernels> {
    let neon = neon().filter(|_| is_aarch64_feature_detected!("dotprod"))?;
    Some(Kernels {
        name: "neon-dotprod",
        // SAFETY: the features that each of these asks for were just found.
        dot_codes: |a, b| unsafe { dot_codes_dotprod(a, b) },
        // SAFETY: as above.
        dot_codes_x4: |query, rows| unsafe { rows.map(|row| dot_codes_dotprod(query, row)) },
        ..neon
    })
}

/// The forms for NEON.
pub(super) fn neon() -> Option<Kernels> {
    is_aarch64_feature_detected!("neon").then_some(Kernels {
        name: "neon",
        // SAFETY: the feature that each of these asks for was just found.
        squared_l2: |a, b| unsafe { squared_l2_neon(a, b) },
        // SAFETY: as above.
        dot: |a, b| unsafe { dot_neon(a, b) },
        // SAFETY: as above.
        dot_codes: |a, b| unsafe { dot_codes_neon(a, b) },
        // SAFETY: as above.
        squared_l2_x4: |query, rows| unsafe { squared_l2_x4_neon(query, rows) },
        // SAFETY: as above.
        dot_x4: |query, rows| unsafe { dot_x4_neon(query, rows) },
        // SAFETY: as above.
        dot_codes_x4: |query, rows| unsafe { rows.map(|row| dot_codes_neon(query, row)) },
        // SAFETY: as above.
        nearest: |row, k, limit, found| unsafe { nearest_neon(row, k, limit, found) },
    })
}

#[inline]
#[target_feature(enable = "neon")]
fn load(values: &[f32; 4]) -> float32x4_t {
    // SAFETY: the array is 16 readable bytes, and the load asks for no alignment.
    unsafe { vld1q_f32(values.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn load_codes(codes: &[u8; 16]) -> uint8x16_t {
    // SAFETY: the array is 16 readable bytes, and the load asks for no alignment.
    unsafe { vld1q_u8(codes.as_ptr()) }
}

/// Adds `step(a, b)` of all components in four chains, so that an addition need not wait for the one
/// before it; `rest` adds what is shorter than a register.
#[inline]
#[target_feature(enable = "neon")]
fn fold(
    a: &[f32],
    b: &[f32],
    step: impl Fn(float32x4_t, float32x4_t, float32x4_t) -> float32x4_t,
    rest: impl Fn(&[f32], &[f32]) -> f32,
) -> f32 {
    let len = a.len().min(b.len());
    let (a, a_rest) = a[..len].as_chunks::<4>();
    let (b, b_rest) = b[..len].as_chunks::<4>();
    let mut sums = [vdupq_n_f32(0.0); 4];
    let (a_fours, a_last) = a.as_chunks::<4>();
    let (b_fours, b_last) = b.as_chunks::<4>();
    for (x, y) in a_fours.iter().zip(b_fours) {
        for i in 0..4 {
            sums[i] = step(sums[i], load(&x[i]), load(&y[i]));
        }
    }
    for (x, y) in a_last.iter().zip(b_last) {
        sums[0] = step(sums[0], load(x), load(y));
    }
    let pairs = [vaddq_f32(sums[0], sums[1]), vaddq_f32(sums[2], sums[3])];
    vaddvq_f32(vaddq_f32(pairs[0], pairs[1])) + rest(a_rest, b_rest)
}

/// The same for four rows, one chain each; a query's load serves all four.
#[inline]
#[target_feature(enable = "neon")]
fn fold_x4(
    query: &[f32],
    rows: [&[f32]; 4],
    step: impl Fn(float32x4_t, float32x4_t, float32x4_t) -> float32x4_t,
    rest: impl Fn(&[f32], &[f32]) -> f32,
) -> [f32; 4] {
    let len = rows.iter().fold(query.len(), |len, row| len.min(row.len()));
    let (query, query_rest) = query[..len].as_chunks::<4>();
    let [(r0, t0), (r1, t1), (r2, t2), (r3, t3)] = rows.map(|row| row[..len].as_chunks::<4>());
    let mut sums = [vdupq_n_f32(0.0); 4];
    for ((((q, a), b), c), d) in query.iter().zip(r0).zip(r1).zip(r2).zip(r3) {
        let q = load(q);
        sums[0] = step(sums[0], q, load(a));
        sums[1] = step(sums[1], q, load(b));
        sums[2] = step(sums[2], q, load(c));
        sums[3] = step(sums[3], q, load(d));
    }
    let tails = [t0, t1, t2, t3];
    std::array::from_fn(|row| vaddvq_f32(sums[row]) + rest(query_rest, tails[row]))
}

#[inline]
#[target_feature(enable = "neon")]
fn l2_step(sum: float32x4_t, a: float32x4_t, b: float32x4_t) -> float32x4_t {
    let difference = vsubq_f32(a, b);
    vfmaq_f32(sum, difference, difference)
}

#[target_feature(enable = "neon")]
fn squared_l2_neon(a: &[f32], b: &[f32]) -> f32 {
    fold(a, b, |sum, x, y| l2_step(sum, x, y), scalar::squared_l2)
}

#[target_feature(enable = "neon")]
fn dot_neon(a: &[f32], b: &[f32]) -> f32 {
    fold(a, b, |sum, x, y| vfmaq_f32(sum, x, y), scalar::dot)
}

#[target_feature(enable = "neon")]
fn squared_l2_x4_neon(query: &[f32], rows: [&[f32]; 4]) -> [f32; 4] {
    fold_x4(query, rows, |sum, x, y| l2_step(sum, x, y), scalar::squared_l2)
}

#[target_feature(enable = "neon")]
fn dot_x4_neon(query: &[f32], rows: [&[f32]; 4]) -> [f32; 4] {
    fold_x4(query, rows, |sum, x, y| vfmaq_f32(sum, x, y), scalar::dot)
}

#[inline]
#[target_feature(enable = "neon")]
fn fold_codes(
    a: &[u8],
    b: &[u8],
    step: impl Fn(uint32x4_t, uint8x16_t, uint8x16_t) -> uint32x4_t,
) -> u32 {
    let (a_twos, a_last) = a.as_chunks::<16>().0.as_chunks::<2>();
    let (b_twos, b_last) = b.as_chunks::<16>().0.as_chunks::<2>();
    let mut sums = [vdupq_n_u32(0); 2];
    for (x, y) in a_twos.iter().zip(b_twos) {
        sums[0] = step(sums[0], load_codes(&x[0]), load_codes(&y[0]));
        sums[1] = step(sums[1], load_codes(&x[1]), load_codes(&y[1]));
    }
    for (x, y) in a_last.iter().zip(b_last) {
        sums[0] = step(sums[0], load_codes(x), load_codes(y));
    }
    vaddvq_u32(vaddq_u32(sums[0], sums[1]))
}

#[target_feature(enable = "neon,dotprod")]
fn dot_codes_dotprod(a: &[u8], b: &[u8]) -> u32 {
    fold_codes(a, b, |sum, x, y| add_dot(sum, x, y))
}

#[target_feature(enable = "neon")]
fn dot_codes_neon(a: &[u8], b: &[u8]) -> u32 {
    fold_codes(a, b, |sum, x, y| {
        // Two products of codes up to 126 fit 16 bits.
        let low = vmull_u8(vget_low_u8(x), vget_low_u8(y));
        vpadalq_u16(sum, vpaddq_u16(low, vmull_high_u8(x, y)))
    })
}

#[target_feature(enable = "neon")]
fn nearest_neon(row: &[u32], k: usize, limit: u32, found: &mut Vec<u64>) {
    const BITS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];
    let bits = load_codes(&BITS);
    nearest_with::<[u32; 4]>(row, k, limit, found, |distances: &[u32; TOGETHER], limit| {
        let limit = vdupq_n_u32(limit);
        let (fours, _) = distances.as_chunks::<4>();
        let within: [uint16x4_t; 4] = std::array::from_fn(|i| {
            // SAFETY: the array is 16 readable bytes, and the load asks for no alignment.
            let distances = unsafe { vld1q_u32(fours[i].as_ptr()) };
            vmovn_u32(vcleq_u32(distances, limit))
        });
        let low = vmovn_u16(vcombine_u16(within[0], within[1]));
        let high = vmovn_u16(vcombine_u16(within[2], within[3]));
        let marks = vandq_u8(vcombine_u8(low, high), bits);
        u32::from(vaddv_u8(vget_low_u8(marks))) | u32::from(vaddv_u8(vget_high_u8(marks))) << 8
    });
}
