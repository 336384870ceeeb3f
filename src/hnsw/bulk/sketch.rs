//! Rows on the few axes along which they differ most, for what compares very many pairs.
//!
//! A build compares a row with thousands of others, most of them far away. That is done by *sketches*: the rows'
//! projections on their principal axes, coded like rows, a third to a seventh as long for embeddings. What a row
//! has beside the axes is a length, which is added to its squared distances: two rows' rests are nearly at right
//! angles. Links are chosen by whole codes.
//!
//! ```text
//! training.rs   the axes, from a sample of the rows
//! axes.rs       from a row's codes to its sketch
//! ```
//!
//! Where a row needs more axes than half its dimensions there are no sketches; rows without a structure, such
//! as random ones, are like that. Sketches follow from the codes and the number of nodes that the partition was
//! drawn from, so they are not stored; all sums are of integers or added up in one order, so they are the same on
//! every platform.

use std::ops::Range;

use super::axes::{self, Axes, Scratch};
use super::share::{Reader, Words};
use super::team::{Pool, Team};
use super::training::{self, Training};
use super::units::Units;
use crate::error::OutOfMemory;
use crate::memory::numbers;
use crate::vectors::codes::Codes;

/// Rows sketched in a unit of work.
const UNIT_ROWS: usize = 64;
/// Units that a team does at once, for each of its threads.
const TEAM_UNITS: usize = 16;
/// Rows whose sketches helpers are sent at once. A helper that has not all there are gets no units.
const SHARED_ROWS: usize = 4096;
/// Longer rows have no sketches: finding axes takes the square of their length.
const MOST_DIMENSIONS: usize = 2048;

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
    /// Rows that have a sketch, and those that will have one when all units are done.
    done: usize,
    end: usize,
    units: Units,
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
            end: 0,
            units: Units::default(),
            memory: Pool::default(),
        })
    }

    /// From how many nodes the axes were found.
    pub(crate) fn drawn_from(&self) -> usize {
        self.drawn_from
    }

    pub(crate) fn bytes(&self) -> usize {
        let training = self.training.as_ref().map_or(0, |training| training.bytes());
        let axes = self.axes.as_ref().map_or(0, Axes::bytes);
        training + axes + self.rows.bytes()
    }

    /// Forgets the sketches of the rows from `rows` on.
    pub(crate) fn shrink(&mut self, rows: usize) {
        self.done = self.done.min(rows);
        self.end = self.done;
        self.units = Units::default();
        self.rows.shrink(self.done);
    }

    /// Whether there is nothing to be done until there are more than `rows` rows.
    pub(super) fn are_done(&self, rows: usize) -> bool {
        self.training.is_none() && (self.axes.is_none() || self.done >= rows)
    }

    /// A number for what is next: part of the training, or sketches.
    pub(super) fn part(&self) -> u8 {
        self.training.as_ref().map_or(0, |training| training.part())
    }

    /// The sketches, if there are any.
    pub(super) fn rows(&self) -> Option<&Codes> {
        self.axes.as_ref().map(|_| &self.rows)
    }

    /// Of how many rows helpers can have the sketches.
    pub(super) fn shared(&self) -> usize {
        if self.units.is_done() {
            return self.done;
        }
        let made = self.done + self.units.all_done_before() * UNIT_ROWS;
        (made - made % SHARED_ROWS).max(self.done)
    }

    /// Does the next unit of work for the rows `0..rows` and returns what it cost in distances. Nothing is done while
    /// all that is left is given away.
    pub(super) fn step(
        &mut self,
        codes: &Codes,
        rows: usize,
        team: &Team,
    ) -> Result<u64, OutOfMemory> {
        if let Some(training) = &mut self.training {
            let cost = training.step(codes)?;
            if training.is_done() {
                self.axes = self.training.take().and_then(|training| training.into_axes());
                let axes = self.axes.as_ref().map_or(1, Axes::len);
                self.rows = Codes::new(axes, codes.metric());
            }
            return Ok(cost as u64 + 1);
        }
        let Some(axes) = &self.axes else { return Ok(0) };
        if self.end < rows {
            self.end = rows;
            self.units = Units::new((rows - self.done).div_ceil(UNIT_ROWS));
        }
        let portion = if team.threads() == 1 { 1 } else { team.threads() * TEAM_UNITS };
        let Some(units) = self.units.take(portion, |_| 1) else { return Ok(0) };
        let sketched = team.map(units.clone(), |unit| {
            let nodes = numbers(self.rows_of(&(unit..unit + 1)))?;
            self.memory.with(|scratch| axes.sketch(codes, &nodes, scratch))
        });
        let range = self.rows_of(&units);
        self.rows.reserve(range.end)?;
        let mut next = range.start;
        for sketched in sketched {
            next = axes.keep(&sketched?, &mut self.rows, next);
        }
        let cost = axes::cost_of(range.len(), axes.len());
        self.go_on();
        Ok(cost)
    }

    /// The rows of some units.
    fn rows_of(&self, units: &Range<usize>) -> Range<usize> {
        let row = |unit: usize| self.end.min(self.done + unit * UNIT_ROWS);
        row(units.start)..row(units.end)
    }

    fn go_on(&mut self) {
        if self.units.is_done() {
            self.done = self.end;
        }
    }

    /// Gives away some units, to be done by [`axes::work`].
    pub(super) fn give(&mut self, budget: u64, out: &mut Words) -> Option<Range<usize>> {
        let axes = self.axes.as_ref()?;
        let cost = axes::cost_of(UNIT_ROWS, axes.len()) as usize;
        let units = self.units.give(budget as usize, |_| cost)?;
        let rows = self.rows_of(&units);
        axes.write(out);
        out.push(rows.start);
        out.push(rows.end);
        Some(units)
    }

    /// Takes in the sketches that were made of units that were given away. Returns what they cost.
    pub(super) fn accept(
        &mut self,
        units: &Range<usize>,
        words: &mut Reader<'_>,
    ) -> Result<Option<u64>, OutOfMemory> {
        let (Some(axes), Some(sketches)) = (&self.axes, words.bytes()) else { return Ok(None) };
        if !self.units.is_given(units) {
            return Ok(None);
        }
        let rows = self.rows_of(units);
        if !axes.are_sketches(&sketches, rows.len()) {
            return Ok(None);
        }
        self.units.finish(units);
        self.rows.reserve(rows.end)?;
        axes.keep(&sketches, &mut self.rows, rows.start);
        let cost = axes::cost_of(rows.len(), axes.len());
        self.go_on();
        Ok(Some(cost))
    }

    /// Takes back what was given away and is not done.
    pub(super) fn take_back(&mut self) {
        self.units.take_back();
    }
}

