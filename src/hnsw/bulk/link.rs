//! From candidates to links: each point selects some, then the links back are added.
//!
//! ```text
//! Select   in the order of the cells, so that codes are in the cache: at most m of the candidates
//! Count    how many links lead back to each point
//! Write    own links and those back; where they are too many, the best of them
//! ```

use super::candidates::Candidates;
use super::filled;
use crate::error::OutOfMemory;
use crate::hnsw::graph::Links;
use crate::hnsw::select::select;
use crate::vectors::codes::Codes;
use crate::vectors::score_all;

/// Distances a point costs here, about.
pub(super) const EXPECTED_COST: u64 = 200;
/// Points worked on in one unit.
const UNIT_POINTS: usize = 16;
/// Points counted in one unit.
const UNIT_COUNTED: usize = 4096;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Select,
    Count,
    Fill,
    Write,
    Done,
}

/// Links the points of one layer.
pub(super) struct Linker {
    order: Vec<u32>,
    layer: usize,
    m: usize,
    stage: Stage,
    next: usize,
    /// `m` places for each point, and how many are used.
    chosen: Vec<u32>,
    counts: Vec<u8>,
    /// Where the links back to each point begin in `back`; while filling, where the next goes.
    starts: Vec<u32>,
    back: Vec<u32>,
    scored: Vec<(u32, u32)>,
    kept: Vec<u32>,
}

impl Linker {
    /// A linker for as many points as `order` has, which it works on in that order.
    pub(super) fn new(order: Vec<u32>, layer: usize, m: usize) -> Result<Self, OutOfMemory> {
        let points = order.len();
        Ok(Self {
            layer,
            m,
            stage: Stage::Select,
            next: 0,
            chosen: filled(points * m, 0)?,
            counts: filled(points, 0)?,
            starts: filled(points + 1, 0)?,
            back: Vec::new(),
            scored: Vec::new(),
            kept: Vec::new(),
            order,
        })
    }

    pub(super) fn bytes(&self) -> usize {
        self.counts.capacity()
            + 4 * (self.order.capacity() + self.chosen.capacity())
            + 4 * (self.starts.capacity() + self.back.capacity())
    }

    pub(super) fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }

    /// Does the next unit of work and returns what it cost in distances. `points` are the nodes of
    /// the layer in rising order.
    pub(super) fn step<L: Links>(
        &mut self,
        links: &mut L,
        codes: &Codes,
        points: &[u32],
        candidates: &Candidates,
    ) -> Result<u64, OutOfMemory> {
        let unit = match self.stage {
            Stage::Select | Stage::Write => UNIT_POINTS,
            _ => UNIT_COUNTED,
        };
        let end = (self.next + unit).min(self.order.len());
        let mut cost = 0;
        for place in self.next..end {
            let point = self.order[place] as usize;
            cost += match self.stage {
                Stage::Select => self.select(point, codes, candidates),
                Stage::Count => self.count(point, points),
                Stage::Fill => self.fill(point, points),
                Stage::Write => self.write(point, points, links, codes)?,
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

    /// What comes next, when the points are through.
    fn turn(&mut self) -> Result<Stage, OutOfMemory> {
        Ok(match self.stage {
            Stage::Select => Stage::Count,
            Stage::Count => {
                let mut total = 0;
                for start in &mut self.starts {
                    total += std::mem::replace(start, total);
                }
                self.back = filled(total as usize, 0)?;
                Stage::Fill
            }
            Stage::Fill => {
                // Filling moved each start to the next point's.
                self.starts.rotate_right(1);
                self.starts[0] = 0;
                Stage::Write
            }
            Stage::Write | Stage::Done => Stage::Done,
        })
    }

    fn own(&self, point: usize) -> &[u32] {
        let start = point * self.m;
        &self.chosen[start..start + usize::from(self.counts[point])]
    }

    #[inline(never)]
    fn select(&mut self, point: usize, codes: &Codes, candidates: &Candidates) -> u64 {
        self.scored.clear();
        self.scored
            .extend(candidates.of(point).iter().map(|key| ((key >> 32) as u32, *key as u32)));
        let cost = select(codes, &self.scored, self.m, &mut self.kept);
        let start = point * self.m;
        self.chosen[start..start + self.kept.len()].copy_from_slice(&self.kept);
        self.counts[point] = self.kept.len() as u8;
        cost + 8
    }

    fn count(&mut self, point: usize, points: &[u32]) -> u64 {
        for i in 0..usize::from(self.counts[point]) {
            let target = place_of(points, self.chosen[point * self.m + i]);
            self.starts[target] += 1;
        }
        1
    }

    fn fill(&mut self, point: usize, points: &[u32]) -> u64 {
        for i in 0..usize::from(self.counts[point]) {
            let target = place_of(points, self.chosen[point * self.m + i]);
            let place = &mut self.starts[target];
            self.back[*place as usize] = points[point];
            *place += 1;
        }
        1
    }

    #[inline(never)]
    fn write<L: Links>(
        &mut self,
        point: usize,
        points: &[u32],
        links: &mut L,
        codes: &Codes,
    ) -> Result<u64, OutOfMemory> {
        let mut all = std::mem::take(&mut self.kept);
        all.clear();
        all.extend_from_slice(self.own(point));
        let back = self.starts[point] as usize..self.starts[point + 1] as usize;
        for source in &self.back[back] {
            if !self.own(point).contains(source) {
                all.push(*source);
            }
        }
        let node = points[point];
        let limit = links.capacity(self.layer);
        let mut cost = 4;
        if all.len() > limit {
            let scored = &mut self.scored;
            scored.clear();
            score_all(&codes.scorer(node), &all, |score, other| scored.push((score, other)));
            scored.sort_unstable();
            cost += all.len() as u64 + select(codes, scored, limit, &mut all);
        }
        links.set_links(node, self.layer, &all)?;
        self.kept = all;
        Ok(cost)
    }
}

/// The place of a node among the layer's; on layer 0 they are the same.
fn place_of(points: &[u32], node: u32) -> usize {
    match points.get(node as usize) {
        Some(found) if *found == node => node as usize,
        _ => points.partition_point(|other| *other < node),
    }
}
