//! Rows on the few axes along which they differ most, for what compares very many pairs.
//!
//! A build compares a row with thousands of others, most of them far away. That is done by *sketches*: the rows'
//! projections on their principal axes, coded like rows, a third to a seventh as long for embeddings. What a row
//! has beside the axes is a length, which is added to its squared distances: two rows' rests are nearly at right
//! angles. Links are chosen by whole codes.
//!
//! ```text
//! Turn, Gram                  sums of products of every two dimensions, over a sample: a matrix product of codes
//! Multiply, Orthogonalise     axes, some at a time, by subspace iteration
//! Project, Compare            of the sample's nearest rows, how many do sketches find? Enough, or more axes
//! ```
//!
//! Where a row needs more axes than half its dimensions there are no sketches; rows without a structure, such
//! as random ones, are like that. Sketches follow from the codes and the number of nodes that the partition was
//! drawn from, so they are not stored; all sums are of integers or added up in one order, so they are the same on
//! every platform.
//!
//! Sources: principal axes by randomised subspace iteration (Halko, Martinsson & Tropp 2011, algorithm 4.4).
//! Parameters were measured on the data sets of `docs/benchmarks`.

use super::PAIRS_PER_DISTANCE;
use super::leaf::Leaf;
use super::team::{Pool, Team};
use crate::config::Metric;
use crate::distance::{
    self,
    rows::{add_multiple, encode, product, weighted_sum},
    tile::{self, Block},
};
use crate::error::OutOfMemory;
use crate::memory::{filled, numbers};
use crate::vectors::codes::Codes;
use crate::vectors::panels::Panels;
use crate::vectors::quantizer::CENTRE;

/// Rows that axes are found from.
const SAMPLE: usize = 2048;
/// Axes that are tried first, and how many are added each time: with them a row and its term fill cache lines.
const FIRST: usize = 112;
const MORE: usize = 64;
/// Longer rows have no sketches: finding axes takes the square of their length.
const MOST_DIMENSIONS: usize = 2048;
/// Times that new axes are multiplied with the products of dimensions.
const ROUNDS: usize = 2;
/// Standard deviations along the axis along which rows differ most that codes have room for.
const DEVIATIONS: f32 = 4.0;

/// What a projection of 0 is coded as, before it is rounded down.
const MIDDLE: f32 = CENTRE as f32 + 0.5;

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
/// Units that a team does at once, for each of its threads.
const TEAM_UNITS: usize = 16;
/// Bytes behind the codes of a sketch: what is added to squared distances.
const REST: usize = 4;
/// Distances that sketching a row costs, about.
pub(super) const EXPECTED_COST: u64 = (FIRST / AXES_PER_DISTANCE) as u64;
/// Products of floats in a matrix and of two vectors, components turned, axes projected on, and products of codes that
/// take the time of a distance.
const MULTIPLIED_PER_DISTANCE: usize = 160;
const PRODUCTS_PER_DISTANCE: usize = 48;
const TURNED_PER_DISTANCE: usize = 8;
const AXES_PER_DISTANCE: usize = 2;
const CODES_PER_DISTANCE: usize = 1536;

/// What rows are compared by: many pairs by what is near enough, some exactly. The same where there are no
/// sketches.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) near: &'a Codes,
    pub(super) exact: &'a Codes,
}

impl<'a> Rows<'a> {
    pub(super) fn new(codes: &'a Codes, sketches: Option<&'a Codes>) -> Self {
        Self { near: sketches.unwrap_or(codes), exact: codes }
    }

    pub(super) fn are_exact(self) -> bool {
        std::ptr::eq(self.near, self.exact)
    }
}

/// The sketches of an index's rows.
pub(crate) struct Sketches {
    drawn_from: usize,
    training: Option<Box<Training>>,
    axes: Option<Axes>,
    rows: Codes,
    /// Rows that have a sketch.
    done: usize,
    memory: Pool<Scratch>,
}

