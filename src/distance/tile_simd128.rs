//! The tile in WebAssembly: 4 by 8, in 8-bit products with relaxed SIMD, in 16-bit products without.

use std::arch::wasm32::*;

use super::tile::{Block, Columns, Form, Layout, TileOut};

/// The form of this build.
pub(super) const FORM: Form = Form {
    rows: 4,
    columns: 8,
    layout: if cfg!(target_feature = "relaxed-simd") { Layout::Signed } else { Layout::Words },
    run,
    name: super::BACKEND,
};

#[inline]
fn load<T>(values: &[T; 4]) -> v128 {
    const { assert!(size_of::<T>() == 4) };
    // SAFETY: the array is 16 readable bytes, and `v128_load` asks for no alignment.
    unsafe { v128_load(values.as_ptr().cast()) }
}

/// Eight groups of columns as two registers, and four of rows.
type Groups<'a> = (&'a [[u8; 4]; 4], &'a [[u8; 4]; 8]);

#[inline]
fn halves(columns: &[[u8; 4]; 8]) -> [v128; 2] {
    let (halves, _) = columns.as_chunks::<4>();
    [load(&halves[0]), load(&halves[1])]
}

#[inline]
fn splat(group: [u8; 4]) -> v128 {
    u32x4_splat(u32::from_le_bytes(group))
}

/// Two groups at once: the 16-bit products of both are added before they are widened, which fits
/// because panels hold codes less 63: 4 * 126 * 63 < 2^15.
#[cfg(target_feature = "relaxed-simd")]
#[inline]
fn add_products(sums: &mut [[v128; 2]; 4], even: Groups<'_>, odd: Groups<'_>) {
    let ones = i16x8_splat(1);
    let (even_columns, odd_columns) = (halves(even.1), halves(odd.1));
    for (row, sums) in sums.iter_mut().enumerate() {
        let (even_row, odd_row) = (splat(even.0[row]), splat(odd.0[row]));
        for half in 0..2 {
            // The second operand is the one of seven bits: the row's codes, 0 to 126.
            let pairs = i16x8_add(
                i16x8_relaxed_dot_i8x16_i7x16(even_columns[half], even_row),
                i16x8_relaxed_dot_i8x16_i7x16(odd_columns[half], odd_row),
            );
            sums[half] = i32x4_add(sums[half], i32x4_dot_i16x8(pairs, ones));
        }
    }
}

#[cfg(not(target_feature = "relaxed-simd"))]
#[inline]
fn add_products(sums: &mut [[v128; 2]; 4], even: Groups<'_>, odd: Groups<'_>) {
    for (rows, columns) in [even, odd] {
        let columns = halves(columns);
        for (row, sums) in sums.iter_mut().enumerate() {
            let row = splat(rows[row]);
            for half in 0..2 {
                sums[half] = i32x4_add(sums[half], i32x4_dot_i16x8(row, columns[half]));
            }
        }
    }
}

fn run(block: &Block, columns: &Columns<'_>, out: &mut TileOut) {
    let mut sums = [[i32x4_splat(0); 2]; 4];
    // Codes come in multiples of 16, so groups come in pairs.
    let rows = block.groups.as_chunks::<4>().0.as_chunks::<4>().0.as_chunks::<2>().0;
    let panel = columns.panel.as_chunks::<4>().0.as_chunks::<8>().0.as_chunks::<2>().0;
    for (rows, columns) in rows.iter().zip(panel) {
        add_products(&mut sums, (&rows[0], &columns[0]), (&rows[1], &columns[1]));
    }
    let (terms, limits) = (columns.terms.as_chunks::<4>().0, columns.limits.as_chunks::<4>().0);
    // The dots are 1 or 2.
    let shift = block.dots - 1;
    for (row, sums) in sums.iter().enumerate() {
        let row_term = u32x4_splat(block.terms[row]);
        let row_limit = u32x4_splat(block.limits[row]);
        let distances = out.distances[row].as_chunks_mut::<4>().0;
        let mut marks = 0;
        for half in 0..2 {
            let terms = i32x4_add(row_term, load(&terms[half]));
            let distance = i32x4_sub(terms, i32x4_shl(sums[half], shift));
            // SAFETY: the array is 16 writable bytes, and `v128_store` asks for no alignment.
            unsafe { v128_store(distances[half].as_mut_ptr().cast(), distance) };
            let near =
                v128_or(u32x4_lt(distance, row_limit), u32x4_lt(distance, load(&limits[half])));
            marks |= u32::from(u32x4_bitmask(near)) << (4 * half);
        }
        out.marks[row] = marks;
    }
}
