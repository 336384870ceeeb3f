//! The codes of the rows, by which the graph is built.
//!
//! A row's codes (`quantizer.rs`) are four times smaller than its floats, and distances between codes are integers, so
//! the same rows give the same graph on every platform. They only choose links: what users see stays exact.
//!
//! The scale is set from the first rows. Rows that do not fit it any more are noticed by
//! [`Codes::has_drifted`], and all rows are then coded anew.

use crate::config::Metric;
use crate::distance;
use crate::distance::rows;
use crate::distance::tile::{self, Block};
use crate::error::OutOfMemory;
use crate::vectors::chunks::Chunks;
use crate::vectors::quantizer::{
    Fit, Quantizer, TAIL, Training, are_codes, codes_of, energy_of, padded, stride, term_of,
    write_tail,
};
use crate::vectors::{Scorer, Space, Vectors};

/// The codes of an index's rows. Empty until a quantizer is trained.
pub(crate) struct Codes {
    rows: Chunks<u8>,
    dimensions: usize,
    /// Codes of a row that kernels read. Kept, for it takes a division.
    padded: usize,
    metric: Metric,
    pub(crate) quantizer: Option<Quantizer>,
}

impl Codes {
    pub(crate) fn new(dimensions: usize, metric: Metric) -> Self {
        Self {
            rows: Chunks::new(stride(dimensions)),
            dimensions,
            padded: padded(dimensions),
            metric,
            quantizer: None,
        }
    }

    /// Begins to set mean and scale from the rows `0..rows`, with room where these codes were outgrown.
    pub(crate) fn train(&self, rows: usize) -> Result<Training, OutOfMemory> {
        let is_outgrown = self.quantizer.as_ref().is_some_and(Quantizer::is_outgrown);
        Training::new(rows, self.dimensions, self.metric, is_outgrown)
    }

    /// An empty store with another quantizer.
    pub(crate) fn coded_by(&self, quantizer: Quantizer) -> Self {
        Self { quantizer: Some(quantizer), ..Self::new(self.dimensions, self.metric) }
    }

    /// An empty store with mean and scale set from the rows `0..rows`.
    pub(crate) fn trained(&self, vectors: &Vectors, rows: usize) -> Result<Self, OutOfMemory> {
        let mut training = self.train(rows)?;
        loop {
            if let Some(quantizer) = training.step(vectors) {
                return Ok(self.coded_by(quantizer));
            }
        }
    }

    pub(crate) fn reserve(&mut self, rows: usize) -> Result<(), OutOfMemory> {
        self.rows.reserve(rows)
    }

    pub(crate) fn shrink(&mut self, rows: usize) {
        self.rows.shrink(rows);
    }

    pub(crate) fn bytes(&self) -> usize {
        self.rows.bytes()
    }

    /// Whether the rows coded of late no longer fit the scale.
    pub(crate) fn has_drifted(&self) -> bool {
        self.quantizer.as_ref().is_some_and(Quantizer::has_drifted)
    }

    /// How the rows coded since training have fitted.
    pub(crate) fn fit(&self) -> Fit {
        self.quantizer.as_ref().map_or_else(Fit::default, |quantizer| quantizer.fit)
    }

    /// Goes back to an earlier fit: the rows coded since do not count.
    pub(crate) fn set_fit(&mut self, fit: Fit) {
        if let Some(quantizer) = &mut self.quantizer {
            quantizer.fit = fit;
        }
    }

    /// Codes row `row`, for which there is memory. Without a quantizer nothing happens.
    pub(crate) fn encode(&mut self, row: usize, vector: &[f32]) {
        if let Some(quantizer) = &mut self.quantizer {
            quantizer.encode(vector, self.metric, self.rows.row_mut(row));
        }
    }

    /// The codes of a row that kernels read, and its term of the distance.
    #[inline]
    pub(crate) fn row(&self, node: u32) -> (&[u8], u32) {
        let row = self.rows.row(node as usize);
        let (codes, tail) = row.split_at(row.len() - TAIL);
        let term = match tail {
            [a, b, c, d] => u32::from_le_bytes([*a, *b, *c, *d]),
            _ => 0,
        };
        (&codes[..self.padded], term)
    }

    /// Writes the codes of row `row`, for which there is memory and which is coded once. For squared L2, `extra` is
    /// added to its distances.
    pub(crate) fn set_row(&mut self, row: usize, codes: &[u8], extra: u32) {
        let (dimensions, metric) = (self.dimensions, self.metric);
        let out = self.rows.row_mut(row);
        out.iter_mut().zip(codes).for_each(|(out, code)| *out = *code);
        write_tail(out, dimensions, metric, extra);
    }

