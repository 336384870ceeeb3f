//! How vectors become 7-bit codes.
//!
//! A component becomes `clamp(floor((x - mean) * scale + 63.5), 0, 126)`: scalar quantisation
//! with a mean for each dimension and one scale for all, so that squared L2 on codes is
//! proportional to squared L2 on vectors. Cosine is L2 on rows of length 1. For the inner product
//! the mean is 0, because moving the origin would change the order.
//!
//! 127 steps, not 256, because the sum of two products must fit 16 bits (126 * 126 * 2 < 2^15) in the instructions of
//! AVX2 and relaxed SIMD.
//!
//! A row of few dimensions is coded several times, as often as fits a cache line, with the steps of
//! each copy moved by a part of a step: one dimension then has 6,048 steps, not 126. The sum of squares
//! over the copies rises with the distance, so order is kept (the sum of the copies is the component
//! in the finer steps, by Hermite's identity).
//!
//! A row in memory: all copies of `dimensions` codes, zeros up to a multiple of 64 bytes less 4, then the row's term
//! of the distance, `u32`.

use crate::config::Metric;
use crate::distance::rows::{self, TOP};
use crate::error::OutOfMemory;
use crate::memory::filled;
use crate::vectors::Vectors;

/// The code of a component equal to the mean.
pub(crate) const CENTRE: u32 = 63;
/// Bytes behind the codes: the row's term.
pub(super) const TAIL: usize = 4;
/// Bytes of a cache line.
const LINE: usize = 64;
/// Rows looked at to set mean and scale, and in a unit of work.
const SAMPLE_ROWS: usize = 1000;
const UNIT_ROWS: usize = 32;
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
    /// Writes the codes and the tail of `row` and takes note of how they fit.
    pub(super) fn encode(&mut self, row: &[f32], metric: Metric, out: &mut [u8]) {
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
    pub(super) fn has_drifted(&self) -> bool {
        let components = self.fit.components(self.mean.len());
        let is_faded = (self.fit.energy as f64) < components * self.trained_energy / DRIFT_ENERGY;
        self.is_outgrown() || (self.is_judged() && is_faded)
    }

    /// Whether enough rows were coded since training to judge by their sums.
    fn is_judged(&self) -> bool {
        self.fit.rows >= DRIFT_ROWS.max(self.trained_rows / 8)
    }

    /// Whether rows lie outside of the scale: many a little, or the last one far.
    pub(super) fn is_outgrown(&self) -> bool {
        let components = self.fit.components(self.mean.len());
        let saturates = self.fit.saturated as f64 > components * DRIFT_SATURATED;
        let is_misfit = self.last_saturated as usize * MISFIT_SHARE > codes_of(self.mean.len());
        (self.is_judged() && saturates)
            || (is_misfit && self.fit.rows >= self.trained_rows / MISFIT_ROWS)
    }
}

/// Mean and scale being found from at most [`SAMPLE_ROWS`] of the rows `0..rows`, spread evenly. They are looked at three
/// times: for the mean, for the scale, and for how well the codes fit.
pub(crate) struct Training {
    rows: usize,
    metric: Metric,
    headroom: f32,
    quantizer: Quantizer,
    sums: Vec<f64>,
    /// A histogram over the upper bits of |x - mean|, which finds the percentile to 1 part in 128.
    counts: Vec<u32>,
    codes: Vec<u8>,
    /// Rows looked at, each time.
    looked: usize,
}

impl Training {
    pub(super) fn new(
        rows: usize,
        dimensions: usize,
        metric: Metric,
        is_outgrown: bool,
    ) -> Result<Self, OutOfMemory> {
        let quantizer = Quantizer {
            mean: filled(dimensions, 0.0)?,
            scale: 1.0,
            trained_rows: rows as u64,
            trained_energy: 0.0,
            fit: Fit::default(),
            last_saturated: 0,
        };
        Ok(Self {
            rows,
            metric,
            headroom: if is_outgrown { HEADROOM } else { 1.0 },
            quantizer,
            sums: filled(dimensions, 0.0)?,
            counts: filled(1 << 16, 0)?,
            codes: filled(stride(dimensions), 0)?,
            // The inner product has no mean.
            looked: if metric == Metric::Dot { rows.min(SAMPLE_ROWS) } else { 0 },
        })
    }

