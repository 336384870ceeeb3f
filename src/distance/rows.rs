//! One row: its length, its codes, their sums.
//!
//! The loops here are the definition, and the only form where compilers make vectors of them. In WebAssembly they
//! do not, because the module is built for size, so there is a form in vectors. Both give the same bits.

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(crate) use super::rows_simd128::{
    add_multiple, encode, multiply, product, squared_norm, sums, weighted_sum,
};
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub(crate) use definition::{
    add_multiple, encode, multiply, product, squared_norm, sums, weighted_sum,
};

/// The largest code.
pub(crate) const TOP: f32 = 126.0;

#[cfg_attr(
    all(target_arch = "wasm32", target_feature = "simd128"),
    allow(dead_code, reason = "tests compare with the definition")
)]
pub(super) mod definition {
    use super::TOP;

    /// The sum of squares, added in f64 and in one order, so that every platform finds the same bits; to four
    /// sums, so that an addition need not wait for the one before it.
    pub(crate) fn squared_norm(row: &[f32]) -> f64 {
        let mut sums = [0.0f64; 4];
        for four in row.chunks(4) {
            sums.iter_mut().zip(four).for_each(|(sum, x)| *sum += f64::from(*x) * f64::from(*x));
        }
        (sums[0] + sums[1]) + (sums[2] + sums[3])
    }

    /// Multiplies every component, in f64.
    pub(crate) fn multiply(row: &mut [f32], factor: f64) {
        row.iter_mut().for_each(|x| *x = (f64::from(*x) * factor) as f32);
    }

    /// The sum of products, to four sums in one order.
    pub(crate) fn product(a: &[f32], b: &[f32]) -> f32 {
        let mut sums = [0.0; 4];
        for (a, b) in a.chunks(4).zip(b.chunks(4)) {
            sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
        }
        (sums[0] + sums[1]) + (sums[2] + sums[3])
    }

    /// Adds `factor` times `other` to a row.
    pub(crate) fn add_multiple(row: &mut [f32], factor: f32, other: &[f32]) {
        row.iter_mut().zip(other).for_each(|(x, other)| *x += factor * other);
    }

    /// Writes the sum of `rows` times their weights, each component added up in the rows' order. Rows are as long
    /// as `out`; of what is not a whole 16 nothing is written.
    pub(crate) fn weighted_sum(out: &mut [f32], weights: &[f32], rows: &[f32]) {
        let len = out.len().max(1);
        for (block, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
            let mut sums = [0.0; 16];
            for (weight, row) in weights.iter().zip(rows.chunks_exact(len)) {
                if let Some(row) = row.as_chunks::<16>().0.get(block) {
                    sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += weight * x);
                }
            }
            *out = sums;
        }
    }

    /// Writes `clamp(floor((x - mean) * scale + offset), 0, 126)` of as many components as all three have, and
    /// returns how many are clamped. No component is NaN.
    // Without a branch, so that compilers can make vectors of it.
    pub(crate) fn encode(
        codes: &mut [u8],
        row: &[f32],
        mean: &[f32],
        scale: f32,
        offset: f32,
    ) -> u32 {
        let mut clamped = 0u32;
        for ((code, x), mean) in codes.iter_mut().zip(row).zip(mean) {
            let place = (x - mean) * scale + offset;
            clamped += u32::from(place < 0.0) + u32::from(place >= TOP + 1.0);
            *code = place.clamp(0.0, TOP) as i32 as u8;
        }
        clamped
    }

    /// The sum of codes, and the sum of their squares.
    pub(crate) fn sums(codes: &[u8]) -> (u32, u32) {
        codes.iter().fold((0, 0), |(sum, squares), code| {
            let code = u32::from(*code);
            (sum + code, squares + code * code)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Rng;

    /// Rows of every length up to some sixteens, with components far outside too.
    fn rows() -> impl Iterator<Item = Vec<f32>> {
        let mut rng = Rng(11);
        (0..200).map(move |length| {
            let mut row = rng.vector(length);
            let outside = [f32::MAX, -f32::MAX, 1e-40, -0.0, 1e9, -1e9, 0.5];
            row.iter_mut().skip(3).step_by(9).zip(outside).for_each(|(x, other)| *x = other);
            row
        })
    }

    #[test]
    fn lengths_are_the_definitions_to_the_bit() {
        for mut row in rows() {
            let squares = squared_norm(&row);
            assert_eq!(squares.to_bits(), definition::squared_norm(&row).to_bits());
            let mut expected = row.clone();
            let factor = 1.0 / squares.max(1e-30).sqrt();
            definition::multiply(&mut expected, factor);
            multiply(&mut row, factor);
            let bits = |row: &[f32]| row.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&row), bits(&expected));
        }
    }

    #[test]
    fn products_and_multiples_are_the_definitions_to_the_bit() {
        let mut rng = Rng(5);
        for row in (0..40).map(|length| rng.vector(length)).collect::<Vec<_>>() {
            let other = rng.vector(row.len());
            assert_eq!(
                product(&row, &other).to_bits(),
                definition::product(&row, &other).to_bits()
            );
            let (mut sum, mut expected) = (row.clone(), row.clone());
            add_multiple(&mut sum, -0.3, &other);
            definition::add_multiple(&mut expected, -0.3, &other);
            assert_eq!(sum, expected);
            let wanted = row.iter().zip(&other).map(|(x, other)| x * other).sum::<f32>();
            assert!((product(&row, &other) - wanted).abs() < 1e-4, "{} components", row.len());
        }
    }

    #[test]
    fn weighted_sums_are_the_definitions_to_the_bit() {
        let mut rng = Rng(6);
        for (len, count) in [(16, 1), (64, 9), (112, 240), (0, 3), (7, 2), (40, 0)] {
            let (rows, weights) = (rng.vector(len * count), rng.vector(count));
            let (mut out, mut expected) = (vec![7.0; len], vec![7.0; len]);
            weighted_sum(&mut out, &weights, &rows);
            definition::weighted_sum(&mut expected, &weights, &rows);
            assert_eq!(out, expected, "{len}, {count} rows");
            for (place, sum) in out[..len / 16 * 16].iter().enumerate() {
                let wanted: f32 =
                    (0..count).map(|row| weights[row] * rows[row * len + place]).sum();
                assert!((sum - wanted).abs() < 1e-3, "{len}, {count} rows: {sum}, not {wanted}");
            }
            assert!(out[len / 16 * 16..].iter().all(|x| *x == 7.0));
        }
    }

    #[test]
    fn codes_and_their_sums_are_the_definitions() {
        let mut rng = Rng(12);
        for row in rows() {
            let mean = rng.vector(row.len());
            for (scale, offset) in
                [(20.0, 63.5), (1e-30, 63.1), (1e30, 63.9), (64.0, 0.0), (3.0, 126.5)]
            {
                let (mut codes, mut expected) = (vec![255; row.len()], vec![0; row.len()]);
                let clamped = encode(&mut codes, &row, &mean, scale, offset);
                let wanted = definition::encode(&mut expected, &row, &mean, scale, offset);
                assert_eq!((&codes, clamped), (&expected, wanted));
                assert_eq!(sums(&codes), definition::sums(&codes));
            }
        }
        let most = vec![126; 65_536];
        assert_eq!(sums(&most), (126 * 65_536, 126 * 126 * 65_536));
    }
}