impl Sketches {
    /// Sketches to be, on axes found from the nodes `0..drawn_from`.
    pub(super) fn new(codes: &Codes, drawn_from: usize) -> Result<Self, OutOfMemory> {
        let training = if can_be(codes.dimensions(), drawn_from) {
            Some(Box::new(Training::new(codes, drawn_from)?))
        } else {
            None
        };
        Ok(Self {
            drawn_from,
            training,
            axes: None,
            rows: Codes::new(1, codes.metric()),
            done: 0,
            memory: Pool::default(),
        })
    }

    /// From how many nodes the axes were found.
    pub(crate) fn drawn_from(&self) -> usize {
        self.drawn_from
    }

    pub(crate) fn bytes(&self) -> usize {
        let training = self.training.as_ref().map_or(0, |training| training.bytes());
        let axes = self.axes.as_ref().map_or(0, |axes| axes.panels.bytes());
        training + axes + self.rows.bytes()
    }

    /// Forgets the sketches of the rows from `rows` on.
    pub(crate) fn shrink(&mut self, rows: usize) {
        self.done = self.done.min(rows);
        self.rows.shrink(self.done);
    }

    /// Whether there is nothing to be done until there are more than `rows` rows.
    pub(super) fn are_done(&self, rows: usize) -> bool {
        self.training.is_none() && (self.axes.is_none() || self.done >= rows)
    }

    /// A number for what is next: part of the training, or sketches.
    pub(super) fn part(&self) -> u8 {
        self.training.as_ref().map_or(0, |training| match training.step {
            Step::Turn(_) => 1,
            Step::Gram(_) => 2,
            Step::Multiply(_) => 3,
            Step::Orthogonalise(_) => 4,
            Step::Project(_) => 5,
            Step::Compare(_) => 6,
            Step::Done => 7,
        })
    }

    /// How many rows have a sketch.
    pub(super) fn done(&self) -> usize {
        self.done
    }

    /// The sketches, if there are any.
    pub(super) fn rows(&self) -> Option<&Codes> {
        self.axes.as_ref().map(|_| &self.rows)
    }

    /// Does the next unit of work for the rows `0..rows` and returns what it cost in distances.
    pub(super) fn step(
        &mut self,
        codes: &Codes,
        rows: usize,
        team: &Team,
    ) -> Result<u64, OutOfMemory> {
        if let Some(training) = &mut self.training {
            let cost = training.step(codes)?;
            if training.is_done() {
                self.axes = self.training.take().and_then(|training| training.axes);
                let axes = self.axes.as_ref().map_or(1, Axes::len);
                self.rows = Codes::new(axes, codes.metric());
            }
            return Ok(cost as u64 + 1);
        }
        let Some(axes) = &self.axes else { return Ok(0) };
        let portion = if team.threads() == 1 { 1 } else { team.threads() * TEAM_UNITS };
        let end = rows.min(self.done + portion * UNIT_PROJECTED);
        self.rows.reserve(end)?;
        let nodes = numbers(self.done..end)?;
        let units = 0..nodes.len().div_ceil(UNIT_PROJECTED);
        let sketched = team.map(units, |unit| {
            let nodes = &nodes[unit * UNIT_PROJECTED..];
            let nodes = &nodes[..nodes.len().min(UNIT_PROJECTED)];
            self.memory.with(|scratch| axes.sketch(codes, nodes, scratch))
        });
        for sketched in sketched {
            self.done = axes.keep(&sketched?, &mut self.rows, self.done);
        }
        Ok((portion * UNIT_PROJECTED * axes.len() / AXES_PER_DISTANCE) as u64)
    }
}

/// Whether an index's rows may have sketches on axes that are found from so many nodes: below, finding them would
/// take longer than they save.
pub(super) fn can_be(dimensions: usize, drawn_from: usize) -> bool {
    (2 * FIRST..=MOST_DIMENSIONS).contains(&dimensions) && drawn_from > super::LARGE
}

