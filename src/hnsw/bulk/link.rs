//! From candidates to links: each new node selects some, then the links back are added.
//!
//! ```text
//! Select   in the order of the cells, so that codes are in the cache: at most m of the candidates
//! Count    how many links lead back to each node, new or old
//! Fill     which
//! Write    the links of a node and those back to it; where they are too many, the best of them
//! ```

use super::candidates::Candidates;
use super::filled;
use crate::error::OutOfMemory;
use crate::hnsw::graph::Links;
use crate::hnsw::select::{Diversity, select};
use crate::vectors::codes::Codes;
use crate::vectors::{Scorer, score_all};

/// Distances a node costs here, about.
pub(super) const EXPECTED_COST: u64 = 250;
/// Nodes worked on in one unit.
const UNIT_NODES: usize = 16;
/// Nodes counted in one unit.
const UNIT_COUNTED: usize = 4096;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Select,
    Count,
    Fill,
    Write,
    Done,
}

/// Links the new nodes.
pub(super) struct Linker {
    /// The new nodes in the order they are worked on; after filling, with the old nodes that new
    /// ones link to.
    order: Vec<u32>,
    /// The first new node.
    fresh: usize,
    m: usize,
    stage: Stage,
    next: usize,
    /// `m` places for each new node, the nodes it selected, and how many are used.
    chosen: Vec<u32>,
    counts: Vec<u16>,
    /// Where the links back to each node begin in `back`; while filling, where the next goes.
    starts: Vec<u32>,
    back: Vec<u32>,
    scored: Vec<(u32, u32)>,
    kept: Vec<u32>,
    /// Nodes that lost a link which led to them.
    lost: Vec<u32>,
}

impl Linker {
    /// A linker of the nodes `fresh..nodes`, which it works on in this order.
    pub(super) fn new(
        order: Vec<u32>,
        fresh: usize,
        nodes: usize,
        m: usize,
    ) -> Result<Self, OutOfMemory> {
        Ok(Self {
            fresh,
            m,
            stage: Stage::Select,
            next: 0,
            chosen: filled(order.len() * m, 0)?,
            counts: filled(order.len(), 0)?,
            starts: filled(nodes + 1, 0)?,
            back: Vec::new(),
            scored: Vec::new(),
            kept: Vec::new(),
            lost: Vec::new(),
            order,
        })
    }

    pub(super) fn bytes(&self) -> usize {
        2 * self.counts.capacity()
            + 4 * (self.order.capacity() + self.chosen.capacity() + self.lost.capacity())
            + 4 * (self.starts.capacity() + self.back.capacity())
    }

