//! One check over every form of every kernel: natively, and in WebAssembly with and without SIMD.

use super::*;
use crate::tests::Rng;

/// Every remainder of a loop over 64 bytes, and what real vectors have.
fn lengths() -> impl Iterator<Item = usize> {
    (0..=67).chain([100, 128, 384, 768, 784, 1536])
}

type Pair = fn(&[f32], &[f32]) -> f32;
type Four = fn(&[f32], [&[f32]; 4]) -> [f32; 4];

/// A sum of `len` terms, each of at most three roundings, added in any order, is off by at most
/// `len + 3` epsilons of the sum of the terms' sizes.
fn check_floats(name: &str, pair: Pair, four: Four, term: fn(f64, f64) -> f64) {
    let mut rng = Rng(7);
    for len in lengths() {
        for start in 0..4 {
            let rows: [Vec<f32>; 5] = std::array::from_fn(|_| rng.vector(start + len));
            let [query, others @ ..] = rows.each_ref().map(|row| &row[start..]);
            let wants = others.map(|row| {
                let terms = query.iter().zip(row).map(|(x, y)| term((*x).into(), (*y).into()));
                terms.fold((0.0, 0.0), |(sum, size), term| (sum + term, size + term.abs()))
            });
            let gots = four(query, others);
            for ((row, (want, size)), got) in others.iter().zip(wants).zip(gots) {
                let bound = (len + 3) as f64 * f64::from(f32::EPSILON) * size;
                for got in [got, pair(query, row)] {
                    let off = (f64::from(got) - want).abs();
                    assert!(off <= bound, "{name}, len {len}, start {start}: {got} is not {want}");
                }
            }
        }
    }
}

fn check_codes(name: &str, pair: fn(&[u8], &[u8]) -> u32, four: fn(&[u8], [&[u8]; 4]) -> [u32; 4]) {
    let mut rng = Rng(8);
    for len in lengths().map(|len| len * 16).filter(|len| *len <= 1536) {
        for start in 0..4 {
            for top in [127, 2] {
                // With 2, every code is 0 or 126: the largest sums.
                let mut code = || (rng.next() % top * (126 / (top - 1))) as u8;
                let rows: [Vec<u8>; 5] =
                    std::array::from_fn(|_| (0..start + len).map(|_| code()).collect());
                let [query, others @ ..] = rows.each_ref().map(|row| &row[start..]);
                let wants = others.map(|row| scalar::dot_codes(query, row));
                assert_eq!(four(query, others), wants, "{name}, len {len}, start {start}");
                assert_eq!(others.map(|row| pair(query, row)), wants, "{name}, len {len}");
            }
        }
    }
}

fn check_nearest(name: &str, nearest: fn(&[u32], usize, u32, &mut Vec<u64>)) {
    let mut rng = Rng(9);
    let mut found = Vec::new();
    for len in [0, 16, 32, 48, 64, 80, 400, 1504] {
        for values in [2, 50, u64::from(u32::MAX) + 1] {
            let row: Vec<u32> = (0..len).map(|_| (rng.next() % values) as u32).collect();
            for k in [0, 1, 3, 10, 16, 33, 2000] {
                for limit in [0, 1, 20, u32::MAX / 2, u32::MAX] {
                    let keys = row.iter().zip(0u64..);
                    let keys = keys.map(|(distance, place)| u64::from(*distance) << 32 | place);
                    let within = u64::from(limit.min(u32::MAX - 1));
                    let mut all: Vec<_> = keys.filter(|key| key >> 32 <= within).collect();
                    all.sort_unstable();
                    nearest(&row, k, limit, &mut found);
                    assert!(found.is_sorted_by_key(|key| *key as u32), "{name}, len {len}");
                    let mut expected = Vec::new();
                    scalar::nearest(&row, k, limit, &mut expected);
                    assert_eq!(found, expected, "{name}, len {len}, {values} values, k {k}");
                    found.sort_unstable();
                    assert!(found.len() >= k.min(all.len()), "{name}, len {len}, k {k}");
                    assert_eq!(found, all[..found.len()], "{name}, len {len}, k {k}");
                    // Without many equal distances, few more than asked for.
                    let few =
                        found.len() <= 4 * k + 16 || values < 100 || k == 0 || k > 32 || len < 64;
                    assert!(few, "{name}, len {len}, k {k}: {}", found.len());
                }
            }
        }
    }
}

#[test]
fn the_form_in_use_computes_what_the_definition_says() {
    check_floats(backend(), squared_l2, squared_l2_x4, |x, y| (x - y).powi(2));
    check_floats(backend(), dot, dot_x4, |x, y| x * y);
    check_codes(backend(), dot_codes, dot_codes_x4);
    check_nearest(backend(), nearest);
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
#[test]
fn every_form_this_processor_has_computes_what_the_definition_says() {
    for kernels in available() {
        check_floats(kernels.name, kernels.squared_l2, kernels.squared_l2_x4, |x, y| {
            (x - y).powi(2)
        });
        check_floats(kernels.name, kernels.dot, kernels.dot_x4, |x, y| x * y);
        check_codes(kernels.name, kernels.dot_codes, kernels.dot_codes_x4);
        check_nearest(kernels.name, kernels.nearest);
    }
}

#[test]
fn slices_of_different_lengths_are_read_no_further_than_the_shorter() {
    let mut rng = Rng(9);
    let (a, b) = (rng.vector(40), rng.vector(100));
    assert!((dot(&a, &b) - scalar::dot(&a, &b[..40])).abs() < 1e-4);
    assert!((squared_l2(&b, &a) - scalar::squared_l2(&a, &b[..40])).abs() < 1e-4);
    assert!((dot_x4(&b, [&b, &a, &b, &b])[1] - scalar::dot(&a, &b[..40])).abs() < 1e-4);
    prefetch(&[]);
}
