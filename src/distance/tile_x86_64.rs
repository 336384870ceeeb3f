//! The tile on x86-64: 8 by 32 with AVX-512 VNNI, 4 by 16 with AVX2.

use std::arch::x86_64::*;

use super::tile::{Block, Columns, Form, Layout, TileOut};

/// Every form this processor can run, the fastest first.
pub(super) fn available() -> impl Iterator<Item = Form> {
    let avx512 = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vnni");
    let avx512 = avx512.then_some(Form {
        rows: 8,
        columns: 32,
        layout: Layout::Bytes,
        // SAFETY: the features that it asks for were just found.
        run: |block, columns, out| unsafe { run_avx512(block, columns, out) },
        name: "avx512",
    });
    let avx2 = is_x86_feature_detected!("avx2").then_some(Form {
        rows: 4,
        columns: 16,
        layout: Layout::Bytes,
        // SAFETY: the feature that it asks for was just found.
        run: |block, columns, out| unsafe { run_avx2(block, columns, out) },
        name: "avx2",
    });
    [avx512, avx2].into_iter().flatten()
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn load_512<T>(values: &[T; 16]) -> __m512i {
    const { assert!(size_of::<T>() == 4) };
    // SAFETY: the array is 64 readable bytes, and the load asks for no alignment.
    unsafe { _mm512_loadu_si512(values.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn run_avx512(block: &Block, columns: &Columns<'_>, out: &mut TileOut) {
    let mut sums = [[_mm512_setzero_si512(); 2]; 8];
    let rows = block.groups.as_chunks::<4>().0.as_chunks::<8>().0;
    let panel = columns.panel.as_chunks::<4>().0.as_chunks::<32>().0;
    for (rows, columns) in rows.iter().zip(panel) {
        let (halves, _) = columns.as_chunks::<16>();
        let (low, high) = (load_512(&halves[0]), load_512(&halves[1]));
        for (sums, row) in sums.iter_mut().zip(rows) {
            let row = _mm512_set1_epi32(i32::from_le_bytes(*row));
            sums[0] = _mm512_dpbusd_epi32(sums[0], row, low);
            sums[1] = _mm512_dpbusd_epi32(sums[1], row, high);
        }
    }
    let (terms, limits) = (columns.terms.as_chunks::<16>().0, columns.limits.as_chunks::<16>().0);
    let dots = _mm512_set1_epi32(block.dots as i32);
    for (row, sums) in sums.iter().enumerate() {
        let row_term = _mm512_set1_epi32(block.terms[row] as i32);
        let row_limit = _mm512_set1_epi32(block.limits[row] as i32);
        let distances = out.distances[row].as_chunks_mut::<16>().0;
        let mut marks = 0;
        for half in 0..2 {
            let product = _mm512_mullo_epi32(sums[half], dots);
            let terms = _mm512_add_epi32(row_term, load_512(&terms[half]));
            let distance = _mm512_sub_epi32(terms, product);
            // SAFETY: the array is 64 writable bytes, and the store asks for no alignment.
            unsafe { _mm512_storeu_si512(distances[half].as_mut_ptr().cast(), distance) };
            let near = _mm512_cmplt_epu32_mask(distance, row_limit)
                | _mm512_cmplt_epu32_mask(distance, load_512(&limits[half]));
            marks |= u32::from(near) << (16 * half);
        }
        out.marks[row] = marks;
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_256<T>(values: &[T; 8]) -> __m256i {
    const { assert!(size_of::<T>() == 4) };
    // SAFETY: the array is 32 readable bytes, and the load asks for no alignment.
    unsafe { _mm256_loadu_si256(values.as_ptr().cast()) }
}

/// Unsigned `a < b`: there is only a signed comparison, so the sign bits are flipped.
#[inline]
#[target_feature(enable = "avx2")]
fn below_256(a: __m256i, b: __m256i) -> __m256i {
    let sign = _mm256_set1_epi32(i32::MIN);
    _mm256_cmpgt_epi32(_mm256_xor_si256(b, sign), _mm256_xor_si256(a, sign))
}

#[inline]
#[target_feature(enable = "avx2")]
fn run_avx2(block: &Block, columns: &Columns<'_>, out: &mut TileOut) {
    let ones = _mm256_set1_epi16(1);
    let mut sums = [[_mm256_setzero_si256(); 2]; 4];
    let rows = block.groups.as_chunks::<4>().0.as_chunks::<4>().0;
    let panel = columns.panel.as_chunks::<4>().0.as_chunks::<16>().0;
    for (rows, columns) in rows.iter().zip(panel) {
        let (halves, _) = columns.as_chunks::<8>();
        let (low, high) = (load_256(&halves[0]), load_256(&halves[1]));
        for (sums, row) in sums.iter_mut().zip(rows) {
            let row = _mm256_set1_epi32(i32::from_le_bytes(*row));
            // Two products of codes up to 126 fit 16 bits, so nothing saturates.
            let (low, high) = (_mm256_maddubs_epi16(row, low), _mm256_maddubs_epi16(row, high));
            sums[0] = _mm256_add_epi32(sums[0], _mm256_madd_epi16(low, ones));
            sums[1] = _mm256_add_epi32(sums[1], _mm256_madd_epi16(high, ones));
        }
    }
    let (terms, limits) = (columns.terms.as_chunks::<8>().0, columns.limits.as_chunks::<8>().0);
    let dots = _mm256_set1_epi32(block.dots as i32);
    for (row, sums) in sums.iter().enumerate() {
        let row_term = _mm256_set1_epi32(block.terms[row] as i32);
        let row_limit = _mm256_set1_epi32(block.limits[row] as i32);
        let distances = out.distances[row].as_chunks_mut::<8>().0;
        let mut marks = 0;
        for half in 0..2 {
            let product = _mm256_mullo_epi32(sums[half], dots);
            let terms = _mm256_add_epi32(row_term, load_256(&terms[half]));
            let distance = _mm256_sub_epi32(terms, product);
            // SAFETY: the array is 32 writable bytes, and the store asks for no alignment.
            unsafe { _mm256_storeu_si256(distances[half].as_mut_ptr().cast(), distance) };
            let near = _mm256_or_si256(
                below_256(distance, row_limit),
                below_256(distance, load_256(&limits[half])),
            );
            marks |= (_mm256_movemask_ps(_mm256_castsi256_ps(near)) as u32) << (8 * half);
        }
        out.marks[row] = marks;
    }
}
