//! Finding axes along which rows differ most.
//!
//! ```text
//! Turn, Gram                  sums of products of every two dimensions, over a sample: a matrix product of codes
//! Multiply, Orthogonalise     axes, some at a time, by subspace iteration
//! Project, Compare            of the sample's nearest rows, how many do sketches find? Enough, or more axes
//! ```
//!
//! Sources: principal axes by randomised subspace iteration (Halko, Martinsson & Tropp 2011, algorithm 4.4).
//! Parameters were measured on the data sets of `docs/benchmarks`.

use super::PAIRS_PER_DISTANCE;
use super::axes::{self, Axes, Scratch};
use super::leaf::Leaf;
use crate::config::Metric;
use crate::distance::rows::{add_multiple, product, weighted_sum};
use crate::distance::{sort, tile};
use crate::error::OutOfMemory;
use crate::memory::{filled, numbers};
use crate::vectors::codes::Codes;
use crate::vectors::panels::Panels;
use crate::vectors::quantizer::CENTRE;

/// Rows that axes are found from.
const SAMPLE: usize = 2048;
/// Axes that are tried first, and how many are added each time: with them a row and its term fill cache lines.
pub(super) const FIRST: usize = 112;
const MORE: usize = 64;
/// Times that new axes are multiplied with the products of dimensions.
const ROUNDS: usize = 2;
/// Standard deviations along the axis along which rows differ most that codes have room for.
const DEVIATIONS: f32 = 4.0;

/// Sketches are good when of the `NEIGHBOURS` nearest rows of `QUERIES` of the sample the share `ENOUGH` is among
/// the `WITHIN` nearest by sketches. Searches of an index of 60,000 rows of WordNet that was built by 112 axes, whose
/// share is 0.91, need 22 % more distances at a recall of 0.995 than of one built by codes; by 176 axes, whose share is
/// 0.98, 3 % more, as for Fashion-MNIST by 112 with 0.99: means of six seeds. With half as many
/// queries it was found to be anything from 0.87 to 0.93.
const QUERIES: usize = 64;
const NEIGHBOURS: usize = 10;
const WITHIN: usize = 16;
const ENOUGH: f64 = 0.95;

/// Dimensions turned, and rows multiplied or projected, in a unit of work.
const UNIT_TURNED: usize = 16;
const UNIT_ROWS: usize = 16;
const UNIT_PROJECTED: usize = 64;
/// Queries whose neighbours are looked for in one.
const UNIT_QUERIES: usize = 16;
/// Products of floats in a matrix and of two vectors, components turned, and products of codes that take the time of a
/// distance.
const MULTIPLIED_PER_DISTANCE: usize = 160;
const PRODUCTS_PER_DISTANCE: usize = 48;
const TURNED_PER_DISTANCE: usize = 8;
const CODES_PER_DISTANCE: usize = 1536;
/// What of a training is under way; the number is what is next.
#[derive(Clone, Copy)]
enum Step {
    Turn(usize),
    Gram(usize),
    Multiply(usize),
    Orthogonalise(usize),
    Project(usize),
    Compare(usize),
    Done,
}

/// Axes being found.
pub(super) struct Training {
    dimensions: usize,
    sample: Vec<u32>,
    /// The sample's codes, a row for each dimension.
    turned: Codes,
    panels: Panels,
    scratch: Scratch,
    /// Sums over the sample of products of every two dimensions, a row for each.
    gram: Vec<f32>,
    step: Step,
    /// The axes found so far, one after another, and how many of them are final.
    found: Vec<f32>,
    settled: usize,
    round: usize,
    /// Those that are not final, a component of all one after another; and their product with `gram`.
    new: Vec<f32>,
    product: Vec<f32>,
    axes: Option<Axes>,
    /// The sample's sketches, and the share of near rows found by them and by those before.
    trial: Codes,
    hits: usize,
    share_before: f64,
    leaf: Leaf,
}

