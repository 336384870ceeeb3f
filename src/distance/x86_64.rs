//! x86-64: AVX-512 with VNNI, or AVX2 with FMA, chosen once when the program runs.
//!
//! A tail shorter than a register is loaded under a mask (AVX-512) or added by the plain loop.

#[allow(clippy::wildcard_imports, reason = "intrinsics have long names and are many")]
use std::arch::x86_64::*;

use super::nearest::{TOGETHER, nearest_with};
use super::{Kernels, scalar};

/// The forms for AVX-512 with its byte and VNNI instructions, where the processor has them.
pub(super) fn avx512() -> Option<Kernels> {
    let available = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vnni");
    available.then_some(Kernels {
        name: "avx512",
        // SAFETY: the features that each of these asks for were just found.
        squared_l2: |a, b| unsafe { squared_l2_avx512(a, b) },
        // SAFETY: as above.
        dot: |a, b| unsafe { dot_avx512(a, b) },
        // SAFETY: as above.
        dot_codes: |a, b| unsafe { dot_codes_avx512(a, b) },
        // SAFETY: as above.
        squared_l2_x4: |query, rows| unsafe { squared_l2_x4_avx512(query, rows) },
        // SAFETY: as above.
        dot_x4: |query, rows| unsafe { dot_x4_avx512(query, rows) },
        // SAFETY: as above.
        dot_codes_x4: |query, rows| unsafe { dot_codes_x4_avx512(query, rows) },
        // SAFETY: as above.
        nearest: |row, k, limit, found| unsafe { nearest_avx512(row, k, limit, found) },
    })
}

/// The forms for AVX2 with FMA, where the processor has them.
pub(super) fn avx2() -> Option<Kernels> {
    let available = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    available.then_some(Kernels {
        name: "avx2",
        // SAFETY: the features that each of these asks for were just found.
        squared_l2: |a, b| unsafe { squared_l2_avx2(a, b) },
        // SAFETY: as above.
        dot: |a, b| unsafe { dot_avx2(a, b) },
        // SAFETY: as above.
        dot_codes: |a, b| unsafe { dot_codes_avx2(a, b) },
        // SAFETY: as above.
        squared_l2_x4: |query, rows| unsafe { rows.map(|row| squared_l2_avx2(query, row)) },
        // SAFETY: as above.
        dot_x4: |query, rows| unsafe { rows.map(|row| dot_avx2(query, row)) },
        // SAFETY: as above.
        dot_codes_x4: |query, rows| unsafe { rows.map(|row| dot_codes_avx2(query, row)) },
        // SAFETY: as above.
        nearest: |row, k, limit, found| unsafe { nearest_avx2(row, k, limit, found) },
    })
}

/// Hints that up to eight cache lines of `bytes` are read soon.
#[inline]
pub(super) fn prefetch(bytes: &[u8]) {
    for line in bytes.chunks(64).take(8) {
        // SAFETY: a hint may name any address; this one is readable.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
}

/// Up to 16 floats, zeros behind them.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn load_512(values: &[f32]) -> __m512 {
    let mask = if values.len() >= 16 { !0 } else { (1u16 << values.len()) - 1 };
    // SAFETY: the mask covers no more than the slice has, and masked lanes are not read.
    unsafe { _mm512_maskz_loadu_ps(mask, values.as_ptr()) }
}

