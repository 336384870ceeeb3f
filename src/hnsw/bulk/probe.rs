//! How many cells a node must join.
//!
//! What a build is worth depends on how many true neighbours meet in some cell, and data sets differ
//! in how many cells that takes: pictures of clothes need three, sentences eight. So it is looked at:
//! the true neighbours of a few nodes are found by comparing them with all, and the smallest fan-out
//! is taken with which enough of these pairs meet.

use std::ops::Range;

use super::candidates::Candidates;
use super::compass::Compass;
use super::leaf::Leaf;
use super::partition::MOST_FAN_OUT;
use super::share::{Reader, Words};
use super::sketch::Rows;
use super::units::Units;
use super::{LARGE, PAIRS_PER_DISTANCE, VERY_LARGE};
use crate::error::OutOfMemory;
use crate::memory::{filled, numbers};

/// Nodes whose neighbours are looked for: pairs enough that chance moves their share by a percent.
pub(super) const SAMPLE: usize = 100;
/// Neighbours of each.
const NEIGHBOURS: usize = 10;
/// What is aimed at in graphs of more than so many nodes: the share of pairs that meet, and cells a node joins
/// at most. With less, searches of a batch-built graph need more distances than those of a row-by-row one; a search
/// passes more nodes in a larger graph, and may go wrong at each. Measured on the data sets of `docs/benchmarks`.
const AIMS: [(usize, f64, usize); 3] =
    [(VERY_LARGE, 0.99, MOST_FAN_OUT), (LARGE, 0.985, 13), (0, 0.97, 12)];
/// The smallest fan-out there is.
const LEAST: usize = 3;
/// Nodes the sample is compared with at once.
const PORTION: usize = 512;
/// Distances that comparing the sample with them takes the time of, about.
const PORTION_COST: u64 = (SAMPLE * PORTION) as u64 / PAIRS_PER_DISTANCE;
/// Nodes of the sample whose leaders are looked for at once.
const UNIT_NODES: usize = 4;

/// A probe under way.
pub(super) struct Probe {
    leaders: usize,
    nodes: usize,
    sample: Vec<u32>,
    /// Portions of the nodes, which the sample is compared with.
    units: Units,
    found: Candidates,
    /// The first node of the sample whose pairs were not counted.
    counted: usize,
    /// Pairs, and how many meet first with each fan-out.
    pairs: usize,
    meeting: [usize; MOST_FAN_OUT + 1],
}

impl Probe {
    /// Of so many leaders and the nodes `0..nodes`.
    pub(super) fn new(leaders: usize, nodes: usize) -> Result<Self, OutOfMemory> {
        let count = SAMPLE.min(nodes);
        let mut sample = filled(count, 0)?;
        for (i, node) in sample.iter_mut().enumerate() {
            *node = (i * nodes / count) as u32;
        }
        Ok(Self {
            leaders,
            nodes,
            sample,
            units: Units::new(nodes.div_ceil(PORTION)),
            found: Candidates::new(count, NEIGHBOURS)?,
            counted: 0,
            pairs: 0,
            meeting: [0; MOST_FAN_OUT + 1],
        })
    }

    pub(super) fn bytes(&self) -> usize {
        self.found.bytes()
    }

    /// The share of pairs that must meet, and the most cells that a node may join for that.
    fn aim(&self) -> (f64, usize) {
        let aim = AIMS.iter().find(|(nodes, ..)| self.nodes > *nodes);
        aim.map_or((1.0, 1), |(_, meeting, most)| (*meeting, self.leaders.min(*most)))
    }

    /// What was found out, when all is done: the smallest fan-out with which enough pairs meet.
    pub(super) fn fan_out(&self) -> Option<usize> {
        if self.counted < self.sample.len() {
            return None;
        }
        let (meeting, most) = self.aim();
        let enough = self.pairs as f64 * meeting;
        let mut together = 0;
        let fan_out = (1..most).find(|fan_out| {
            together += self.meeting[*fan_out];
            together as f64 >= enough
        });
        Some(fan_out.unwrap_or(most).max(LEAST.min(most)))
    }

