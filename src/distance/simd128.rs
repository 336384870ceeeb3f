//! WebAssembly with SIMD128, and with relaxed SIMD where the build has it.
//!
//! Chosen when the module is compiled: a module with an instruction its engine lacks is refused as a
//! whole, so there are two builds.

#[allow(clippy::wildcard_imports, reason = "intrinsics have long names and are many")]
use std::arch::wasm32::*;

use super::nearest::{Lanes, TOGETHER, nearest_with};

/// `a * b + c`, rounded once or twice as the engine likes.
#[inline]
fn multiply_add(a: v128, b: v128, c: v128) -> v128 {
    #[cfg(target_feature = "relaxed-simd")]
    return f32x4_relaxed_madd(a, b, c);
    #[cfg(not(target_feature = "relaxed-simd"))]
    return f32x4_add(f32x4_mul(a, b), c);
}

/// What is nothing but numbers, any bits of which are one.
pub(super) trait Plain: Copy {}
impl Plain for f32 {}
impl Plain for u32 {}
impl Plain for u8 {}
impl Plain for [u8; 4] {}

#[inline]
pub(super) fn load<T: Plain, const N: usize>(values: &[T; N]) -> v128 {
    const { assert!(size_of::<[T; N]>() == 16) };
    // SAFETY: the array is 16 readable bytes, all of them set, and `v128_load` asks for no alignment.
    unsafe { v128_load(values.as_ptr().cast()) }
}

#[inline]
pub(super) fn store<T: Plain, const N: usize>(values: &mut [T; N], lanes: v128) {
    const { assert!(size_of::<[T; N]>() == 16) };
    // SAFETY: the array is 16 writable bytes, any of which are values, and `v128_store` asks for no alignment.
    unsafe { v128_store(values.as_mut_ptr().cast(), lanes) };
}

#[inline]
fn sum(lanes: v128) -> f32 {
    (f32x4_extract_lane::<0>(lanes) + f32x4_extract_lane::<2>(lanes))
        + (f32x4_extract_lane::<1>(lanes) + f32x4_extract_lane::<3>(lanes))
}

#[inline]
pub(super) fn sum_integers(lanes: v128) -> u32 {
    (u32x4_extract_lane::<0>(lanes) + u32x4_extract_lane::<2>(lanes))
        + (u32x4_extract_lane::<1>(lanes) + u32x4_extract_lane::<3>(lanes))
}

/// Adds `step(a, b)` of all components in four chains, so that an addition need not wait for the one
/// before it.
#[inline]
fn fold(
    a: &[f32],
    b: &[f32],
    step: impl Fn(v128, v128, v128) -> v128,
    one: impl Fn(f32, f32) -> f32,
) -> f32 {
    let len = a.len().min(b.len());
    let (a, a_rest) = a[..len].as_chunks::<4>();
    let (b, b_rest) = b[..len].as_chunks::<4>();
    let mut sums = [f32x4_splat(0.0); 4];
    let (a_fours, a_last) = a.as_chunks::<4>();
    let (b_fours, b_last) = b.as_chunks::<4>();
    for (x, y) in a_fours.iter().zip(b_fours) {
        for i in 0..4 {
            sums[i] = step(load(&x[i]), load(&y[i]), sums[i]);
        }
    }
    for (x, y) in a_last.iter().zip(b_last) {
        sums[0] = step(load(x), load(y), sums[0]);
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(x, y)| one(*x, *y)).sum();
    sum(f32x4_add(f32x4_add(sums[0], sums[1]), f32x4_add(sums[2], sums[3]))) + rest
}

/// The same for four rows, one chain each; a query's load serves all four.
#[inline]
fn fold_x4(
    query: &[f32],
    rows: [&[f32]; 4],
    step: impl Fn(v128, v128, v128) -> v128,
    one: impl Fn(f32, f32) -> f32,
) -> [f32; 4] {
    let len = rows.iter().fold(query.len(), |len, row| len.min(row.len()));
    let (query, query_rest) = query[..len].as_chunks::<4>();
    let [(r0, t0), (r1, t1), (r2, t2), (r3, t3)] = rows.map(|row| row[..len].as_chunks::<4>());
    let mut sums = [f32x4_splat(0.0); 4];
    for ((((q, a), b), c), d) in query.iter().zip(r0).zip(r1).zip(r2).zip(r3) {
        let q = load(q);
        sums[0] = step(q, load(a), sums[0]);
        sums[1] = step(q, load(b), sums[1]);
        sums[2] = step(q, load(c), sums[2]);
        sums[3] = step(q, load(d), sums[3]);
    }
    let tails = [t0, t1, t2, t3];
    std::array::from_fn(|row| {
        let rest: f32 = query_rest.iter().zip(tails[row]).map(|(x, y)| one(*x, *y)).sum();
        sum(sums[row]) + rest
    })
}

#[inline]
fn l2_step(a: v128, b: v128, sum: v128) -> v128 {
    let difference = f32x4_sub(a, b);
    multiply_add(difference, difference, sum)
}

