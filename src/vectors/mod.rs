//! Rows in memory: the vectors as users gave them, and the 7-bit codes that links are chosen by.
//!
//! ```text
//! chunks.rs     rows of equal length that never move
//! mod.rs        f32 rows: checking, scaling, exact distances    ── what users see
//! quantizer.rs  how they become 7-bit codes
//! codes.rs      these codes, integer distances                  ── what construction compares
//! panels.rs     codes of some rows, packed to be compared with many
//! ```
//!
//! Both stores score nodes through [`Scorer`], so the graph's search is written once. A score is a
//! `u32` whose order is the order of distances: the integer distance itself for codes, the bits of
//! the float, made monotonic, for vectors.

pub(crate) mod chunks;
pub(crate) mod codes;
pub(crate) mod panels;
pub(crate) mod quantizer;

use crate::config::Metric;
use crate::distance::{self, rows};
use crate::error::{OutOfMemory, VectorFault};
use chunks::Chunks;

/// Scores nodes against one query; smaller is nearer.
pub(crate) trait Scorer {
    /// The score of one node.
    fn score(&self, node: u32) -> u32;
    /// The scores of four nodes at once, so that their loads overlap.
    fn score4(&self, nodes: [u32; 4]) -> [u32; 4];
    /// Hints that a node is scored soon.
    fn prefetch(&self, node: u32);
}

/// Rows that links are chosen by: codes of them, or the vectors themselves.
pub(crate) trait Space {
    /// A scorer whose query is the row of `node`.
    fn scorer(&self, node: u32) -> impl Scorer + '_;
    /// Whether scores are squared distances, 0 between equal rows.
    fn are_distances(&self) -> bool;
}

/// A score and its node as one number, which sorts by score and then by node.
#[inline]
pub(crate) fn key(score: u32, node: u32) -> u64 {
    u64::from(score) << 32 | u64::from(node)
}

/// The score and the node of a [`key`].
#[inline]
pub(crate) fn of_key(key: u64) -> (u32, u32) {
    ((key >> 32) as u32, key as u32)
}

/// Scores `nodes` in fours and hands each score to `visit`.
#[inline]
pub(crate) fn score_all(scorer: &impl Scorer, nodes: &[u32], mut visit: impl FnMut(u32, u32)) {
    let (fours, rest) = nodes.as_chunks::<4>();
    for four in fours {
        for (score, node) in scorer.score4(*four).into_iter().zip(four) {
            visit(score, *node);
        }
    }
    for node in rest {
        visit(scorer.score(*node), *node);
    }
}

/// Writes the keys of `others` by their scores to `node`, the nearest first.
#[inline(never)]
pub(crate) fn rank<S: Space>(space: &S, node: u32, others: &[u32], keys: &mut Vec<u64>) {
    keys.clear();
    score_all(&space.scorer(node), others, |score, other| keys.push(key(score, other)));
    distance::sort(keys);
}

/// The f32 rows of an index, of length 1 under the cosine metric.
pub(crate) struct Vectors {
    rows: Chunks<f32>,
    metric: Metric,
}

impl Vectors {
    pub(crate) fn new(dimensions: usize, metric: Metric) -> Self {
        Self { rows: Chunks::new(dimensions), metric }
    }

    pub(crate) fn reserve(&mut self, rows: usize) -> Result<(), OutOfMemory> {
        self.rows.reserve(rows)
    }

    pub(crate) fn shrink(&mut self, rows: usize) {
        self.rows.shrink(rows);
    }

    /// Bytes of a row.
    pub(crate) fn row_bytes(&self) -> usize {
        self.rows.row_bytes()
    }

    pub(crate) fn capacity(&self) -> usize {
        self.rows.capacity()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.rows.bytes()
    }

    #[inline]
    pub(crate) fn row(&self, row: usize) -> &[f32] {
        self.rows.row(row)
    }

    pub(crate) fn row_mut(&mut self, row: usize) -> &mut [f32] {
        self.rows.row_mut(row)
    }

    pub(crate) fn copy_row(&mut self, from: usize, to: usize) {
        self.rows.copy_row(from, to);
    }

    pub(crate) fn pieces_mut(&mut self, first: usize, rows: usize, visit: impl FnMut(&mut [f32])) {
        self.rows.pieces_mut(first, rows, visit);
    }

    /// A scorer for `query`, which is prepared like a row.
    pub(crate) fn scorer<'a>(&'a self, query: &'a [f32]) -> FloatScorer<'a> {
        FloatScorer { vectors: self, query }
    }
}

/// Only benchmarks link by f32 rows: what codes gain is measured against it.
#[cfg(feature = "f32-links")]
impl Space for Vectors {
    fn scorer(&self, node: u32) -> impl Scorer + '_ {
        self.scorer(self.row(node as usize))
    }

    fn are_distances(&self) -> bool {
        false // their scores are bits of floats
    }
}