    pub(super) fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }

    /// The nodes that may have lost the last link which led to them.
    pub(super) fn take_lost(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.lost)
    }

    /// Does the next unit of work and returns what it cost in distances.
    pub(super) fn step<L: Links>(
        &mut self,
        links: &mut L,
        codes: &Codes,
        candidates: &Candidates,
    ) -> Result<u64, OutOfMemory> {
        let unit = match self.stage {
            Stage::Select | Stage::Write => UNIT_NODES,
            _ => UNIT_COUNTED,
        };
        let end = (self.next + unit).min(self.order.len());
        let mut cost = 0;
        for place in self.next..end {
            let node = self.order[place] as usize;
            cost += match self.stage {
                Stage::Select => self.select(node, codes, candidates),
                Stage::Count => self.count(node),
                Stage::Fill => self.fill(node),
                Stage::Write => self.write(node, links, codes)?,
                Stage::Done => 0,
            };
        }
        self.next = end;
        if end == self.order.len() {
            self.next = 0;
            self.stage = self.turn()?;
        }
        Ok(if unit == UNIT_COUNTED { cost / 16 + 1 } else { cost })
    }

    /// What comes next, when the nodes are through.
    fn turn(&mut self) -> Result<Stage, OutOfMemory> {
        Ok(match self.stage {
            Stage::Select => Stage::Count,
            Stage::Count => {
                let mut total = 0;
                let mut old = 0;
                for (node, start) in self.starts.iter_mut().enumerate() {
                    old += usize::from(*start > 0 && node < self.fresh);
                    total += std::mem::replace(start, total);
                }
                self.back = filled(total as usize, 0)?;
                self.order.try_reserve_exact(old)?;
                Stage::Fill
            }
            Stage::Fill => {
                // Filling moved each start to the next node's.
                self.starts.rotate_right(1);
                self.starts[0] = 0;
                let starts = &self.starts;
                let old = (0..self.fresh as u32)
                    .filter(|node| starts[*node as usize] < starts[*node as usize + 1]);
                self.order.extend(old);
                Stage::Write
            }
            Stage::Write | Stage::Done => Stage::Done,
        })
    }

    /// What a new node selected.
    fn own(&self, node: usize) -> &[u32] {
        let place = node - self.fresh;
        &self.chosen[place * self.m..][..usize::from(self.counts[place])]
    }

    #[inline(never)]
    fn select(&mut self, node: usize, codes: &Codes, candidates: &Candidates) -> u64 {
        let place = node - self.fresh;
        let keys = candidates.of(place).iter();
        self.scored.clear();
        self.scored.extend(keys.map(|key| ((key >> 32) as u32, *key as u32)));
        let far = self.anywhere(node);
        if far as usize != node && self.scored.iter().all(|(_, near)| *near != far) {
            let candidate = (codes.scorer(node as u32).score(far), far);
            let place = self.scored.partition_point(|near| *near < candidate);
            self.scored.insert(place, candidate);
        }
        let cost = select(codes, &self.scored, self.m, Diversity::Relaxed, &mut self.kept);
        self.chosen[place * self.m..][..self.kept.len()].copy_from_slice(&self.kept);
        self.counts[place] = self.kept.len() as u16;
        cost + 8
    }

    /// A node anywhere, to be a candidate of `node`. With near ones alone, rows in clusters would have
    /// no link from one cluster to another, and a search that starts in the wrong one would end there;
    /// where there are no clusters the far node is hardly ever selected.
    fn anywhere(&self, node: usize) -> u32 {
        let nodes = self.starts.len() as u64 - 1;
        let mixed = (node as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        (mixed * nodes >> 32) as u32
    }

    fn count(&mut self, node: usize) -> u64 {
        let place = node - self.fresh;
        for i in 0..usize::from(self.counts[place]) {
            self.starts[self.chosen[place * self.m + i] as usize] += 1;
        }
        1
    }

    fn fill(&mut self, node: usize) -> u64 {
        let place = node - self.fresh;
        for i in 0..usize::from(self.counts[place]) {
            let start = &mut self.starts[self.chosen[place * self.m + i] as usize];
            self.back[*start as usize] = node as u32;
            *start += 1;
        }
        1
    }

    #[inline(never)]
    fn write<L: Links>(
        &mut self,
        node: usize,
        links: &mut L,
        codes: &Codes,
    ) -> Result<u64, OutOfMemory> {
        let mut all = std::mem::take(&mut self.kept);
        all.clear();
        if node < self.fresh {
            all.extend_from_slice(links.links(node as u32, 0));
        } else {
            all.extend_from_slice(self.own(node));
        }
        let own = all.len();
        for source in &self.back[self.starts[node] as usize..self.starts[node + 1] as usize] {
            if !all[..own].contains(source) {
                all.push(*source);
            }
        }
        let limit = links.capacity(0);
        let mut cost = 4;
        if all.len() > limit {
            let scored = &mut self.scored;
            scored.clear();
            score_all(&codes.scorer(node as u32), &all, |score, other| scored.push((score, other)));
            scored.sort_unstable();
            cost += all.len() as u64;
            cost += select(codes, scored, limit, Diversity::Relaxed, &mut all);
            self.lost.try_reserve(scored.len() - all.len())?;
            let dropped = scored.iter().map(|(_, other)| *other);
            self.lost.extend(dropped.filter(|other| !all.contains(other)));
        }
        if all.is_empty() {
            self.lost.try_reserve(1)?;
            self.lost.push(node as u32);
        }
        links.set_links(node as u32, 0, &all)?;
        self.kept = all;
        Ok(cost)
    }
}
