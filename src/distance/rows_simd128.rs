//! One row, in WebAssembly with SIMD128: what `rows.rs` defines, to the bit.

#[allow(clippy::wildcard_imports, reason = "intrinsics have long names and are many")]
use std::arch::wasm32::*;

use super::rows::{TOP, definition};
use super::simd128::{load, store, sum_integers};

/// The first two floats in f64, and the others.
#[inline]
fn widened(four: &[f32; 4]) -> [v128; 2] {
    let four = load(four);
    let others = i32x4_shuffle::<2, 3, 2, 3>(four, four);
    [f64x2_promote_low_f32x4(four), f64x2_promote_low_f32x4(others)]
}

/// The sum of squares.
pub(crate) fn squared_norm(row: &[f32]) -> f64 {
    let (fours, rest) = row.as_chunks::<4>();
    let mut sums = [f64x2_splat(0.0); 2];
    for four in fours {
        for (sum, pair) in sums.iter_mut().zip(widened(four)) {
            *sum = f64x2_add(*sum, f64x2_mul(pair, pair));
        }
    }
    let mut last = [0.0f32; 4];
    last.iter_mut().zip(rest).for_each(|(last, x)| *last = *x);
    for (sum, pair) in sums.iter_mut().zip(widened(&last)) {
        *sum = f64x2_add(*sum, f64x2_mul(pair, pair));
    }
    let [low, high] = sums.map(|sum| f64x2_extract_lane::<0>(sum) + f64x2_extract_lane::<1>(sum));
    low + high
}

/// Multiplies every component, in f64.
pub(crate) fn multiply(row: &mut [f32], factor: f64) {
    let (fours, rest) = row.as_chunks_mut::<4>();
    let factors = f64x2_splat(factor);
    for four in fours {
        let [low, high] =
            widened(four).map(|pair| f32x4_demote_f64x2_zero(f64x2_mul(pair, factors)));
        store(four, i32x4_shuffle::<0, 1, 4, 5>(low, high));
    }
    definition::multiply(rest, factor);
}

/// The sum of products.
pub(crate) fn product(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    let mut sums = [0.0; 4];
    let all = a
        .iter()
        .zip(b)
        .fold(f32x4_splat(0.0), |sums, (a, b)| f32x4_add(sums, f32x4_mul(load(a), load(b))));
    store(&mut sums, all);
    sums.iter_mut().zip(a_rest.iter().zip(b_rest)).for_each(|(sum, (a, b))| *sum += a * b);
    (sums[0] + sums[1]) + (sums[2] + sums[3])
}

/// Adds a multiple of a row.
pub(crate) fn add_multiple(row: &mut [f32], factor: f32, other: &[f32]) {
    let ((row, row_rest), (other, other_rest)) = (row.as_chunks_mut::<4>(), other.as_chunks::<4>());
    let factors = f32x4_splat(factor);
    for (row, other) in row.iter_mut().zip(other) {
        store(row, f32x4_add(load(row), f32x4_mul(factors, load(other))));
    }
    definition::add_multiple(row_rest, factor, other_rest);
}

/// The weighted sum of rows.
pub(crate) fn weighted_sum(out: &mut [f32], weights: &[f32], rows: &[f32]) {
    let len = out.len().max(1);
    for (block, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let mut sums = [f32x4_splat(0.0); 4];
        for (weight, row) in weights.iter().zip(rows.chunks_exact(len)) {
            let weight = f32x4_splat(*weight);
            if let Some(row) = row.as_chunks::<16>().0.get(block) {
                for (sum, four) in sums.iter_mut().zip(row.as_chunks::<4>().0) {
                    *sum = f32x4_add(*sum, f32x4_mul(weight, load(four)));
                }
            }
        }
        for (four, sum) in out.as_chunks_mut::<4>().0.iter_mut().zip(sums) {
            store(four, sum);
        }
    }
}

/// Codes components, and returns how many are clamped.
pub(crate) fn encode(codes: &mut [u8], row: &[f32], mean: &[f32], scale: f32, offset: f32) -> u32 {
    let len = codes.len().min(row.len()).min(mean.len());
    let (sixteens, rest) = codes[..len].as_chunks_mut::<16>();
    let (rows, row_rest) = row[..len].as_chunks::<16>();
    let (means, mean_rest) = mean[..len].as_chunks::<16>();
    let [scales, offsets] = [scale, offset].map(|x| f32x4_splat(x));
    let [zero, top, above] = [0.0, TOP, TOP + 1.0].map(|x| f32x4_splat(x));
    let mut clamped = i32x4_splat(0);
    for ((codes, row), mean) in sixteens.iter_mut().zip(rows).zip(means) {
        let (row, _) = row.as_chunks::<4>();
        let (mean, _) = mean.as_chunks::<4>();
        let four = |i: usize| {
            let moved = f32x4_sub(load(&row[i]), load(&mean[i]));
            // Rounded twice, as everywhere.
            f32x4_add(f32x4_mul(moved, scales), offsets)
        };
        let places = [four(0), four(1), four(2), four(3)];
        for place in places {
            let outside = v128_or(f32x4_lt(place, zero), f32x4_ge(place, above));
            clamped = i32x4_sub(clamped, outside);
        }
        // Engines take many instructions for `min` and `max`, one for these.
        let codes_of = |place| i32x4_trunc_sat_f32x4(f32x4_pmin(f32x4_pmax(place, zero), top));
        let [a, b, c, d] = places.map(codes_of);
        let narrow = u8x16_narrow_i16x8(i16x8_narrow_i32x4(a, b), i16x8_narrow_i32x4(c, d));
        store(codes, narrow);
    }
    sum_integers(clamped) + definition::encode(rest, row_rest, mean_rest, scale, offset)
}

/// The sum of codes, and the sum of their squares.
pub(crate) fn sums(codes: &[u8]) -> (u32, u32) {
    let (sixteens, rest) = codes.as_chunks::<16>();
    let (mut sum, mut squares) = (u32x4_splat(0), u32x4_splat(0));
    for codes in sixteens {
        let codes = load(codes);
        sum = i32x4_add(sum, u32x4_extadd_pairwise_u16x8(u16x8_extadd_pairwise_u8x16(codes)));
        for half in [u16x8_extend_low_u8x16(codes), u16x8_extend_high_u8x16(codes)] {
            squares = i32x4_add(squares, i32x4_dot_i16x8(half, half));
        }
    }
    let (sum_rest, squares_rest) = definition::sums(rest);
    (sum_integers(sum) + sum_rest, sum_integers(squares) + squares_rest)
}