impl Training {
    pub(super) fn new(codes: &Codes, nodes: usize) -> Result<Self, OutOfMemory> {
        let dimensions = codes.dimensions();
        let mut sample = filled(SAMPLE, 0u32)?;
        for (place, node) in sample.iter_mut().enumerate() {
            *node = (place * nodes / SAMPLE) as u32;
        }
        Ok(Self {
            dimensions,
            sample,
            turned: Codes::new(SAMPLE, Metric::Dot),
            panels: Panels::default(),
            scratch: Scratch::default(),
            gram: Vec::new(),
            step: Step::Turn(0),
            found: Vec::new(),
            settled: 0,
            round: 0,
            new: Vec::new(),
            product: Vec::new(),
            axes: None,
            trial: Codes::new(1, codes.metric()),
            hits: 0,
            share_before: 0.0,
            leaf: Leaf::default(),
        })
    }

    pub(super) fn bytes(&self) -> usize {
        let floats = [&self.gram, &self.found, &self.new, &self.product];
        let floats = floats.map(|floats| 4 * floats.capacity()).iter().sum::<usize>();
        let tables =
            [self.turned.bytes(), self.trial.bytes(), self.panels.bytes(), self.leaf.bytes()];
        floats + tables.iter().sum::<usize>()
    }

    pub(super) fn is_done(&self) -> bool {
        matches!(self.step, Step::Done)
    }

    /// A number for what is next, from 1 on.
    pub(super) fn part(&self) -> u8 {
        match self.step {
            Step::Turn(_) => 1,
            Step::Gram(_) => 2,
            Step::Multiply(_) => 3,
            Step::Orthogonalise(_) => 4,
            Step::Project(_) => 5,
            Step::Compare(_) => 6,
            Step::Done => 7,
        }
    }

    /// The axes, if there are any.
    pub(super) fn into_axes(self) -> Option<Axes> {
        self.axes
    }

