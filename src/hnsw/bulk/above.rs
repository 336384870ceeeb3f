//! The new nodes on the layers above 0, one after another.
//!
//! There a node is linked with those that came before it, as where rows are inserted one by one: layers built from
//! near neighbours alone would not lead from one cluster of rows to another. On layer 1, which most of the work is for,
//! its neighbours are not searched for but found by comparing it with all that are there, which takes less
//! time as long as they are some thousand.

use super::leaf::Leaf;
use super::sketch::Rows;
use super::{ABOVE_EF, PAIRS_PER_DISTANCE};
use crate::distance::{MOST_NEAREST, sort};
use crate::error::OutOfMemory;
use crate::hnsw::graph::Links;
use crate::hnsw::insert::{InsertScratch, level_of, link_layers};
use crate::vectors::{of_key, rank};

/// Nodes of layer 1 that a new one is compared with, at most, as a mean. A search among 4,000 computes a thousand
/// distances, which take as long as the matrix product of so many pairs without relaxed SIMD, and of twice as many
/// with it.
const MOST_COMPARED: usize = 6144;
/// New nodes compared at once, at least and at most, and about how many pairs.
const PORTION: (usize, usize) = (12, 32);
const PORTION_PAIRS: usize = 1 << 16;
/// Nodes looked at in one unit of work for those above layer 0, and how many of them take the time of a distance.
const UNIT_NODES: usize = 1024;
const SEEN_PER_DISTANCE: usize = 4;

/// Links the new nodes above layer 0.
pub(super) struct Above {
    seed: u64,
    m: usize,
    ef: usize,
    /// Whether nodes are compared; otherwise they are searched for.
    is_comparing: bool,
    /// The first new node, and the first that was not looked at.
    fresh: usize,
    next: usize,
    /// Those on layer 1, rising; how many of them are linked, and the first that the leaf compared.
    members: Vec<u32>,
    linked: usize,
    first: usize,
    leaf: Leaf,
    found: Vec<u32>,
    near: Vec<u64>,
}

impl Above {
    /// For the nodes `fresh..nodes`; `ef` candidates are searched for on layers where nodes are not compared.
    pub(super) fn new(seed: u64, m: usize, ef: usize, fresh: usize, nodes: usize) -> Self {
        let is_comparing = usize::midpoint(fresh, nodes) <= MOST_COMPARED * m;
        Self {
            seed,
            m,
            ef: ef.min(ABOVE_EF),
            is_comparing,
            fresh,
            next: if is_comparing { 0 } else { fresh },
            members: Vec::new(),
            linked: 0,
            first: 0,
            leaf: Leaf::default(),
            found: Vec::new(),
            near: Vec::new(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        4 * self.members.capacity() + self.leaf.bytes()
    }

    /// Whether all of `nodes` are linked.
    pub(super) fn is_done(&self, nodes: usize) -> bool {
        self.next == nodes && self.linked == self.members.len()
    }

    /// How many of `nodes` are not linked yet.
    pub(super) fn left(&self, nodes: usize) -> usize {
        let is_above = |node: &usize| level_of(self.seed, *node, self.m) > 0;
        let unseen = (self.next.max(self.fresh)..nodes).filter(is_above).count();
        self.members.len() - self.linked + unseen
    }

    /// Does the next unit of work and returns what it cost in distances.
    #[inline(never)]
    pub(super) fn step<L: Links>(
        &mut self,
        links: &mut L,
        rows: Rows<'_>,
        scratch: &mut InsertScratch,
    ) -> Result<u64, OutOfMemory> {
        if self.linked == self.members.len() {
            return self.compare_some(links, rows);
        }
        let place = self.linked;
        let node = self.members[place];
        self.linked += 1;
        scratch.search.distances = 0;
        self.near.clear();
        if self.is_comparing {
            // The `m` nearest and some more: with 64, as from a search, an index's searches need as many distances (60,000
            // rows of WordNet and of Fashion-MNIST, means of four seeds).
            let found =
                self.leaf.pick(place - self.first, place, self.m.min(MOST_NEAREST), u32::MAX);
            if rows.are_exact() {
                self.near.extend(found);
                sort(&mut self.near);
            } else {
                self.found.clear();
                self.found.extend(found.map(|key| of_key(key).1));
                rank(rows.exact, node, &self.found, &mut self.near);
                scratch.search.distances += self.found.len() as u64;
            }
        }
        let level = level_of(self.seed, node as usize, self.m);
        link_layers(links, rows.exact, node, (level, 1), self.ef, &self.near, scratch)?;
        Ok(scratch.search.distances + 1)
    }

    /// Looks for the next nodes above layer 0, and compares those that are new with all.
    fn compare_some<L: Links>(
        &mut self,
        links: &mut L,
        rows: Rows<'_>,
    ) -> Result<u64, OutOfMemory> {
        self.first = self.members.len();
        let most = (PORTION_PAIRS / (self.first + 1)).clamp(PORTION.0, PORTION.1);
        let nodes = if self.next < self.fresh { self.fresh } else { links.len() };
        let end = nodes.min(self.next + UNIT_NODES);
        if links.entry().is_none() {
            links.set_entry(0);
        }
        self.members.try_reserve(end - self.next)?;
        while self.next < end && self.members.len() < self.first + most {
            if level_of(self.seed, self.next, self.m) > 0 {
                self.members.push(self.next as u32);
                // Old nodes have their links, and so has the first of all.
                let is_linked = self.next < self.fresh || self.next == 0;
                self.linked += usize::from(is_linked);
                self.first += usize::from(is_linked);
            }
            self.next += 1;
        }
        let new = &self.members[self.first..];
        if new.is_empty() || !self.is_comparing {
            return Ok((UNIT_NODES / SEEN_PER_DISTANCE) as u64);
        }
        let pairs = self.leaf.compare(new, &self.members, rows.near)?;
        Ok(pairs as u64 / PAIRS_PER_DISTANCE + 1)
    }
}