/// Memory for projecting, used again.
#[derive(Default)]
struct Scratch {
    block: Block,
    distances: Vec<u32>,
    projections: Vec<f32>,
}

/// Axes, and the way from a row's codes to its sketch.
struct Axes {
    /// The axes' components in steps of `unit`, moved up to be codes, and a row of ones behind them.
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
    fn new(axes: &[f32], dimensions: usize) -> Result<Self, OutOfMemory> {
        let centre = CENTRE as i32;
        let count = axes.len() / dimensions;
        let unit = axes.iter().fold(0.0f32, |largest, x| largest.max(x.abs())) / CENTRE as f32;
        let unit = if unit > 0.0 { unit } else { 1.0 };
        let mut rows = Codes::new(dimensions, Metric::Dot);
        rows.reserve(count + 1)?;
        let mut shifts = filled(count, 0)?;
        let mut row = filled(dimensions, 0u8)?;
        for (number, (axis, shift)) in axes.chunks(dimensions).zip(&mut shifts).enumerate() {
            for (code, x) in row.iter_mut().zip(axis) {
                let step = (x / unit).round() as i32;
                *shift += centre * step;
                *code = (step + centre) as u8;
            }
            rows.set_row(number, &row, 0);
        }
        row.fill(1);
        rows.set_row(count, &row, 0);
        let mut panels = Panels::default();
        panels.pack(&rows, &numbers(0..count + 1)?)?;
        Ok(Self { panels, shifts, means: filled(count, 0.0)?, unit, scale: 1.0 })
    }

    fn len(&self) -> usize {
        self.shifts.len()
    }

