//! The axes of sketches, and the way from a row's codes to its sketch.
//!
//! An axis is coded like a row, in 127 steps, so that projecting rows is a matrix product of codes.

use super::share::{Reader, Words};
use crate::config::Metric;
use crate::distance::rows::{encode, product};
use crate::distance::tile::{self, Block};
use crate::error::OutOfMemory;
use crate::memory::{filled, numbers};
use crate::vectors::codes::Codes;
use crate::vectors::panels::Panels;
use crate::vectors::quantizer::{CENTRE, are_codes};

/// What a projection of 0 is coded as, before it is rounded down.
const MIDDLE: f32 = CENTRE as f32 + 0.5;
/// Bytes behind the codes of a sketch: what is added to squared distances.
const REST: usize = 4;
/// More is added to no distance of a row: sums of two stay in 32 bits.
const MOST_REST: u32 = 1 << 29;
/// Axes projected on that take the time of a distance.
const AXES_PER_DISTANCE: usize = 2;

/// Distances that sketching so many rows costs, about.
pub(super) fn cost_of(rows: usize, axes: usize) -> u64 {
    (rows * axes / AXES_PER_DISTANCE) as u64
}

/// Memory for projecting, used again.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) block: Block,
    pub(super) distances: Vec<u32>,
    projections: Vec<f32>,
}

impl Scratch {
    /// What was projected last: for each node its place along each axis, in steps of the codes.
    pub(super) fn projections(&self) -> &[f32] {
        &self.projections
    }
}

/// Axes, and the way from a row's codes to its sketch.
pub(super) struct Axes {
    /// The axes' components in steps of `unit`, moved up to be codes, one axis after another.
    steps: Vec<u8>,
    /// The same packed, and a row of ones behind them.
    panels: Panels,
    /// What moving up adds to a product, for each axis.
    shifts: Vec<i32>,
    /// Of projections: none, for rows' codes have none.
    means: Vec<f32>,
    unit: f32,
    /// Steps of a sketch in a step of a code.
    scale: f32,
}

impl Axes {
    /// Of `axes`, one after another.
    pub(super) fn new(axes: &[f32], dimensions: usize) -> Result<Self, OutOfMemory> {
        let unit = axes.iter().fold(0.0f32, |largest, x| largest.max(x.abs())) / CENTRE as f32;
        let unit = if unit > 0.0 { unit } else { 1.0 };
        let mut steps = filled(axes.len(), 0u8)?;
        for (step, x) in steps.iter_mut().zip(axes) {
            *step = ((x / unit).round() as i32 + CENTRE as i32) as u8;
        }
        Self::packed(steps, dimensions, unit, 1.0)
    }

    fn packed(
        steps: Vec<u8>,
        dimensions: usize,
        unit: f32,
        scale: f32,
    ) -> Result<Self, OutOfMemory> {
        let centre = CENTRE as i32;
        let count = steps.len() / dimensions;
        let mut shifts = filled(count, 0)?;
        let mut rows = Codes::new(dimensions, Metric::Dot);
        rows.reserve(count + 1)?;
        for (number, (axis, shift)) in steps.chunks(dimensions).zip(&mut shifts).enumerate() {
            *shift = axis.iter().map(|step| centre * (i32::from(*step) - centre)).sum();
            rows.set_row(number, axis, 0);
        }
        rows.set_row(count, &filled(dimensions, 1)?, 0);
        let mut panels = Panels::default();
        panels.pack(&rows, &numbers(0..count + 1)?)?;
        Ok(Self { steps, panels, shifts, means: filled(count, 0.0)?, unit, scale })
    }

    pub(super) fn bytes(&self) -> usize {
        self.panels.bytes() + self.steps.capacity()
    }

    #[cfg(test)]
    pub(super) fn scale(&self) -> f32 {
        self.scale
    }

    pub(super) fn set_scale(&mut self, scale: f32) {
        self.scale = scale;
    }

    pub(super) fn len(&self) -> usize {
        self.shifts.len()
    }

