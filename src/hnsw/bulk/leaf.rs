//! Comparing nodes with the nodes of a cell.
//!
//! The codes of the *askers*, the nodes whose neighbours are wanted, are packed once into column
//! panels; the members of the cell come in blocks of rows and are multiplied with the panels. An
//! asker's nearest are then the smallest of its row of distances.
//!
//! When all members ask, every pair is computed once, and its distance is written to both its places.

use super::PAIRS_PER_DISTANCE;
use super::candidates::Candidates;
use crate::distance::tile::{self, Block, MOST_COLUMNS, Out};
use crate::distance::{TOGETHER, nearest};
use crate::error::OutOfMemory;
use crate::vectors::codes::Codes;
use crate::vectors::score_all;

/// Members of a cell that is not divided. Few are half as large, so their distances, 4 bytes each, stay
/// in the second cache.
const LARGEST_CELL: usize = 900;
/// Products of a cell, so that cells of long vectors do not take longer.
const LARGEST_PRODUCT: usize = LARGEST_CELL * LARGEST_CELL * 1536;
/// Pairs compared in one unit of work, about.
const UNIT_PAIRS: usize = 1 << 14;
/// Askers whose nearest are picked in one unit of work.
const UNIT_ASKERS: usize = 64;

/// Members of a cell that is not divided.
pub(super) fn largest_cell(dimensions: usize) -> usize {
    LARGEST_CELL.min((LARGEST_PRODUCT / dimensions.max(1)).isqrt())
}

/// A cell being worked on; used again for the next, with its memory.
#[derive(Default)]
pub(super) struct Leaf {
    /// The list of candidates of each asker.
    lists: Vec<u32>,
    askers: Vec<u32>,
    /// The members rise.
    members: Vec<u32>,
    is_square: bool,
    /// Whether there are askers enough for a matrix product; else they are compared one by one.
    is_packed: bool,
    panels: Vec<u8>,
    terms: Vec<u32>,
    /// A row for each asker, `stride` apart: its distances to the members.
    distances: Vec<u32>,
    stride: usize,
    /// The first member not compared yet, and the first asker whose nearest were not picked.
    next_member: usize,
    next_asker: usize,
    block: Block,
    found: Vec<u64>,
}

impl Leaf {
    pub(super) fn bytes(&self) -> usize {
        let tables = [&self.lists, &self.askers, &self.members, &self.terms, &self.distances];
        self.panels.capacity() + tables.map(|table| 4 * table.capacity()).iter().sum::<usize>()
    }

    pub(super) fn is_done(&self) -> bool {
        self.next_asker >= self.askers.len()
    }

    /// Takes up nodes and the members of a cell. What is found goes to the candidates' `lists`, one
    /// for each asker. Returns the cost in distances.
    #[inline(never)]
    pub(super) fn begin(
        &mut self,
        askers: &[u32],
        lists: impl Iterator<Item = u32>,
        members: &[u32],
        codes: &Codes,
    ) -> Result<u64, OutOfMemory> {
        for (own, given) in [(&mut self.askers, askers), (&mut self.members, members)] {
            own.clear();
            own.try_reserve(given.len())?;
            own.extend_from_slice(given);
        }
        self.lists.clear();
        self.lists.try_reserve(askers.len())?;
        self.lists.extend(lists);
        self.is_square = askers == members;
        self.is_packed = askers.len() * 3 > tile::columns();
        if self.is_packed {
            codes.pack_panels(&self.askers, &mut self.panels, &mut self.terms)?;
        }
        // Whole tiles are written.
        self.stride = members.len().next_multiple_of(MOST_COLUMNS);
        let places = self.stride * askers.len().next_multiple_of(MOST_COLUMNS);
        if self.distances.len() < places {
            self.distances.try_reserve(places - self.distances.len())?;
            self.distances.resize(places, 0);
        }
        (self.next_member, self.next_asker) = (0, 0);
        Ok((askers.len() + members.len()) as u64 / 4)
    }

    /// Does the next unit of work: compares some members, or picks the nearest of some askers, about
    /// `nearest` for each.
    pub(super) fn step(
        &mut self,
        codes: &Codes,
        nearest: usize,
        candidates: &mut Candidates,
    ) -> u64 {
        if self.next_member < self.members.len() {
            return self.compare(codes) as u64 / PAIRS_PER_DISTANCE;
        }
        let end = (self.next_asker + UNIT_ASKERS).min(self.askers.len());
        let cost = (end - self.next_asker) * (self.members.len() + 256) / 16;
        for asker in self.next_asker..end {
            self.pick(asker, nearest, candidates);
        }
        self.next_asker = end;
        cost as u64 / PAIRS_PER_DISTANCE
    }

    /// Compares some members with the askers and returns how many pairs that were.
    fn compare(&mut self, codes: &Codes) -> usize {
        if !self.is_packed {
            return self.compare_singly(codes);
        }
        let mut pairs = 0;
        while self.next_member < self.members.len() && pairs < UNIT_PAIRS {
            let rows = tile::rows().min(self.members.len() - self.next_member);
            // In a square the pairs left of the diagonal are known.
            let first = if self.is_square { self.next_member / tile::columns() } else { 0 };
            self.compare_rows(codes, self.next_member, rows, first);
            pairs += rows * (self.askers.len() - first * tile::columns());
            self.next_member += rows;
        }
        pairs
    }

    /// Compares all members with each asker.
    fn compare_singly(&mut self, codes: &Codes) -> usize {
        for (asker, distances) in self.askers.iter().zip(self.distances.chunks_mut(self.stride)) {
            let mut places = distances.iter_mut();
            score_all(&codes.scorer(*asker), &self.members, |distance, _| {
                if let Some(place) = places.next() {
                    *place = distance;
                }
            });
        }
        self.next_member = self.members.len();
        self.askers.len() * self.members.len() * PAIRS_PER_DISTANCE as usize
    }

    /// Compares members with the panels of askers from `first` on.
    #[inline(never)]
    fn compare_rows(&mut self, codes: &Codes, member: usize, rows: usize, first: usize) {
        let (columns, panel_bytes, stride) = (tile::columns(), codes.panel_bytes(), self.stride);
        codes.load_block(&self.members[member..member + rows], &mut self.block);
        for panel in first..self.askers.len().div_ceil(columns) {
            let asker = panel * columns;
            let out = Out {
                distances: &mut self.distances,
                stride,
                across: self.is_square.then_some(member * stride + asker),
                down: Some(asker * stride + member),
            };
            let codes = &self.panels[panel * panel_bytes..(panel + 1) * panel_bytes];
            self.block.run(codes, &self.terms[asker..asker + columns], out);
        }
    }

    /// Hands the nearest of an asker to its list.
    #[inline(never)]
    fn pick(&mut self, asker: usize, count: usize, candidates: &mut Candidates) {
        let members = &self.members;
        let start = asker * self.stride;
        let end = start + members.len().next_multiple_of(TOGETHER);
        let distances = &mut self.distances[start..end];
        distances[members.len()..].fill(u32::MAX);
        let itself =
            if self.is_square { Ok(asker) } else { members.binary_search(&self.askers[asker]) };
        if let Ok(itself) = itself {
            distances[itself] = u32::MAX;
        }
        let list = self.lists[asker] as usize;
        // Nothing is at the distance of what is no candidate.
        let limit = candidates.limit(list).min(u32::MAX - 1);
        nearest(distances, count, limit, &mut self.found);
        let keys = self.found.iter().map(|key| {
            let place = *key as u32 as usize;
            key >> 32 << 32 | u64::from(members[place])
        });
        candidates.offer(list, keys);
    }
}
