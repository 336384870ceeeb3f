//! What the unit tests share: numbers that are the same on every platform.

/// SplitMix64 with the state as its seed.
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number in −1..1 with 24 random bits.
    pub(crate) fn float(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    pub(crate) fn vector(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.float()).collect()
    }

    /// `rows` vectors one after another that differ along some axes, along each less than along the one before, and
    /// by up to `noise` in each component: much as embeddings do.
    pub(crate) fn along_axes(
        &mut self,
        rows: usize,
        dimensions: usize,
        axes: usize,
        noise: f32,
    ) -> Vec<f32> {
        let axes = self.vector(axes * dimensions);
        let mut values = Vec::with_capacity(rows * dimensions);
        for _ in 0..rows {
            let mut row = self.vector(dimensions);
            row.iter_mut().for_each(|x| *x *= noise);
            for (place, axis) in axes.chunks(dimensions).enumerate() {
                let along = self.float() * 0.95f32.powi(place as i32);
                row.iter_mut().zip(axis).for_each(|(x, axis)| *x += along * axis);
            }
            values.extend(row);
        }
        values
    }

    /// `rows` vectors one after another around `clusters` centres, so that near neighbours exist.
    pub(crate) fn clustered(
        &mut self,
        rows: usize,
        dimensions: usize,
        clusters: usize,
    ) -> Vec<f32> {
        let centres: Vec<_> = (0..clusters).map(|_| self.vector(dimensions)).collect();
        let mut values = Vec::with_capacity(rows * dimensions);
        for _ in 0..rows {
            let centre = &centres[self.next() as usize % clusters];
            values.extend(centre.iter().map(|x| x + 0.35 * self.float()));
        }
        values
    }
}