    pub(crate) fn bytes(&self) -> usize {
        4 * (self.counts.capacity() + self.quantizer.mean.capacity())
            + 8 * self.sums.capacity()
            + self.codes.capacity()
    }

    /// Looks at some rows; the quantizer, after the last.
    #[inline(never)]
    pub(crate) fn step(&mut self, vectors: &Vectors) -> Option<Quantizer> {
        let sample = self.rows.min(SAMPLE_ROWS);
        let (time, first) = (self.looked / sample, self.looked % sample);
        let end = sample.min(first + UNIT_ROWS);
        let quantizer = &mut self.quantizer;
        for row in (first..end).map(|i| vectors.row(i * self.rows / sample)) {
            match time {
                0 => self.sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x)),
                1 => {
                    for (x, m) in row.iter().zip(&quantizer.mean) {
                        self.counts[((x - m).abs().to_bits() >> 16) as usize] += 1;
                    }
                }
                _ => quantizer.encode(row, self.metric, &mut self.codes),
            }
        }
        self.looked += end - first;
        if end < sample {
            return None;
        }
        match time {
            0 => {
                let means = self.sums.iter().map(|sum| (sum / sample as f64) as f32);
                quantizer.mean.iter_mut().zip(means).for_each(|(m, mean)| *m = mean);
                None
            }
            1 => {
                self.set_scale(sample);
                None
            }
            _ => {
                let fit = std::mem::take(&mut quantizer.fit);
                quantizer.last_saturated = 0;
                quantizer.trained_energy = fit.energy as f64 / fit.components(quantizer.mean.len());
                let mean = std::mem::take(&mut quantizer.mean);
                Some(Quantizer { mean, ..*quantizer })
            }
        }
    }

    fn set_scale(&mut self, sample: usize) {
        let fitting = (sample as f64 * self.sums.len() as f64 * FITTING) as u64;
        let mut below = 0;
        let bin = self.counts.iter().position(|count| {
            below += u64::from(*count);
            below > fitting
        });
        let largest = f32::from_bits(((bin.unwrap_or(0) as u32) << 16) | 0xffff);
        // All rows equal: any scale will do. Extremes of f32 stay inside what a float can divide.
        let scale = CENTRE as f32 / self.headroom / largest.clamp(1e-30, 1e30);
        self.quantizer.scale = scale.min(1e30);
    }
}

/// The sum of `(code - 63)^2` of a row, all of it in integers, from the sum of its codes and that of their squares.
pub(super) fn energy_of(sum: u32, squares: u32, dimensions: usize) -> u64 {
    u64::from(squares) + u64::from(CENTRE * CENTRE) * codes_of(dimensions) as u64
        - 2 * u64::from(CENTRE) * u64::from(sum)
}

/// Whether all of these bytes are codes.
pub(crate) fn are_codes(bytes: &[u8]) -> bool {
    bytes.iter().all(|code| f32::from(*code) <= TOP)
}

/// What of a row enters its distances beside the products.
pub(super) fn term_of(sum: u32, squares: u32, metric: Metric) -> u32 {
    if metric == Metric::Dot { CENTRE * sum } else { squares }
}

/// Writes what follows the codes of a row: its term, with `extra` for squared L2. Returns the codes' sum and the sum
/// of their squares.
pub(super) fn write_tail(
    out: &mut [u8],
    dimensions: usize,
    metric: Metric,
    extra: u32,
) -> (u32, u32) {
    let (sum, squares) = rows::sums(&out[..codes_of(dimensions)]);
    let extra = if metric == Metric::Dot { 0 } else { extra };
    let term = term_of(sum, squares, metric) + extra;
    let tail = out.len() - TAIL;
    out[tail..].copy_from_slice(&term.to_le_bytes());
    (sum, squares)
}

/// How often a row is coded: as often as fits a cache line, in sixteens and with the tail.
pub(super) fn copies(dimensions: usize) -> usize {
    ((LINE - 16) / dimensions).max(1)
}

/// Codes of a row, in all copies.
pub(super) fn codes_of(dimensions: usize) -> usize {
    copies(dimensions) * dimensions
}

/// Bytes a row of codes takes.
pub(super) fn stride(dimensions: usize) -> usize {
    (padded(dimensions) + TAIL).next_multiple_of(LINE)
}

/// Codes a kernel reads: it works in sixteens, and the padding is zero.
pub(super) fn padded(dimensions: usize) -> usize {
    codes_of(dimensions).next_multiple_of(16)
}
