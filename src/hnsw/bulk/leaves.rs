//! All cells with new nodes: each new node is compared with all of its cells.

use std::ops::Range;

use super::candidates::Candidates;
use super::leaf::{self, Leaf};
use super::partition::{Partition, members_from, node_of};
use super::share::{Reader, Words};
use super::team::{Pool, Team};
use super::units::Units;
use super::{PAIRS_PER_DISTANCE, nearest_of};
use crate::error::OutOfMemory;
use crate::vectors::codes::Codes;

/// Distances that comparing a node with its cells costs, about.
pub(super) const EXPECTED_COST: u64 = 2600 / PAIRS_PER_DISTANCE;
/// Distances that take the time of making some lists of candidates, or of memory for comparing.
const MEMORY_COST: u64 = 1024;
/// Cells that a team does at once, for each of its threads: enough that they end at about the same
/// time, few enough that progress is told now and then.
const TEAM_CELLS: usize = 16;

/// Pairs that one thread compares in one step, about, and new rows whose nearest it picks: large cells would hold
/// a page for longer than it likes.
const STEP_PAIRS: usize = 1 << 16;
const STEP_PICKED: usize = 128;

/// Cells being worked on; a unit is a cell.
pub(super) struct Leaves {
    /// The first new node.
    fresh: usize,
    m: usize,
    units: Units,
    /// The cell that one thread works on alone, and how many of its new rows' nearest were picked.
    now: Option<(usize, usize)>,
    leaf: Leaf,
    /// Distances of the cell that has most.
    places: usize,
    /// For the threads of a team.
    memory: Pool<Leaf>,
    candidates: Candidates,
}

/// What was found for the askers of a cell: keys, and where those of each asker end.
type Found = (Vec<u64>, Vec<usize>, usize);

impl Leaves {
    /// Of the cells of `partition` and its nodes from `fresh` on, each of which keeps the nearest `kept`.
    pub(super) fn new(
        partition: &Partition,
        fresh: usize,
        m: usize,
        kept: usize,
    ) -> Result<Self, OutOfMemory> {
        let places =
            |members: &Vec<u32>| leaf::places(members_from(members, fresh).len(), members.len());
        Ok(Self {
            fresh,
            m,
            units: Units::new(partition.cells.len()),
            places: partition.cells.iter().map(places).max().unwrap_or(0),
            now: None,
            leaf: Leaf::default(),
            memory: Pool::default(),
            candidates: Candidates::planned(partition.nodes - fresh, kept)?,
        })
    }

    pub(super) fn bytes(&self) -> usize {
        self.candidates.bytes() + self.leaf.bytes() + self.memory.sum(Leaf::bytes)
    }

    pub(super) fn is_done(&self) -> bool {
        self.units.is_done() && self.now.is_none()
    }

    /// Whether there are cells that helpers can work on.
    pub(super) fn has_units(&self) -> bool {
        self.candidates.are_ready() && !self.units.is_done()
    }

    pub(super) fn into_candidates(self) -> Candidates {
        self.candidates
    }

    /// Does more of a cell, or some cells where a team does them, and returns what that cost in distances.
    pub(super) fn step(
        &mut self,
        partition: &Partition,
        codes: &Codes,
        team: &Team,
    ) -> Result<u64, OutOfMemory> {
        if !self.candidates.are_ready() {
            self.candidates.make_some()?;
            return Ok(MEMORY_COST);
        }
        if team.threads() == 1 {
            if self.leaf.grow(self.places)? {
                return Ok(MEMORY_COST);
            }
            return self.step_alone(partition, codes);
        }
        let Self { fresh, m, units, memory, candidates, .. } = self;
        let Some(cells) = units.take(team.threads() * TEAM_CELLS, |_| 1) else { return Ok(0) };
        let found = team.map(cells.clone(), |cell| -> Result<Found, OutOfMemory> {
            let members = &partition.cells[cell];
            let askers = members_from(members, *fresh);
            memory.with(|leaf| {
                let pairs = leaf.compare(askers, members, codes)?;
                let (mut keys, mut ends) = (Vec::new(), Vec::new());
                for (asker, node) in askers.iter().enumerate() {
                    let limit = candidates.limit(list_of(*node, *fresh));
                    keys.extend(leaf.pick(asker, members.len(), nearest_of(*m), limit));
                    ends.push(keys.len());
                }
                Ok((keys, ends, pairs))
            })
        });
        let mut cost = 0;
        for (cell, found) in cells.zip(found) {
            let (keys, ends, pairs) = found?;
            let members = &partition.cells[cell];
            let askers = members_from(members, *fresh);
            let mut start = 0;
            for (node, end) in askers.iter().zip(ends) {
                candidates.offer(list_of(*node, *fresh), keys[start..end].iter().copied());
                start = end;
            }
            cost += cost_of(pairs, askers.len(), members.len());
        }
        Ok(cost)
    }

