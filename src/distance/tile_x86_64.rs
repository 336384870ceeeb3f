//! The tile on x86-64: 8 by 32 with AVX-512 VNNI, 4 by 16 with AVX2, with or without AVX-VNNI.

#[allow(clippy::wildcard_imports, reason = "intrinsics have long names and are many")]
use std::arch::x86_64::*;

use super::tile::{Block, Columns, Form, Layout, Out};

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
    let avx2 = is_x86_feature_detected!("avx2");
    let vnni = (avx2 && is_x86_feature_detected!("avxvnni")).then_some(Form {
        rows: 4,
        columns: 16,
        layout: Layout::Bytes,
        // SAFETY: the features that it asks for were just found.
        run: |block, columns, out| unsafe { run_avxvnni(block, columns, out) },
        name: "avx-vnni",
    });
    let avx2 = avx2.then_some(Form {
        rows: 4,
        columns: 16,
        layout: Layout::Bytes,
        // SAFETY: the feature that it asks for was just found.
        run: |block, columns, out| unsafe { run_avx2(block, columns, out) },
        name: "avx2",
    });
    [avx512, vnni, avx2].into_iter().flatten()
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn load_512<T>(values: &[T; 16]) -> __m512i {
    const { assert!(size_of::<T>() == 4) };
    // SAFETY: the array is 64 readable bytes, and the load asks for no alignment.
    unsafe { _mm512_loadu_si512(values.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn run_avx512(block: &Block, columns: &Columns<'_>, out: &mut Out<'_>) {
    let ((across, down), stride) = (out.places(8, columns), out.stride);
    let rows = block.groups.as_chunks::<4>().0.as_chunks::<8>().0;
    let dots = _mm512_set1_epi32(block.dots as i32);
    for (tile, (panel, terms)) in columns.panels::<8, 32>(block).enumerate() {
        let mut sums = [[_mm512_setzero_si512(); 2]; 8];
        let panel = panel.as_chunks::<4>().0.as_chunks::<32>().0;
        for (rows, columns) in rows.iter().zip(panel) {
            let (halves, _) = columns.as_chunks::<16>();
            let (low, high) = (load_512(&halves[0]), load_512(&halves[1]));
            for (sums, row) in sums.iter_mut().zip(rows) {
                let row = _mm512_set1_epi32(i32::from_le_bytes(*row));
                sums[0] = _mm512_dpbusd_epi32(sums[0], row, low);
                sums[1] = _mm512_dpbusd_epi32(sums[1], row, high);
            }
        }
        let terms = terms.as_chunks::<16>().0;
        let distances: [[__m512i; 2]; 8] = std::array::from_fn(|row| {
            let row_term = _mm512_set1_epi32(block.terms[row] as i32);
            std::array::from_fn(|half| {
                let both = _mm512_add_epi32(row_term, load_512(&terms[half]));
                _mm512_sub_epi32(both, _mm512_mullo_epi32(sums[row][half], dots))
            })
        });
        if let Some(across) = across {
            for (row, distances) in distances.iter().enumerate() {
                for (half, distances) in distances.iter().enumerate() {
                    let place = row * stride + 32 * tile + 16 * half;
                    // SAFETY: there is room for 8 rows of 32 places for each tile, `stride` apart.
                    unsafe {
                        _mm512_storeu_si512(across.add(place).cast(), *distances);
                    };
                }
            }
        }
        if let Some(down) = down {
            for half in 0..2 {
                let rows = distances.map(|row| row[half]);
                let first = 32 * tile + 16 * half;
                turn_quarter::<0>(&rows, down, stride, first);
                turn_quarter::<1>(&rows, down, stride, first);
                turn_quarter::<2>(&rows, down, stride, first);
                turn_quarter::<3>(&rows, down, stride, first);
            }
        }
    }
}

/// Writes four of sixteen columns of eight rows; there is room for them.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn turn_quarter<const QUARTER: i32>(
    rows: &[__m512i; 8],
    down: *mut u32,
    stride: usize,
    first: usize,
) {
    let rows = rows.map(|row| _mm512_extracti32x4_epi32::<QUARTER>(row));
    for (four, rows) in rows.as_chunks::<4>().0.iter().enumerate() {
        for (column, distances) in turned(*rows).into_iter().enumerate() {
            let column = first + 4 * QUARTER as usize + column;
            // SAFETY: there is room for 32 columns of 8 places for each tile, `stride` apart.
            unsafe { _mm_storeu_si128(down.add(column * stride + 4 * four).cast(), distances) };
        }
    }
}

/// Four rows as four columns.
#[inline]
#[target_feature(enable = "avx2")]
fn turned([a, b, c, d]: [__m128i; 4]) -> [__m128i; 4] {
    let (ab_low, ab_high) = (_mm_unpacklo_epi32(a, b), _mm_unpackhi_epi32(a, b));
    let (cd_low, cd_high) = (_mm_unpacklo_epi32(c, d), _mm_unpackhi_epi32(c, d));
    [
        _mm_unpacklo_epi64(ab_low, cd_low),
        _mm_unpackhi_epi64(ab_low, cd_low),
        _mm_unpacklo_epi64(ab_high, cd_high),
        _mm_unpackhi_epi64(ab_high, cd_high),
    ]
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_256<T>(values: &[T; 8]) -> __m256i {
    const { assert!(size_of::<T>() == 4) };
    // SAFETY: the array is 32 readable bytes, and the load asks for no alignment.
    unsafe { _mm256_loadu_si256(values.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
fn run_avx2(block: &Block, columns: &Columns<'_>, out: &mut Out<'_>) {
    let ones = _mm256_set1_epi16(1);
    run_256(block, columns, out, |sum, row, column| {
        // Two products of codes up to 126 fit 16 bits, so nothing saturates.
        _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(row, column), ones))
    });
}

#[target_feature(enable = "avx2,avxvnni")]
fn run_avxvnni(block: &Block, columns: &Columns<'_>, out: &mut Out<'_>) {
    run_256(block, columns, out, |sum, row, column| _mm256_dpbusd_avx_epi32(sum, row, column));
}

/// Adds the products of a group to the sums by `add`.
#[inline]
#[target_feature(enable = "avx2")]
fn run_256(
    block: &Block,
    columns: &Columns<'_>,
    out: &mut Out<'_>,
    add: impl Fn(__m256i, __m256i, __m256i) -> __m256i,
) {
    let ((across, down), stride) = (out.places(4, columns), out.stride);
    let rows = block.groups.as_chunks::<4>().0.as_chunks::<4>().0;
    let dots = _mm256_set1_epi32(block.dots as i32);
    for (tile, (panel, terms)) in columns.panels::<4, 16>(block).enumerate() {
        let mut sums = [[_mm256_setzero_si256(); 2]; 4];
        let panel = panel.as_chunks::<4>().0.as_chunks::<16>().0;
        for (rows, columns) in rows.iter().zip(panel) {
            let (halves, _) = columns.as_chunks::<8>();
            let (low, high) = (load_256(&halves[0]), load_256(&halves[1]));
            for (sums, row) in sums.iter_mut().zip(rows) {
                let row = _mm256_set1_epi32(i32::from_le_bytes(*row));
                sums[0] = add(sums[0], row, low);
                sums[1] = add(sums[1], row, high);
            }
        }
        let terms = terms.as_chunks::<8>().0;
        let distances: [[__m256i; 2]; 4] = std::array::from_fn(|row| {
            let row_term = _mm256_set1_epi32(block.terms[row] as i32);
            std::array::from_fn(|half| {
                let both = _mm256_add_epi32(row_term, load_256(&terms[half]));
                _mm256_sub_epi32(both, _mm256_mullo_epi32(sums[row][half], dots))
            })
        });
        if let Some(across) = across {
            for (row, distances) in distances.iter().enumerate() {
                for (half, distances) in distances.iter().enumerate() {
                    let place = row * stride + 16 * tile + 8 * half;
                    // SAFETY: there is room for 4 rows of 16 places for each tile, `stride` apart.
                    unsafe {
                        _mm256_storeu_si256(across.add(place).cast(), *distances);
                    };
                }
            }
        }
        if let Some(down) = down {
            for half in 0..2 {
                let rows = distances.map(|row| row[half]);
                let low = turned(rows.map(|row| _mm256_castsi256_si128(row)));
                let high = turned(rows.map(|row| _mm256_extracti128_si256::<1>(row)));
                for (column, distances) in low.into_iter().chain(high).enumerate() {
                    let place = (16 * tile + 8 * half + column) * stride;
                    // SAFETY: there is room for 16 columns of 4 places for each tile, `stride` apart.
                    unsafe {
                        _mm_storeu_si128(down.add(place).cast(), distances);
                    };
                }
            }
        }
    }
}