    /// The distance of two rows.
    // A function of its own: where few are computed, the call does not matter, and many copies of the kernel do.
    #[inline(never)]
    pub(crate) fn distance(&self, a: u32, b: u32) -> u32 {
        self.scorer(a).score(b)
    }

    /// The sum of the squares of a row's codes, each less that of the mean.
    pub(crate) fn energy(&self, node: u32) -> u64 {
        let (sum, squares) = rows::sums(self.row(node).0);
        energy_of(sum, squares, self.dimensions)
    }

    /// Hints that some nodes are read soon. Where there are no hints, their rows are not even looked up.
    #[inline]
    pub(crate) fn prefetch(&self, nodes: &[u32]) {
        if cfg!(target_arch = "x86_64") {
            for node in nodes {
                distance::prefetch(self.rows.row(*node as usize));
            }
        }
    }

    /// Packs the codes of at most [`tile::rows`] nodes as the rows of a tile.
    pub(crate) fn load_block(&self, nodes: &[u32], block: &mut Block) {
        let mut rows: [&[u8]; tile::MOST_ROWS] = [&[]; tile::MOST_ROWS];
        let mut terms = [0; tile::MOST_ROWS];
        for (i, node) in nodes.iter().enumerate().take(tile::MOST_ROWS) {
            (rows[i], terms[i]) = self.row(*node);
        }
        let count = nodes.len().min(tile::MOST_ROWS);
        block.load(&rows[..count], &terms[..count], self.dots());
    }

    /// Bytes of a row.
    pub(crate) fn row_bytes(&self) -> usize {
        self.rows.row_bytes()
    }

    /// Appends a row as bytes, for which there is memory.
    pub(crate) fn append_to(&self, row: usize, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(self.rows.row(row));
    }

    /// Takes a row, as [`append_to`](Self::append_to) gave it, perhaps of another instance. False when a byte is no
    /// code, or it has an `extra` that no row of a sketch has.
    pub(crate) fn load(&mut self, row: usize, bytes: &[u8]) -> Result<bool, OutOfMemory> {
        const MOST: u32 = 1 << 30;
        let Some((codes, term)) = bytes.split_last_chunk::<TAIL>() else { return Ok(false) };
        if bytes.len() != self.row_bytes() || !are_codes(codes) {
            return Ok(false);
        }
        self.reserve(row + 1)?;
        let out = self.rows.row_mut(row);
        out.copy_from_slice(bytes);
        let (sum, squares) = rows::sums(&codes[..codes_of(self.dimensions)]);
        let least = term_of(sum, squares, self.metric);
        Ok((least..MOST).contains(&u32::from_le_bytes(*term)))
    }

    /// Components of each row.
    pub(crate) fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Bytes of a panel.
    pub(crate) fn panel_bytes(&self) -> usize {
        tile::panel_bytes(self.padded)
    }

    /// How distances are computed.
    pub(crate) fn metric(&self) -> Metric {
        self.metric
    }

    /// How often the product of two rows' codes is subtracted from their terms.
    pub(crate) fn dots(&self) -> u32 {
        if self.metric == Metric::Dot { 1 } else { 2 }
    }
}

impl Space for Codes {
    #[inline]
    fn scorer(&self, node: u32) -> impl Scorer + '_ {
        let (query, term) = self.row(node);
        CodeScorer { codes: self, query, term, dots: self.dots() }
    }

    fn are_distances(&self) -> bool {
        self.metric != Metric::Dot
    }
}

/// Integer distances of coded rows to one of them.
///
/// For L2 and cosine: the sum of `(a - b)^2`, as `Σa² + Σb² - 2 Σab`. For the inner product of
/// the centred codes: `63 Σa + 63 Σb - Σab`, its negative moved up by a constant so that it never
/// falls below 0.
struct CodeScorer<'a> {
    codes: &'a Codes,
    query: &'a [u8],
    term: u32,
    /// How often the product of the codes is subtracted.
    dots: u32,
}