/// The sum of `(a - b)^2`.
#[inline]
pub(super) fn squared_l2(a: &[f32], b: &[f32]) -> f32 {
    fold(a, b, l2_step, |x, y| (x - y) * (x - y))
}

/// The sum of `a * b`.
#[inline]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    fold(a, b, multiply_add, |x, y| x * y)
}

/// [`squared_l2`] of four rows.
#[inline]
pub(super) fn squared_l2_x4(query: &[f32], rows: [&[f32]; 4]) -> [f32; 4] {
    fold_x4(query, rows, l2_step, |x, y| (x - y) * (x - y))
}

/// [`dot`] of four rows.
#[inline]
pub(super) fn dot_x4(query: &[f32], rows: [&[f32]; 4]) -> [f32; 4] {
    fold_x4(query, rows, multiply_add, |x, y| x * y)
}

/// Adds the products of 16 codes to four sums. Codes are 0..=126, so two products fit 16 bits.
#[inline]
fn codes_step(a: v128, b: v128, sum: v128) -> v128 {
    #[cfg(target_feature = "relaxed-simd")]
    {
        let pairs = i16x8_relaxed_dot_i8x16_i7x16(a, b);
        i32x4_add(sum, i32x4_extadd_pairwise_i16x8(pairs))
    }
    #[cfg(not(target_feature = "relaxed-simd"))]
    {
        let low = i32x4_dot_i16x8(u16x8_extend_low_u8x16(a), u16x8_extend_low_u8x16(b));
        let high = i32x4_dot_i16x8(u16x8_extend_high_u8x16(a), u16x8_extend_high_u8x16(b));
        i32x4_add(sum, i32x4_add(low, high))
    }
}

/// The sum of `a * b` over codes.
#[inline]
pub(super) fn dot_codes(a: &[u8], b: &[u8]) -> u32 {
    let (a, b) = (a.as_chunks::<16>().0, b.as_chunks::<16>().0);
    let (a_twos, a_last) = a.as_chunks::<2>();
    let (b_twos, b_last) = b.as_chunks::<2>();
    let mut sums = [i32x4_splat(0); 2];
    for (x, y) in a_twos.iter().zip(b_twos) {
        sums[0] = codes_step(load(&x[0]), load(&y[0]), sums[0]);
        sums[1] = codes_step(load(&x[1]), load(&y[1]), sums[1]);
    }
    for (x, y) in a_last.iter().zip(b_last) {
        sums[0] = codes_step(load(x), load(y), sums[0]);
    }
    sum_integers(i32x4_add(sums[0], sums[1]))
}

/// [`dot_codes`] of four rows.
#[inline]
pub(super) fn dot_codes_x4(query: &[u8], rows: [&[u8]; 4]) -> [u32; 4] {
    let query = query.as_chunks::<16>().0;
    let [r0, r1, r2, r3] = rows.map(|row| row.as_chunks::<16>().0);
    let mut sums = [i32x4_splat(0); 4];
    for ((((q, a), b), c), d) in query.iter().zip(r0).zip(r1).zip(r2).zip(r3) {
        let q = load(q);
        sums[0] = codes_step(q, load(a), sums[0]);
        sums[1] = codes_step(q, load(b), sums[1]);
        sums[2] = codes_step(q, load(c), sums[2]);
        sums[3] = codes_step(q, load(d), sums[3]);
    }
    sums.map(sum_integers)
}

/// Four distances.
#[derive(Clone, Copy)]
struct Four(v128);

impl Lanes for Four {
    const FURTHEST: Self = Self(u32x4(u32::MAX, u32::MAX, u32::MAX, u32::MAX));

    #[inline]
    fn load(distances: &[u32; 4]) -> Self {
        Self(load(distances))
    }

    #[inline]
    fn min(self, other: Self) -> Self {
        Self(u32x4_min(self.0, other.0))
    }

    #[inline]
    fn max(self, other: Self) -> Self {
        Self(u32x4_max(self.0, other.0))
    }

    #[inline]
    fn greatest(self) -> u32 {
        let half = u32x4_max(self.0, u32x4_shuffle::<2, 3, 0, 1>(self.0, self.0));
        u32x4_extract_lane::<0>(half).max(u32x4_extract_lane::<1>(half))
    }
}

/// The `k` smallest of a row.
#[inline(never)]
pub(super) fn nearest(row: &[u32], k: usize, limit: u32, found: &mut Vec<u64>) {
    nearest_with::<Four>(row, k, limit, found, |distances: &[u32; TOGETHER], limit| {
        let limit = u32x4_splat(limit);
        let (fours, _) = distances.as_chunks::<4>();
        // Narrowing the marks first would take one bit mask instead of four, but compilers clamp them for that.
        fours.iter().rev().fold(0, |marks, four| {
            marks << 4 | u32::from(u32x4_bitmask(u32x4_le(load(four), limit)))
        })
    });
}