    /// Does more of the cell under way, or of the next.
    #[inline(never)]
    fn step_alone(&mut self, partition: &Partition, codes: &Codes) -> Result<u64, OutOfMemory> {
        let Self { fresh, m, units, now, leaf, candidates, .. } = self;
        let (cell, picked) = if let Some(under_way) = now.take() {
            under_way
        } else {
            let Some(cells) = units.take(1, |_| 1) else { return Ok(0) };
            let members = &partition.cells[cells.start];
            leaf.begin(members_from(members, *fresh), members, codes)?;
            (cells.start, 0)
        };
        let members = &partition.cells[cell];
        let askers = members_from(members, *fresh);
        let pairs = leaf.go_on(STEP_PAIRS, codes);
        let end = if leaf.is_done() { askers.len().min(picked + STEP_PICKED) } else { picked };
        for (asker, node) in askers.iter().enumerate().take(end).skip(picked) {
            let list = list_of(*node, *fresh);
            let limit = candidates.limit(list);
            candidates.offer(list, leaf.pick(asker, members.len(), nearest_of(*m), limit));
        }
        *now = (end < askers.len()).then_some((cell, end));
        Ok(cost_of(pairs, end - picked, members.len()))
    }

    /// Gives away some cells, to be done by [`work`].
    pub(super) fn give(
        &mut self,
        budget: u64,
        partition: &Partition,
        out: &mut Words,
    ) -> Option<Range<usize>> {
        if !self.candidates.are_ready() {
            return None;
        }
        let fresh = self.fresh;
        let cells = self.units.give(budget as usize, |cell| {
            expected_cost_of(&partition.cells[cell], fresh) as usize
        })?;
        out.push(nearest_of(self.m));
        for members in &partition.cells[cells.clone()] {
            let askers = members_from(members, fresh);
            out.list(askers.iter().map(|member| node_of(*member)));
            out.list(members.iter().map(|member| node_of(*member)));
            for node in askers {
                out.push(self.candidates.limit(list_of(*node, fresh)) as usize);
            }
        }
        Some(cells)
    }

    /// Takes in what [`work`] made of cells that were given away. Returns what they cost.
    pub(super) fn accept(
        &mut self,
        cells: &Range<usize>,
        words: &mut Reader<'_>,
        partition: &Partition,
    ) -> Option<u64> {
        let all = partition.cells.get(cells.clone())?;
        let fresh = self.fresh;
        let nodes =
            || all.iter().flat_map(|members| members_from(members, fresh)).copied().map(node_of);
        // All is looked at before anything is taken in.
        let mut unread = *words;
        for node in nodes() {
            if unread.keys()?.any(|key| key as u32 == node) {
                return None;
            }
        }
        if !self.units.finish(cells) {
            return None;
        }
        for node in nodes() {
            self.candidates.offer(list_of(node, fresh), words.keys()?);
        }
        Some(all.iter().map(|members| expected_cost_of(members, fresh)).sum())
    }

    /// Takes back what was given away and is not done.
    pub(super) fn take_back(&mut self) {
        self.units.take_back();
    }
}

/// The list of a new member.
fn list_of(member: u32, fresh: usize) -> usize {
    node_of(member) as usize - fresh
}

/// What all cells cost for their members from `fresh` on, about.
pub(super) fn cost_of_all(partition: &Partition, fresh: usize) -> u64 {
    partition.cells.iter().map(|members| expected_cost_of(members, fresh)).sum()
}

/// What a cell costs for its members from `fresh` on, about.
fn expected_cost_of(members: &[u32], fresh: usize) -> u64 {
    let askers = members_from(members, fresh).len();
    // Where all ask, each pair is computed once.
    let pairs = askers * members.len() / if askers == members.len() { 2 } else { 1 };
    cost_of(pairs, askers, members.len())
}

/// Distances that a cell takes the time of: its pairs, packing, and picking the nearest.
fn cost_of(pairs: usize, askers: usize, members: usize) -> u64 {
    let picking = askers * (members + 256) / 16;
    (pairs + picking) as u64 / PAIRS_PER_DISTANCE + (askers + members) as u64 / 4 + 1
}

/// Compares askers with members, again and again: cells that [`Leaves`] gave away, or portions of a probe.
pub(super) fn work(
    words: &mut Reader<'_>,
    leaf: &mut Leaf,
    codes: &Codes,
    out: &mut Words,
) -> Result<Option<()>, OutOfMemory> {
    let Some(nearest) = words.one() else { return Ok(None) };
    while !words.is_empty() {
        let (Some(askers), Some(members)) = (words.nodes(), words.nodes()) else { return Ok(None) };
        let Some(limits) = words.take(askers.len()) else { return Ok(None) };
        leaf.compare(askers, members, codes)?;
        for (asker, limit) in limits.iter().enumerate() {
            out.keys(leaf.pick(asker, members.len(), nearest as usize, *limit));
        }
    }
    Ok(Some(()))
}