impl Scorer for CodeScorer<'_> {
    #[inline]
    fn score(&self, node: u32) -> u32 {
        let (codes, term) = self.codes.row(node);
        let product = distance::dot_codes(self.query, codes);
        (self.term + term).wrapping_sub(self.dots * product)
    }

    #[inline]
    fn score4(&self, nodes: [u32; 4]) -> [u32; 4] {
        let rows = nodes.map(|node| self.codes.row(node));
        let products = distance::dot_codes_x4(self.query, rows.map(|(codes, _)| codes));
        std::array::from_fn(|i| (self.term + rows[i].1).wrapping_sub(self.dots * products[i]))
    }

    #[inline]
    fn prefetch(&self, node: u32) {
        self.codes.prefetch(&[node]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Rng;
    use crate::vectors::quantizer::{CENTRE, copies};

    fn coded(rows: &[Vec<f32>], metric: Metric) -> Codes {
        let dimensions = rows[0].len();
        let mut vectors = Vectors::new(dimensions, metric);
        vectors.reserve(rows.len()).unwrap();
        for (i, row) in rows.iter().enumerate() {
            vectors.row_mut(i).copy_from_slice(row);
        }
        let mut codes = Codes::new(dimensions, metric).trained(&vectors, rows.len()).unwrap();
        codes.reserve(rows.len()).unwrap();
        for (i, row) in rows.iter().enumerate() {
            codes.encode(i, row);
        }
        codes
    }

    #[test]
    fn distances_of_codes_follow_the_distances_of_the_rows() {
        let mut rng = Rng(1);
        for (metric, dimensions) in
            [(Metric::L2, 100), (Metric::Dot, 100), (Metric::L2, 3), (Metric::Dot, 20)]
        {
            let rows: Vec<_> = (0..200).map(|_| rng.vector(dimensions)).collect();
            let codes = coded(&rows, metric);
            let quantizer = codes.quantizer.as_ref().unwrap();
            let step = f64::from(quantizer.scale);
            let copies = copies(dimensions) as f64;
            for a in 0..20u32 {
                let scorer = codes.scorer(a);
                for b in 20..200u32 {
                    let pairs = rows[a as usize].iter().zip(&rows[b as usize]);
                    let pairs = pairs.map(|(x, y)| (f64::from(*x), f64::from(*y)));
                    let got = f64::from(scorer.score(b)) / copies;
                    let (got, want): (f64, f64) = if metric == Metric::L2 {
                        (got.sqrt() / step, pairs.map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt())
                    } else {
                        let moved = f64::from(CENTRE * CENTRE) * dimensions as f64;
                        ((moved - got) / step.powi(2), pairs.map(|(x, y)| x * y).sum())
                    };
                    // Each component is off by at most half a step unless it saturates (1 in 2000).
                    let bound = (dimensions as f64).sqrt() / step
                        * if metric == Metric::L2 { 1.0 } else { 2.0 };
                    assert!((got - want).abs() < bound + 0.05, "{metric:?} {a} {b}: {got} {want}");
                }
            }
        }
    }

    #[test]
    fn four_scores_are_four_times_one_and_symmetric() {
        let mut rng = Rng(2);
        for metric in [Metric::L2, Metric::Dot] {
            let codes = coded(&(0..50).map(|_| rng.vector(33)).collect::<Vec<_>>(), metric);
            for a in 0..50 {
                let four = codes.scorer(a).score4([1, 7, 33, 49]);
                let one = [1, 7, 33, 49].map(|b| codes.scorer(b).score(a));
                assert_eq!(four, one);
            }
        }
    }

    #[test]
    fn few_dimensions_are_coded_in_finer_steps() {
        let rows: Vec<_> = (0..3000).map(|i| vec![i as f32]).collect();
        let codes = coded(&rows, Metric::L2);
        for a in [0, 1, 1234, 2990] {
            let scorer = codes.scorer(a);
            let scores: Vec<u32> = (a..3000).map(|b| scorer.score(b)).collect();
            assert_eq!(scores[0], 0);
            let fitting = scores.len().min(2990 - a as usize);
            assert!(scores[..fitting].is_sorted_by(|a, b| a < b), "{a}");
        }
    }

    #[test]
    fn equal_rows_and_constant_dimensions_are_at_distance_zero() {
        let codes = coded(&vec![vec![0.25; 17]; 40], Metric::L2);
        assert_eq!(codes.scorer(3).score(39), 0);
        let codes = coded(&vec![vec![f32::MAX, -f32::MAX, 1e-40]; 40], Metric::L2);
        assert_eq!(codes.scorer(3).score(39), 0);
    }

    #[test]
    fn drift_is_noticed_in_both_directions_and_not_without_cause() {
        let mut rng = Rng(3);
        let rows: Vec<_> = (0..512).map(|_| rng.vector(24)).collect();
        let scaled = |factor: f32, offset: f32| -> Vec<Vec<f32>> {
            rows.iter().map(|row| row.iter().map(|x| x * factor + offset).collect()).collect()
        };
        for (factor, offset, drifts) in
            [(1.0, 0.0, false), (1.0, 5.0, true), (3.0, 0.0, true), (0.01, 0.0, true)]
        {
            let mut codes = coded(&rows, Metric::L2);
            assert!(!codes.has_drifted());
            codes.set_fit(Fit::default());
            for (i, row) in scaled(factor, offset).iter().enumerate() {
                codes.encode(i, row);
            }
            assert_eq!(codes.has_drifted(), drifts, "{factor} {offset}");
        }
    }
}