/// Whether an index's rows may have sketches on axes that are found from so many nodes: below, finding them would
/// take longer than they save.
pub(super) fn can_be(dimensions: usize, drawn_from: usize) -> bool {
    (2 * training::FIRST..=MOST_DIMENSIONS).contains(&dimensions) && drawn_from > super::LARGE
}

/// Distances that sketching a row costs, about.
pub(super) fn expected_cost() -> u64 {
    axes::cost_of(1, training::FIRST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Metric;
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
            assert_eq!(rows.dimensions(), training::FIRST);
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
        let scale = sketches.axes.as_ref().unwrap().scale().powi(2);
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
    fn helpers_make_the_same_in_any_order_or_nothing() {
        let codes = coded(30, 240, Metric::L2);
        let alone = sketched(&codes, 1);
        let mut sketches = Sketches::new(&codes, ROWS).unwrap();
        let team = Team::default();
        let (mut axes, mut scratch) = (None, Scratch::default());
        let (mut answers, mut calls) = (Vec::new(), 0);
        while !sketches.are_done(ROWS) {
            calls += 1;
            let cost = sketches.step(&codes, ROWS, &team).unwrap();
            let mut given = Words::default();
            if let Some(units) = sketches.give(40_000, &mut given) {
                let (mut out, words) = (Words::default(), given.into_words());
                let mut words = Reader::new(&words, ROWS);
                axes::work(&mut words, &mut axes, &codes, &mut scratch, &mut out).unwrap().unwrap();
                answers.push((units, out.into_words()));
            }
            let made = sketches.shared();
            assert!(made == ROWS || made.is_multiple_of(SHARED_ROWS), "{made} rows shared");
            // The last comes first; some never come.
            if calls % 3 == 0 || cost == 0 {
                let Some((units, answer)) = answers.pop() else {
                    sketches.take_back();
                    continue;
                };
                let mut accept = |units: &Range<usize>, words: &[u32]| {
                    sketches.accept(units, &mut Reader::new(words, ROWS)).unwrap().is_some()
                };
                let mut wrong = answer.clone();
                wrong[7] = u32::MAX;
                assert!(!accept(&units, &wrong) && !accept(&units, &answer[..9]), "nonsense");
                assert!(!accept(&(units.start..units.end + 1), &answer), "not given");
                if calls % 5 == 0 {
                    continue;
                }
                assert!(accept(&units, &answer) && !accept(&units, &answer), "counts once");
            }
        }
        assert_eq!(sketches.shared(), ROWS);
        for row in 0..ROWS as u32 {
            assert_eq!(sketches.rows.row(row), alone.rows.row(row), "row {row}");
        }
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