    /// Writes the projections of at most as many nodes as a tile has rows to `scratch`, in steps of the codes.
    #[inline(never)]
    fn project(
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
    fn sketch(
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
    fn keep(&self, sketches: &[u8], rows: &mut Codes, first: usize) -> usize {
        let mut row = first;
        for sketch in sketches.chunks_exact(self.len() + REST) {
            if let Some((codes, rest)) = sketch.split_last_chunk() {
                rows.set_row(row, codes, u32::from_le_bytes(*rest));
                row += 1;
            }
        }
        row
    }
}

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
struct Training {
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
    fn new(codes: &Codes, nodes: usize) -> Result<Self, OutOfMemory> {
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

    fn bytes(&self) -> usize {
        let floats = [&self.gram, &self.found, &self.new, &self.product];
        let floats = floats.map(|floats| 4 * floats.capacity()).iter().sum::<usize>();
        let tables =
            [self.turned.bytes(), self.trial.bytes(), self.panels.bytes(), self.leaf.bytes()];
        floats + tables.iter().sum::<usize>()
    }

    fn is_done(&self) -> bool {
        matches!(self.step, Step::Done)
    }

    /// Does the next unit of work and returns what it cost in distances, about.
    fn step(&mut self, codes: &Codes) -> Result<usize, OutOfMemory> {
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
                Ok(UNIT_PROJECTED * axes.len() / AXES_PER_DISTANCE)
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
            let all = squares.iter_mut().zip(&self.scratch.projections);
            all.for_each(|(sum, x)| *sum += x * x);
        }
        let largest = squares.iter().fold(0.0f32, |largest, x| largest.max(*x));
        let deviation = (largest / UNIT_PROJECTED as f32).sqrt();
        axes.scale = CENTRE as f32 / (DEVIATIONS * deviation).max(CENTRE as f32 / 8.0);
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
    distance::sort(nearest);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Rng;
    use crate::vectors::rank;

    const ROWS: usize = 20_001;

    /// Codes of rows that differ along some axes, and a little in all dimensions.
    fn coded(axes: usize, dimensions: usize, metric: Metric) -> Codes {
        let values = Rng(axes as u64).along_axes(ROWS, dimensions, axes, 1.0 / 3.0);
        let mut codes = Codes::new(dimensions, metric);
        codes.reserve(ROWS).unwrap();
        for (row, values) in values.chunks(dimensions).enumerate() {
            let steps = values.iter().map(|x| (9.0 * x + 63.5).clamp(0.0, 126.0) as u8);
            codes.set_row(row, &steps.collect::<Vec<_>>(), 0);
        }
        codes
    }

    fn sketched(codes: &Codes, threads: usize) -> Sketches {
        let mut sketches = Sketches::new(codes, ROWS).unwrap();
        let team = Team::new(threads);
        while !sketches.are_done(ROWS) {
            assert!(sketches.step(codes, ROWS, &team).unwrap() > 0);
        }
        sketches
    }

    #[test]
    fn rows_that_differ_along_few_axes_have_short_sketches_with_the_same_neighbours() {
        for metric in [Metric::L2, Metric::Dot] {
            let codes = coded(60, 240, metric);
            let sketches = sketched(&codes, 1);
            let rows = sketches.rows().expect("sketches");
            assert_eq!(rows.dimensions(), FIRST);
            let nodes = numbers(0..ROWS).unwrap();
            let (mut exact, mut near) = (Vec::new(), Vec::new());
            let mut found = 0;
            for node in (0..ROWS as u32).step_by(250) {
                rank(&codes, node, &nodes, &mut exact);
                rank(rows, node, &nodes, &mut near);
                let is_near =
                    |key: &&u64| near[..20].iter().any(|near| *near as u32 == **key as u32);
                found += exact[..10].iter().filter(is_near).count();
            }
            assert!(found > 770, "{metric:?}: {found} of 810");
        }
    }

    #[test]
    fn distances_of_sketches_are_those_of_the_rows_about() {
        let codes = coded(60, 240, Metric::L2);
        let sketches = sketched(&codes, 1);
        let scale = sketches.axes.as_ref().unwrap().scale.powi(2);
        let rows = sketches.rows().unwrap();
        for node in 1..200 {
            let (exact, near) = (codes.distance(0, node), rows.distance(0, node));
            let ratio = near as f32 / scale / exact as f32;
            assert!((0.8..1.2).contains(&ratio), "row {node}: {ratio}");
        }
    }

    #[test]
    fn sketches_are_the_same_whoever_makes_them() {
        let codes = coded(30, 240, Metric::L2);
        let (alone, team) = (sketched(&codes, 1), sketched(&codes, 3));
        let bytes = |sketches: &Sketches| -> Vec<u8> {
            let mut bytes = Vec::new();
            (0..ROWS).for_each(|row| sketches.rows.append_to(row, &mut bytes));
            bytes
        };
        assert!(bytes(&alone) == bytes(&team));
        // What was forgotten is made again.
        let mut shrunk = alone;
        let whole = bytes(&shrunk);
        shrunk.shrink(1234);
        assert!(!shrunk.are_done(ROWS) && shrunk.are_done(1234));
        while !shrunk.are_done(ROWS) {
            shrunk.step(&codes, ROWS, &Team::default()).unwrap();
        }
        assert!(bytes(&shrunk) == whole);
    }

    #[test]
    fn rows_without_few_axes_have_none() {
        assert!(sketched(&coded(0, 240, Metric::L2), 1).rows().is_none(), "differ everywhere");
        assert!(sketched(&coded(20, 200, Metric::L2), 1).rows().is_none(), "short");
        let few = Sketches::new(&coded(20, 240, Metric::L2), ROWS - 1).unwrap();
        assert!(few.are_done(ROWS) && few.rows().is_none());
    }

    #[test]
    fn equal_rows_are_equally_far() {
        let mut codes = Codes::new(240, Metric::L2);
        codes.reserve(ROWS).unwrap();
        for code in [0, 63, 126] {
            (0..ROWS).for_each(|row| codes.set_row(row, &[code; 240], 0));
            let sketches = sketched(&codes, 1);
            let rows = sketches.rows().expect("sketches");
            assert!((1..ROWS as u32).all(|row| rows.distance(0, row) == rows.distance(0, 1)));
        }
    }
}