/// Up to 64 codes, zeros behind them.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn load_codes_512(codes: &[u8]) -> __m512i {
    let mask = if codes.len() >= 64 { !0 } else { (1u64 << codes.len()) - 1 };
    // SAFETY: the mask covers no more than the slice has, and masked lanes are not read.
    unsafe { _mm512_maskz_loadu_epi8(mask, codes.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn squared_l2_avx512(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [_mm512_setzero_ps(); 2];
    for (x, y) in a.chunks(32).zip(b.chunks(32)) {
        let len = x.len().min(y.len());
        let (x, y) = (&x[..len], &y[..len]);
        let low = _mm512_sub_ps(load_512(x), load_512(y));
        sums[0] = _mm512_fmadd_ps(low, low, sums[0]);
        if len > 16 {
            let high = _mm512_sub_ps(load_512(&x[16..]), load_512(&y[16..]));
            sums[1] = _mm512_fmadd_ps(high, high, sums[1]);
        }
    }
    _mm512_reduce_add_ps(_mm512_add_ps(sums[0], sums[1]))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn dot_avx512(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [_mm512_setzero_ps(); 2];
    for (x, y) in a.chunks(32).zip(b.chunks(32)) {
        let len = x.len().min(y.len());
        let (x, y) = (&x[..len], &y[..len]);
        sums[0] = _mm512_fmadd_ps(load_512(x), load_512(y), sums[0]);
        if len > 16 {
            sums[1] = _mm512_fmadd_ps(load_512(&x[16..]), load_512(&y[16..]), sums[1]);
        }
    }
    _mm512_reduce_add_ps(_mm512_add_ps(sums[0], sums[1]))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn dot_codes_avx512(a: &[u8], b: &[u8]) -> u32 {
    let len = a.len().min(b.len());
    let (a, a_rest) = a[..len].as_chunks::<64>();
    let (b, b_rest) = b[..len].as_chunks::<64>();
    let mut sums = [_mm512_setzero_si512(); 2];
    let (a_twos, a_last) = a.as_chunks::<2>();
    let (b_twos, b_last) = b.as_chunks::<2>();
    for (x, y) in a_twos.iter().zip(b_twos) {
        sums[0] = _mm512_dpbusd_epi32(sums[0], load_codes_512(&x[0]), load_codes_512(&y[0]));
        sums[1] = _mm512_dpbusd_epi32(sums[1], load_codes_512(&x[1]), load_codes_512(&y[1]));
    }
    for (x, y) in a_last.iter().zip(b_last) {
        sums[0] = _mm512_dpbusd_epi32(sums[0], load_codes_512(x), load_codes_512(y));
    }
    sums[1] = _mm512_dpbusd_epi32(sums[1], load_codes_512(a_rest), load_codes_512(b_rest));
    _mm512_reduce_add_epi32(_mm512_add_epi32(sums[0], sums[1])) as u32
}

/// Adds `step(q, x)` of all elements of four rows, a chain each; a query's load serves all four.
/// Whole registers of `LANES` first: masks would take longer than what they save.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn fold_x4_512<const LANES: usize, T, R: Copy>(
    query: &[T],
    rows: [&[T]; 4],
    zero: R,
    load: impl Fn(&[T]) -> R,
    step: impl Fn(R, R, R) -> R,
) -> [R; 4] {
    let len = rows.iter().fold(query.len(), |len, row| len.min(row.len()));
    let (query, query_rest) = query[..len].as_chunks::<LANES>();
    let [(a, a_rest), (b, b_rest), (c, c_rest), (d, d_rest)] =
        rows.map(|row| row[..len].as_chunks::<LANES>());
    let mut sums = [zero; 4];
    for ((((q, a), b), c), d) in query.iter().zip(a).zip(b).zip(c).zip(d) {
        let q = load(q);
        for (sum, row) in sums.iter_mut().zip([a, b, c, d]) {
            *sum = step(q, load(row), *sum);
        }
    }
    if !query_rest.is_empty() {
        let q = load(query_rest);
        for (sum, row) in sums.iter_mut().zip([a_rest, b_rest, c_rest, d_rest]) {
            *sum = step(q, load(row), *sum);
        }
    }
    sums
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn squared_l2_x4_avx512(query: &[f32], rows: [&[f32]; 4]) -> [f32; 4] {
    let step = |q, x, sum| {
        let difference = _mm512_sub_ps(q, x);
        _mm512_fmadd_ps(difference, difference, sum)
    };
    fold_x4_512::<16, _, _>(query, rows, _mm512_setzero_ps(), |row| load_512(row), step)
        .map(|sum| _mm512_reduce_add_ps(sum))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn dot_x4_avx512(query: &[f32], rows: [&[f32]; 4]) -> [f32; 4] {
    let step = |q, x, sum| _mm512_fmadd_ps(q, x, sum);
    fold_x4_512::<16, _, _>(query, rows, _mm512_setzero_ps(), |row| load_512(row), step)
        .map(|sum| _mm512_reduce_add_ps(sum))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn dot_codes_x4_avx512(query: &[u8], rows: [&[u8]; 4]) -> [u32; 4] {
    let step = |q, x, sum| _mm512_dpbusd_epi32(sum, q, x);
    let load = |row: &[u8]| load_codes_512(row);
    sum_x4(fold_x4_512::<64, _, _>(query, rows, _mm512_setzero_si512(), load, step))
}

/// The sums of the lanes of four registers, together in a third of the steps.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn sum_x4(sums: [__m512i; 4]) -> [u32; 4] {
    let [a, b, c, d] = sums.map(|sum| {
        let high = _mm512_extracti64x4_epi64::<1>(sum);
        _mm256_add_epi32(_mm512_castsi512_si256(sum), high)
    });
    let all = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    let both = _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256::<1>(all));
    let mut sums = [0; 4];
    // SAFETY: the array is 16 writable bytes, and the store asks for no alignment.
    unsafe { _mm_storeu_si128(sums.as_mut_ptr().cast(), both) };
    sums
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn nearest_avx512(row: &[u32], k: usize, limit: u32, found: &mut Vec<u64>) {
    nearest_with::<[u32; 4]>(row, k, limit, found, |distances: &[u32; TOGETHER], limit| {
        // SAFETY: the array is 64 readable bytes, and the load asks for no alignment.
        let distances = unsafe { _mm512_loadu_si512(distances.as_ptr().cast()) };
        u32::from(_mm512_cmple_epu32_mask(distances, _mm512_set1_epi32(limit as i32)))
    });
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn load_256(values: &[f32; 8]) -> __m256 {
    // SAFETY: the array is 32 readable bytes, and the load asks for no alignment.
    unsafe { _mm256_loadu_ps(values.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn sum_256(lanes: __m256) -> f32 {
    let halves = _mm_add_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps::<1>(lanes));
    let pairs = _mm_add_ps(halves, _mm_movehl_ps(halves, halves));
    _mm_cvtss_f32(_mm_add_ss(pairs, _mm_shuffle_ps::<1>(pairs, pairs)))
}

#[target_feature(enable = "avx2,fma")]
fn squared_l2_avx2(a: &[f32], b: &[f32]) -> f32 {
    let len = a.len().min(b.len());
    let (a, a_rest) = a[..len].as_chunks::<8>();
    let (b, b_rest) = b[..len].as_chunks::<8>();
    let mut sums = [_mm256_setzero_ps(); 2];
    for (i, (x, y)) in a.iter().zip(b).enumerate() {
        let difference = _mm256_sub_ps(load_256(x), load_256(y));
        sums[i % 2] = _mm256_fmadd_ps(difference, difference, sums[i % 2]);
    }
    sum_256(_mm256_add_ps(sums[0], sums[1])) + scalar::squared_l2(a_rest, b_rest)
}

#[target_feature(enable = "avx2,fma")]
fn dot_avx2(a: &[f32], b: &[f32]) -> f32 {
    let len = a.len().min(b.len());
    let (a, a_rest) = a[..len].as_chunks::<8>();
    let (b, b_rest) = b[..len].as_chunks::<8>();
    let mut sums = [_mm256_setzero_ps(); 2];
    for (i, (x, y)) in a.iter().zip(b).enumerate() {
        sums[i % 2] = _mm256_fmadd_ps(load_256(x), load_256(y), sums[i % 2]);
    }
    sum_256(_mm256_add_ps(sums[0], sums[1])) + scalar::dot(a_rest, b_rest)
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn load_codes_256(codes: &[u8; 32]) -> __m256i {
    // SAFETY: the array is 32 readable bytes, and the load asks for no alignment.
    unsafe { _mm256_loadu_si256(codes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2,fma")]
fn dot_codes_avx2(a: &[u8], b: &[u8]) -> u32 {
    let len = a.len().min(b.len());
    let (a, a_rest) = a[..len].as_chunks::<32>();
    let (b, b_rest) = b[..len].as_chunks::<32>();
    let ones = _mm256_set1_epi16(1);
    let mut sum = _mm256_setzero_si256();
    for (x, y) in a.iter().zip(b) {
        // Two products of codes up to 126 fit 16 bits, so nothing saturates.
        let pairs = _mm256_maddubs_epi16(load_codes_256(x), load_codes_256(y));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, ones));
    }
    let halves = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
    let pairs = _mm_add_epi32(halves, _mm_shuffle_epi32::<0b01_00_11_10>(halves));
    let all = _mm_add_epi32(pairs, _mm_shuffle_epi32::<0b10_11_00_01>(pairs));
    _mm_cvtsi128_si32(all) as u32 + scalar::dot_codes(a_rest, b_rest)
}

#[target_feature(enable = "avx2,fma")]
fn nearest_avx2(row: &[u32], k: usize, limit: u32, found: &mut Vec<u64>) {
    nearest_with::<[u32; 4]>(row, k, limit, found, |distances: &[u32; TOGETHER], limit| {
        let limit = _mm256_set1_epi32(limit as i32);
        let (halves, _) = distances.as_chunks::<8>();
        let marks: [u32; 2] = std::array::from_fn(|half| {
            // SAFETY: the array is 32 readable bytes, and the load asks for no alignment.
            let distances = unsafe { _mm256_loadu_si256(halves[half].as_ptr().cast()) };
            // There is no unsigned comparison, but a minimum.
            let within = _mm256_cmpeq_epi32(_mm256_min_epu32(distances, limit), distances);
            _mm256_movemask_ps(_mm256_castsi256_ps(within)) as u32
        });
        marks[0] | marks[1] << 8
    });
}