    /// Does the next unit of work and returns what it cost in distances, about.
    pub(super) fn step(&mut self, codes: &Codes) -> Result<usize, OutOfMemory> {
        let dimensions = self.dimensions;
        match self.step {
            Step::Turn(next) => {
                let end = dimensions.min(next + UNIT_TURNED);
                self.turned.reserve(end)?;
                let mut rows = filled((end - next) * SAMPLE, 0u8)?;
                for (place, node) in self.sample.iter().enumerate() {
                    let dimensions = &codes.row(*node).0[next..end];
                    for (code, row) in dimensions.iter().zip(rows.chunks_mut(SAMPLE)) {
                        row[place] = *code;
                    }
                }
                for (dimension, row) in (next..end).zip(rows.chunks(SAMPLE)) {
                    self.turned.set_row(dimension, row, 0);
                }
                self.step = Step::Turn(end);
                if end == dimensions {
                    self.panels.pack(&self.turned, &numbers(0..dimensions)?)?;
                    self.step = Step::Gram(0);
                }
                Ok(UNIT_TURNED * SAMPLE / TURNED_PER_DISTANCE)
            }
            Step::Gram(next) => {
                let end = dimensions.min(next + tile::rows());
                self.turned.load_block(&numbers(next..end)?, &mut self.scratch.block);
                let distances = &mut self.scratch.distances;
                let stride = self.panels.compare(&self.scratch.block, distances);
                if next == 0 {
                    self.gram.try_reserve_exact(dimensions * dimensions)?;
                }
                self.gram.resize(end * dimensions, 0.0);
                let rows = self.gram[next * dimensions..end * dimensions].chunks_mut(dimensions);
                for (row, distances) in rows.zip(distances.chunks(stride)) {
                    // A distance of inner products is moved up by this.
                    let moved = (CENTRE * CENTRE) as i32 * SAMPLE as i32;
                    let all = row.iter_mut().zip(distances);
                    all.for_each(|(x, distance)| *x = (moved - *distance as i32) as f32);
                }
                self.step = Step::Gram(end);
                if end == dimensions {
                    self.scale_gram();
                    self.add_axes(FIRST)?;
                }
                Ok(tile::rows() * dimensions * SAMPLE / CODES_PER_DISTANCE)
            }
            Step::Multiply(next) => {
                let width = self.new.len() / dimensions;
                let end = dimensions.min(next + UNIT_ROWS);
                for row in next..end {
                    let weights = &self.gram[row * dimensions..(row + 1) * dimensions];
                    let out = &mut self.product[row * width..(row + 1) * width];
                    weighted_sum(out, weights, &self.new);
                }
                self.step = Step::Multiply(end);
                if end == dimensions {
                    let axes = self.found[self.settled * dimensions..].chunks_mut(dimensions);
                    turn(&self.product, axes, width);
                    self.step = Step::Orthogonalise(self.settled);
                }
                Ok(UNIT_ROWS * width * dimensions / MULTIPLIED_PER_DISTANCE)
            }
            Step::Orthogonalise(next) => {
                let (before, rest) = self.found.split_at_mut(next * dimensions);
                if let Some(axis) = rest.get_mut(..dimensions) {
                    orthogonalise(axis, before);
                    self.step = Step::Orthogonalise(next + 1);
                } else {
                    self.finish_round(codes)?;
                }
                Ok(2 * next * dimensions / PRODUCTS_PER_DISTANCE)
            }
            Step::Project(next) => {
                let Some(axes) = &self.axes else { return Ok(0) };
                let end = SAMPLE.min(next + UNIT_PROJECTED);
                let sketches = axes.sketch(codes, &self.sample[next..end], &mut self.scratch)?;
                axes.keep(&sketches, &mut self.trial, next);
                self.step = if end == SAMPLE { Step::Compare(0) } else { Step::Project(end) };
                Ok(axes::cost_of(end - next, axes.len()) as usize)
            }
            Step::Compare(next) => {
                let pairs = self.compare(next, codes)?;
                self.step = Step::Compare(next + UNIT_QUERIES);
                if next + UNIT_QUERIES == QUERIES {
                    self.judge()?;
                }
                Ok(pairs / PAIRS_PER_DISTANCE as usize)
            }
            Step::Done => Ok(0),
        }
    }

    /// Divides the products of dimensions by the sum of the squares, so that no power of them overflows.
    fn scale_gram(&mut self) {
        let squares = self.gram.iter().step_by(self.dimensions + 1).sum::<f32>();
        let factor = 1.0 / squares.max(1.0);
        self.gram.iter_mut().for_each(|x| *x *= factor);
    }