    /// Does the next unit of work and returns how many pairs of a matrix product it took. The leaders
    /// are those in `compass`.
    #[inline(never)]
    pub(super) fn step(
        &mut self,
        compass: &mut Compass,
        leaf: &mut Leaf,
        rows: Rows<'_>,
    ) -> Result<usize, OutOfMemory> {
        if !self.units.is_done() {
            let Some(units) = self.units.take(1, |_| 1) else { return Ok(0) };
            let portion = numbers(self.nodes_of(units.start))?;
            let pairs = leaf.compare(&self.sample, &portion, rows.exact)?;
            for asker in 0..self.sample.len() {
                let limit = self.found.limit(asker);
                self.found.offer(asker, leaf.pick(asker, portion.len(), NEIGHBOURS, limit));
            }
            return Ok(pairs);
        }
        let end = (self.counted + UNIT_NODES).min(self.sample.len());
        let mut pairs = 0;
        for place in self.counted..end {
            pairs += self.count(place, compass, rows)?;
        }
        self.counted = end;
        Ok(pairs)
    }

    /// The nodes of a portion.
    fn nodes_of(&self, unit: usize) -> Range<usize> {
        unit * PORTION..self.nodes.min((unit + 1) * PORTION)
    }

    /// Whether there are portions that helpers can compare the sample with.
    pub(super) fn has_units(&self) -> bool {
        !self.units.is_done()
    }

    /// Gives away some portions, to be done by [`leaves::work`](super::leaves::work).
    pub(super) fn give(&mut self, budget: u64, out: &mut Words) -> Option<Range<usize>> {
        let units = self.units.give(budget as usize, |_| PORTION_COST as usize)?;
        out.push(NEIGHBOURS);
        for portion in units.clone() {
            let nodes = self.nodes_of(portion);
            out.list(self.sample.iter().copied());
            out.list(nodes.start as u32..nodes.end as u32);
            self.sample.iter().for_each(|_| out.push(u32::MAX as usize));
        }
        Some(units)
    }

    /// Takes in what was made of portions that were given away. Returns what they cost.
    pub(super) fn accept(&mut self, units: &Range<usize>, words: &mut Reader<'_>) -> Option<u64> {
        let askers = 0..units.len().checked_mul(self.sample.len())?;
        // All is looked at before anything is taken in.
        let mut unread = *words;
        for _ in askers.clone() {
            let _ = unread.keys()?;
        }
        if !self.units.finish(units) {
            return None;
        }
        for asker in askers {
            let asker = asker % self.sample.len();
            self.found.offer(asker, words.keys()?);
        }
        Some(units.len() as u64 * PORTION_COST)
    }

    /// Takes back what was given away and is not done.
    pub(super) fn take_back(&mut self) {
        self.units.take_back();
    }

    /// Counts with which fan-out a node of the sample meets each of its neighbours.
    fn count(
        &mut self,
        place: usize,
        compass: &mut Compass,
        rows: Rows<'_>,
    ) -> Result<usize, OutOfMemory> {
        let (_, most) = self.aim();
        let mut members = [self.sample[place]; 1 + NEIGHBOURS];
        self.found.settle(place);
        let found = self.found.of(place);
        for (member, key) in members[1..].iter_mut().zip(found) {
            *member = *key as u32;
        }
        let members = &members[..=found.len()];
        let mut joined = filled(members.len() * most, 0u16)?;
        compass.find(members, rows, &mut joined);
        let (own, others) = joined.split_at(most);
        for other in others.chunks(most) {
            self.pairs += 1;
            let first =
                (1..=most).find(|n| own[..*n].iter().any(|leader| other[..*n].contains(leader)));
            self.meeting[first.unwrap_or(0)] += 1;
        }
        Ok(members.len() * self.leaders)
    }
}
