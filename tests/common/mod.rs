//! Rows for the tests, the same on every platform.

/// `rows` vectors of `dimensions` around `clusters` centres, one after another.
pub fn clustered(seed: u64, rows: usize, dimensions: usize, clusters: usize) -> Vec<f32> {
    let mut state = seed;
    let mut next = move || {
        // SplitMix64; the upper 24 bits make a float in −1..1 exactly.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    };
    let mut float = move || (next() >> 40) as f32 / (1 << 23) as f32 - 1.0;
    let centres: Vec<f32> = (0..clusters * dimensions).map(|_| float()).collect();
    let mut values = Vec::with_capacity(rows * dimensions);
    for row in 0..rows {
        let centre = row * 7 % clusters * dimensions;
        values.extend((0..dimensions).map(|i| centres[centre + i] + 0.35 * float()));
    }
    values
}