    /// Writes the projections of at most as many nodes as a tile has rows to `scratch`, in steps of the codes.
    #[inline(never)]
    pub(super) fn project(
        &self,
        codes: &Codes,
        nodes: &[u32],
        scratch: &mut Scratch,
    ) -> Result<(), OutOfMemory> {
        let Scratch { block, distances, projections } = scratch;
        codes.load_block(nodes, block);
        let stride = self.panels.compare(block, distances);
        projections.clear();
        projections.try_reserve(nodes.len() * self.len())?;
        for (node, distances) in nodes.iter().zip(distances.chunks(stride)) {
            let term = codes.row(*node).1;
            let multiplied = |(other, distance): (&u32, &u32)| {
                (term.wrapping_add(*other).wrapping_sub(*distance) >> (codes.dots() - 1)) as i32
            };
            let mut products = self.panels.terms().iter().zip(distances).map(multiplied);
            // The last row is of ones: what moving the axes up adds to each.
            let ones = products.next_back().unwrap_or(0) * CENTRE as i32;
            let places = products.zip(&self.shifts);
            projections.extend(places.map(|(x, shift)| (x - ones - shift) as f32 * self.unit));
        }
        Ok(())
    }

    /// The sketches of some nodes: codes, and what is added to squared distances, for each.
    #[inline(never)]
    pub(super) fn sketch(
        &self,
        codes: &Codes,
        nodes: &[u32],
        scratch: &mut Scratch,
    ) -> Result<Vec<u8>, OutOfMemory> {
        let mut out = Vec::new();
        out.try_reserve_exact(nodes.len() * (self.len() + REST))?;
        for nodes in nodes.chunks(tile::rows()) {
            self.project(codes, nodes, scratch)?;
            for (node, projections) in nodes.iter().zip(scratch.projections.chunks(self.len())) {
                let energy = product(projections, projections);
                let first = out.len();
                out.resize(first + self.len(), 0);
                encode(&mut out[first..], projections, &self.means, self.scale, MIDDLE);
                let rest = (codes.energy(*node) as f32 - energy).max(0.0);
                out.extend(((rest * self.scale * self.scale) as u32).to_le_bytes());
            }
        }
        Ok(out)
    }

    /// Keeps sketches as rows from `first` on; returns the row behind them.
    #[inline(never)]
    pub(super) fn keep(&self, sketches: &[u8], rows: &mut Codes, first: usize) -> usize {
        let mut row = first;
        for (codes, rest) in self.each(sketches) {
            rows.set_row(row, codes, rest);
            row += 1;
        }
        row
    }

    /// The codes of each sketch, and what is added to its squared distances.
    fn each<'a>(&self, sketches: &'a [u8]) -> impl Iterator<Item = (&'a [u8], u32)> + use<'a> {
        let sketches = sketches.chunks_exact(self.len() + REST);
        let split = sketches.filter_map(|sketch| sketch.split_last_chunk::<REST>());
        split.map(|(codes, rest)| (codes, u32::from_le_bytes(*rest)))
    }

    /// Whether these are the sketches of so many rows, or could be.
    pub(super) fn are_sketches(&self, bytes: &[u8], rows: usize) -> bool {
        bytes.len() == rows * (self.len() + REST)
            && self.each(bytes).all(|(codes, rest)| rest < MOST_REST && are_codes(codes))
    }

    /// Writes the axes for [`work`].
    pub(super) fn write(&self, out: &mut Words) {
        out.push(self.unit.to_bits() as usize);
        out.push(self.scale.to_bits() as usize);
        out.bytes(&self.steps);
    }
}

/// Makes sketches that [`Sketches`](super::sketch::Sketches) gave away. The axes are kept for the next.
pub(super) fn work(
    words: &mut Reader<'_>,
    axes: &mut Option<Axes>,
    codes: &Codes,
    scratch: &mut Scratch,
    out: &mut Words,
) -> Result<Option<()>, OutOfMemory> {
    let (Some(unit), Some(scale), Some(steps)) = (words.one(), words.one(), words.bytes()) else {
        return Ok(None);
    };
    let (Some(start), Some(end)) = (words.one(), words.one()) else { return Ok(None) };
    let dimensions = codes.dimensions();
    let are_axes = (1..=dimensions).contains(&(steps.len() / dimensions))
        && steps.len() % dimensions == 0
        && are_codes(&steps);
    if !are_axes || start > end || !words.has(end) {
        return Ok(None);
    }
    let (unit, scale) = (f32::from_bits(unit), f32::from_bits(scale));
    let is_known = |own: &&Axes| own.steps == steps && (own.unit, own.scale) == (unit, scale);
    let axes = match axes.take().filter(|own| is_known(&own)) {
        Some(own) => axes.insert(own),
        None => axes.insert(Axes::packed(steps, dimensions, unit, scale)?),
    };
    out.bytes(&axes.sketch(codes, &numbers(start as usize..end as usize)?, scratch)?);
    Ok(Some(()))
}
