//! 7-bit codes of the rows, by which the graph is built.
//!
//! A component becomes `clamp(floor((x - mean) * scale + 63.5), 0, 126)`: scalar quantisation
//! with a mean for each dimension and one scale for all, so that squared L2 on codes is
//! proportional to squared L2 on vectors. Cosine is L2 on rows of length 1. For the inner product
//! the mean is 0, because moving the origin would change the order.
//!
//! Distances between codes are integers, so the same rows give the same graph on every platform,
//! and cost a quarter of the memory traffic of floats. They only choose links: what users see
//! stays exact. 127 steps, not 256, because the sum of two products must fit 16 bits
//! (126 * 126 * 2 < 2^15) in the instructions of AVX2 and relaxed SIMD.
//!
//! A row of few dimensions is coded several times, as often as fits a cache line, with the steps of
//! each copy moved by a part of a step: one dimension then has 6,048 steps, not 126. The sum of squares
//! over the copies rises with the distance, so order is kept (the sum of the copies is the component
//! in the finer steps, by Hermite's identity).
//!
//! The scale is set from the first rows. Rows that do not fit it any more are noticed by
//! [`Quantizer::has_drifted`], and all rows are then coded anew.
//!
//! A row in memory: all copies of `dimensions` codes, zeros up to a multiple of 64 bytes less 4, then the row's term
//! of the distance, `u32`.

use crate::config::Metric;
use crate::distance;
use crate::distance::rows::{self, TOP};
use crate::distance::tile::{self, Block};
use crate::error::OutOfMemory;
use crate::vectors::chunks::Chunks;
use crate::vectors::{Scorer, Space, Vectors};

/// The code of a component equal to the mean.
pub(crate) const CENTRE: u32 = 63;
/// Bytes behind the codes: the row's term.
const TAIL: usize = 4;
/// Bytes of a cache line.
const LINE: usize = 64;
/// Rows looked at to set mean and scale.
const SAMPLE_ROWS: usize = 1000;
/// The scale makes this share of the sampled components fit: the rest saturates. A few outliers
/// must not cost everything else its resolution.
const FITTING: f64 = 0.9995;
/// Rows coded before drift is judged.
const DRIFT_ROWS: u64 = 64;
/// Share of saturated components, 20 times the sample's, above which the scale is too fine.
const DRIFT_SATURATED: f64 = 0.01;
/// A row of which more than one component in so many saturates does not fit. One is enough to set the
/// scale anew, once there are so many rows for each 64 of the sample: rows that all lie outside have
/// equal codes, and links among them would lead nowhere.
const MISFIT_SHARE: usize = 8;
const MISFIT_ROWS: u64 = 64;
/// How much room a scale that was outgrown gets: rows that grow on and on outgrow it rarely.
const HEADROOM: f32 = 2.0;
/// Energy below the sample's by this factor (two bits of resolution lost): the scale is too coarse.
const DRIFT_ENERGY: f64 = 16.0;

/// How components become codes, and how well that has fitted the rows coded since it was set.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Quantizer {
    pub(crate) mean: Vec<f32>,
    pub(crate) scale: f32,
    /// Rows there were when mean and scale were set.
    pub(crate) trained_rows: u64,
    /// Mean of `(code - 63)^2` over the sample's components.
    pub(crate) trained_energy: f64,
    pub(crate) fit: Fit,
    /// Components of the row coded last that saturate.
    pub(crate) last_saturated: u32,
}

/// What was seen while rows were coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Fit {
    pub(crate) rows: u64,
    pub(crate) saturated: u64,
    pub(crate) energy: u64,
}

impl Fit {
    /// Components coded, in all copies.
    fn components(&self, dimensions: usize) -> f64 {
        self.rows as f64 * codes_of(dimensions) as f64
    }
}

impl Quantizer {
    /// Sets mean and scale from at most [`SAMPLE_ROWS`] of the rows `0..rows`, spread evenly.
    pub(crate) fn train(
        vectors: &Vectors,
        rows: usize,
        dimensions: usize,
        metric: Metric,
        headroom: f32,
    ) -> Result<Self, OutOfMemory> {
        let sample_rows = rows.min(SAMPLE_ROWS);
        let sample = || (0..sample_rows).map(|i| vectors.row(i * rows / sample_rows));
        let mut mean = Vec::new();
        mean.try_reserve_exact(dimensions)?;
        mean.resize(dimensions, 0.0);
        if metric != Metric::Dot {
            let mut sums = Vec::new();
            sums.try_reserve_exact(dimensions)?;
            sums.resize(dimensions, 0.0f64);
            for row in sample() {
                sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
            }
            mean.iter_mut().zip(&sums).for_each(|(m, sum)| *m = (sum / sample_rows as f64) as f32);
        }
        // A histogram over the upper bits of |x - mean| finds the percentile to 1 part in 128.
        let mut counts = Vec::new();
        counts.try_reserve_exact(1 << 16)?;
        counts.resize(1usize << 16, 0u32);
        for row in sample() {
            for (x, m) in row.iter().zip(&mean) {
                counts[((x - m).abs().to_bits() >> 16) as usize] += 1;
            }
        }
        let fitting = (sample_rows as f64 * dimensions as f64 * FITTING) as u64;
        let mut below = 0;
        let bin = counts.iter().position(|count| {
            below += u64::from(*count);
            below > fitting
        });
        let largest = f32::from_bits(((bin.unwrap_or(0) as u32) << 16) | 0xffff);
        // All rows equal: any scale will do. Extremes of f32 stay inside what a float can divide.
        let scale = (CENTRE as f32 / headroom / largest.clamp(1e-30, 1e30)).min(1e30);
        let mut quantizer = Self {
            mean,
            scale,
            trained_rows: rows as u64,
            trained_energy: 0.0,
            fit: Fit::default(),
            last_saturated: 0,
        };
        let mut codes = Vec::new();
        codes.try_reserve_exact(stride(dimensions))?;
        codes.resize(stride(dimensions), 0);
        sample().for_each(|row| quantizer.encode(row, metric, &mut codes));
        let fit = std::mem::take(&mut quantizer.fit);
        quantizer.last_saturated = 0;
        quantizer.trained_energy = fit.energy as f64 / fit.components(dimensions);
        Ok(quantizer)
    }