    /// Begins with so many axes more, in random directions.
    fn add_axes(&mut self, count: usize) -> Result<(), OutOfMemory> {
        let first = self.found.len();
        self.found.try_reserve_exact(count * self.dimensions)?;
        self.found.resize(first + count * self.dimensions, 0.0);
        self.new = filled(count * self.dimensions, 0.0)?;
        self.product = filled(count * self.dimensions, 0.0)?;
        for (place, x) in (first as u64..).zip(&mut self.new) {
            let mixed = (place + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mixed = (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            *x = if mixed >> 63 == 0 { 1.0 } else { -1.0 };
        }
        self.round = 0;
        self.step = Step::Multiply(0);
        Ok(())
    }

    /// Goes on when all new axes are orthogonal: to the next round, or to trying them.
    fn finish_round(&mut self, codes: &Codes) -> Result<(), OutOfMemory> {
        let dimensions = self.dimensions;
        self.round += 1;
        if self.round < ROUNDS {
            let (axes, new) = (&self.found[self.settled * dimensions..], &mut self.new);
            turn(axes, new.chunks_mut(axes.len() / dimensions), dimensions);
            self.step = Step::Multiply(0);
            return Ok(());
        }
        self.settled = self.found.len() / dimensions;
        let mut axes = Axes::new(&self.found, dimensions)?;
        let mut squares = filled(axes.len(), 0.0f32)?;
        for node in self.sample.iter().step_by(SAMPLE / UNIT_PROJECTED) {
            axes.project(codes, &[*node], &mut self.scratch)?;
            let all = squares.iter_mut().zip(self.scratch.projections());
            all.for_each(|(sum, x)| *sum += x * x);
        }
        let largest = squares.iter().fold(0.0f32, |largest, x| largest.max(*x));
        let deviation = (largest / UNIT_PROJECTED as f32).sqrt();
        axes.set_scale(CENTRE as f32 / (DEVIATIONS * deviation).max(CENTRE as f32 / 8.0));
        self.trial = Codes::new(axes.len(), codes.metric());
        self.trial.reserve(SAMPLE)?;
        self.axes = Some(axes);
        self.step = Step::Project(0);
        Ok(())
    }

    /// Counts how many of the rows nearest to some of the sample, from this query on, are near by sketches too.
    fn compare(&mut self, first: usize, codes: &Codes) -> Result<usize, OutOfMemory> {
        let Self { leaf, sample, trial, .. } = self;
        let places = numbers(first..first + UNIT_QUERIES)?.into_iter();
        let places = places.map(|query| query * (SAMPLE / QUERIES) as u32).collect::<Vec<_>>();
        let nodes = places.iter().map(|place| sample[*place as usize]).collect::<Vec<_>>();
        let (mut near, mut nearest) = (Vec::new(), Vec::new());
        let mut pairs = leaf.compare(&places, &numbers(0..SAMPLE)?, trial)?;
        for query in 0..UNIT_QUERIES {
            few_nearest(leaf, query, WITHIN, &mut nearest);
            near.extend(nearest.iter().map(|key| sample[*key as u32 as usize]));
        }
        pairs += leaf.compare(&nodes, sample, codes)?;
        for (query, near) in near.chunks(WITHIN).enumerate() {
            few_nearest(leaf, query, NEIGHBOURS, &mut nearest);
            self.hits += nearest.iter().filter(|key| near.contains(&(**key as u32))).count();
        }
        Ok(pairs)
    }

    /// Whether the axes are enough; else there are more, or none.
    fn judge(&mut self) -> Result<(), OutOfMemory> {
        let share = std::mem::take(&mut self.hits) as f64 / (QUERIES * NEIGHBOURS) as f64;
        let grown = share - std::mem::replace(&mut self.share_before, share);
        if share >= ENOUGH {
            self.step = Step::Done;
            return Ok(());
        }
        // What more axes add becomes less and less.
        let times = (self.dimensions / 2 - self.settled) / MORE;
        if share + times as f64 * grown < ENOUGH {
            self.axes = None;
            self.step = Step::Done;
            return Ok(());
        }
        self.add_axes(MORE)
    }
}

/// Exactly `count` of the sample's rows nearest to an asker, the nearest first.
fn few_nearest(leaf: &mut Leaf, asker: usize, count: usize, nearest: &mut Vec<u64>) {
    nearest.clear();
    nearest.extend(leaf.pick(asker, SAMPLE, count, u32::MAX));
    sort(nearest);
    nearest.truncate(count);
}

/// Writes the columns of a matrix, whose rows are `width` long, as rows.
fn turn<'a>(from: &[f32], rows: impl Iterator<Item = &'a mut [f32]>, width: usize) {
    for (column, row) in rows.enumerate() {
        let values = from[column..].iter().step_by(width);
        row.iter_mut().zip(values).for_each(|(x, value)| *x = *value);
    }
}

/// Makes a vector orthogonal to others, which are so to each other and of length 1, and gives it length 1; zeros
/// where nothing of it is left (modified Gram-Schmidt).
fn orthogonalise(own: &mut [f32], others: &[f32]) {
    for other in others.chunks(own.len()) {
        let part = product(other, own);
        add_multiple(own, -part, other);
    }
    let length = product(own, own).sqrt();
    let factor = if length > 1e-12 { 1.0 / length } else { 0.0 };
    own.iter_mut().for_each(|x| *x *= factor);
}