/// Says what makes `row` no vector of this metric, if anything does.
pub(crate) fn check(metric: Metric, row: &[f32]) -> Result<(), VectorFault> {
    // One pass by a kernel: a finite number less itself is 0, any other is NaN, and NaN stays.
    if distance::squared_l2(row, row) != 0.0 {
        let found = row.iter().position(|x| !x.is_finite());
        let component = found.unwrap_or_default();
        let value = match row.get(component) {
            Some(x) if x.is_nan() => "NaN",
            Some(x) if *x < 0.0 => "-Infinity",
            _ => "Infinity",
        };
        return Err(VectorFault::NotFinite { component, value });
    }
    if metric == Metric::Cosine && row.iter().all(|x| *x == 0.0) {
        return Err(VectorFault::Zero);
    }
    Ok(())
}

/// Makes a checked row what the metric stores: of length 1 under cosine, else unchanged.
pub(crate) fn prepare(metric: Metric, row: &mut [f32]) {
    if metric != Metric::Cosine {
        return;
    }
    rows::multiply(row, 1.0 / rows::squared_norm(row).sqrt());
}

/// Exact distances of stored rows to one query.
pub(crate) struct FloatScorer<'a> {
    vectors: &'a Vectors,
    query: &'a [f32],
}

impl FloatScorer<'_> {
    fn to_score(&self, kernel: f32) -> u32 {
        let distance = match self.vectors.metric {
            Metric::L2 => kernel,
            // Rounding may leave a similarity just above 1.
            Metric::Cosine => (1.0 - kernel).max(0.0),
            // Products too large for a float may cancel out to none: such a row is far.
            Metric::Dot if kernel.is_nan() => f32::INFINITY,
            Metric::Dot => 0.0 - kernel,
        };
        // Monotonic for all floats: flip all bits of a negative number, the sign of others.
        let bits = distance.to_bits();
        bits ^ (((bits as i32 >> 31) as u32) | 0x8000_0000)
    }
}

/// The distance that has this score.
pub(crate) fn distance_of(score: u32) -> f32 {
    let mask = if score & 0x8000_0000 == 0 { u32::MAX } else { 0x8000_0000 };
    f32::from_bits(score ^ mask)
}

impl Scorer for FloatScorer<'_> {
    // A function of its own: where few are computed, the call does not matter, and many copies of the kernels do.
    #[inline(never)]
    fn score(&self, node: u32) -> u32 {
        let row = self.vectors.row(node as usize);
        self.to_score(match self.vectors.metric {
            Metric::L2 => distance::squared_l2(self.query, row),
            Metric::Cosine | Metric::Dot => distance::dot(self.query, row),
        })
    }

    #[inline]
    fn score4(&self, nodes: [u32; 4]) -> [u32; 4] {
        let rows = nodes.map(|node| self.vectors.row(node as usize));
        let kernels = match self.vectors.metric {
            Metric::L2 => distance::squared_l2_x4(self.query, rows),
            Metric::Cosine | Metric::Dot => distance::dot_x4(self.query, rows),
        };
        kernels.map(|kernel| self.to_score(kernel))
    }

    #[inline]
    fn prefetch(&self, node: u32) {
        distance::prefetch(bytemuck::cast_slice(self.vectors.row(node as usize)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_order_as_their_distances_and_give_them_back() {
        let vectors = Vectors::new(1, Metric::Dot);
        let scorer = vectors.scorer(&[]);
        let distances = [f32::NEG_INFINITY, -3.5, -1e-30, 0.0, 1e-30, 2.0, f32::INFINITY];
        let scores = distances.map(|distance| scorer.to_score(-distance));
        assert!(scores.is_sorted_by(|a, b| a < b), "{scores:?}");
        assert_eq!(scores.map(distance_of), distances);
        assert_eq!(distance_of(scorer.to_score(f32::NAN)), f32::INFINITY);
        assert!(distance_of(scorer.to_score(0.0)).is_sign_positive());
    }

    #[test]
    fn a_bad_component_is_named() {
        let fault = |component, value| Err(VectorFault::NotFinite { component, value });
        assert_eq!(check(Metric::L2, &[1.0, f32::NAN]), fault(1, "NaN"));
        assert_eq!(check(Metric::L2, &[f32::INFINITY, f32::NAN]), fault(0, "Infinity"));
        assert_eq!(check(Metric::Dot, &[0.0, 0.0, f32::NEG_INFINITY]), fault(2, "-Infinity"));
        assert_eq!(check(Metric::L2, &[0.0, -0.0]), Ok(()));
        assert_eq!(check(Metric::Cosine, &[0.0, -0.0]), Err(VectorFault::Zero));
        assert_eq!(check(Metric::Cosine, &[f32::MAX, f32::MIN_POSITIVE]), Ok(()));
    }

    #[test]
    fn cosine_rows_get_length_one_whatever_their_size() {
        for scale in [1e-38, 1e-20, 1.0, 1e20, 1e38] {
            let mut row = [1.5 * scale, -2.0 * scale, 0.0];
            prepare(Metric::Cosine, &mut row);
            let length: f32 = row.iter().map(|x| x * x).sum();
            assert!((length - 1.0).abs() < 1e-6, "{scale}: {row:?}");
        }
    }
}