    /// Writes the codes and the tail of `row` and takes note of how they fit.
    fn encode(&mut self, row: &[f32], metric: Metric, out: &mut [u8]) {
        let copies = copies(row.len());
        let mut saturated = 0u32;
        for (copy, out) in out.chunks_mut(row.len()).take(copies).enumerate() {
            let offset = CENTRE as f32 + (copy as f32 + 0.5) / copies as f32;
            saturated += rows::encode(out, row, &self.mean, self.scale, offset);
        }
        let (sum, squares) = write_tail(out, row.len(), metric, 0);
        self.fit.rows += 1;
        self.fit.saturated += u64::from(saturated);
        self.last_saturated = saturated;
        self.fit.energy += energy_of(sum, squares, row.len());
    }

    /// Whether the rows coded since training no longer fit the scale. Judged only after enough
    /// rows to be sure and a share of those trained on, so that coding anew stays rare.
    pub(crate) fn has_drifted(&self) -> bool {
        let components = self.fit.components(self.mean.len());
        let is_faded = (self.fit.energy as f64) < components * self.trained_energy / DRIFT_ENERGY;
        self.is_outgrown() || (self.is_judged() && is_faded)
    }

    /// Whether enough rows were coded since training to judge by their sums.
    fn is_judged(&self) -> bool {
        self.fit.rows >= DRIFT_ROWS.max(self.trained_rows / 8)
    }

    /// Whether rows lie outside of the scale: many a little, or the last one far.
    fn is_outgrown(&self) -> bool {
        let components = self.fit.components(self.mean.len());
        let saturates = self.fit.saturated as f64 > components * DRIFT_SATURATED;
        let is_misfit = self.last_saturated as usize * MISFIT_SHARE > codes_of(self.mean.len());
        (self.is_judged() && saturates)
            || (is_misfit && self.fit.rows >= self.trained_rows / MISFIT_ROWS)
    }
}

/// The sum of `(code - 63)^2` of a row, all of it in integers, from the sum of its codes and that of their squares.
fn energy_of(sum: u32, squares: u32, dimensions: usize) -> u64 {
    u64::from(squares) + u64::from(CENTRE * CENTRE) * codes_of(dimensions) as u64
        - 2 * u64::from(CENTRE) * u64::from(sum)
}

/// What of a row enters its distances beside the products.
fn term_of(sum: u32, squares: u32, metric: Metric) -> u32 {
    if metric == Metric::Dot { CENTRE * sum } else { squares }
}

/// Writes what follows the codes of a row: its term, with `extra` for squared L2. Returns the codes' sum and the sum
/// of their squares.
fn write_tail(out: &mut [u8], dimensions: usize, metric: Metric, extra: u32) -> (u32, u32) {
    let (sum, squares) = rows::sums(&out[..codes_of(dimensions)]);
    let extra = if metric == Metric::Dot { 0 } else { extra };
    let term = term_of(sum, squares, metric) + extra;
    let tail = out.len() - TAIL;
    out[tail..].copy_from_slice(&term.to_le_bytes());
    (sum, squares)
}

/// How often a row is coded: as often as fits a cache line, in sixteens and with the tail.
fn copies(dimensions: usize) -> usize {
    ((LINE - 16) / dimensions).max(1)
}

/// Codes of a row, in all copies.
fn codes_of(dimensions: usize) -> usize {
    copies(dimensions) * dimensions
}

/// Bytes a row of codes takes.
fn stride(dimensions: usize) -> usize {
    (padded(dimensions) + TAIL).next_multiple_of(LINE)
}

/// Codes a kernel reads: it works in sixteens, and the padding is zero.
fn padded(dimensions: usize) -> usize {
    codes_of(dimensions).next_multiple_of(16)
}

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

    /// An empty store with mean and scale set from the rows `0..rows`, with room where these codes were
    /// outgrown.
    pub(crate) fn trained(&self, vectors: &Vectors, rows: usize) -> Result<Self, OutOfMemory> {
        let is_outgrown = self.quantizer.as_ref().is_some_and(Quantizer::is_outgrown);
        let headroom = if is_outgrown { HEADROOM } else { 1.0 };
        let quantizer = Quantizer::train(vectors, rows, self.dimensions, self.metric, headroom)?;
        Ok(Self { quantizer: Some(quantizer), ..Self::new(self.dimensions, self.metric) })
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
        if bytes.len() != self.row_bytes() || codes.iter().any(|code| f32::from(*code) > TOP) {
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
