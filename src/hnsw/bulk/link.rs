//! From candidates to links: each new node selects some, then the links back are added.
//!
//! ```text
//! Select   in the order of the cells, so that codes are in the cache: at most m of the candidates. Nodes whose
//!          clusters lie apart are noted (islands.rs)
//! Count    how many links lead back to each node, new or old
//! Fill     which
//! Prune    the links of a node and those back to it; where they are too many, the best of them
//! ```

use std::ops::Range;

use super::candidates::Candidates;
use super::chooser::{Chooser, Chosen};
use super::islands::Lookout;
use super::share::{Kind, Reader, Words};
use super::team::{Pool, Team};
use super::units::Units;
use crate::error::OutOfMemory;
use crate::hnsw::graph::Links;
use crate::memory::filled;
use crate::vectors::codes::Codes;

/// Distances that settling a node's list and looking at it takes, and selecting with it, about.
const LOOKED_AT_COST: usize = 40;
const SELECT_COST: usize = 220 + LOOKED_AT_COST;
/// Distances that pruning takes for a node, about.
const PRUNE_COST: usize = 60;
/// Distances a node costs here, about.
pub(super) const EXPECTED_COST: u64 = (SELECT_COST + PRUNE_COST) as u64 + 1 + FILL_COST;
/// After this share of the nodes, one in so many, it is known what selecting takes: data sets differ by half.
const TRIED: usize = 8;
/// Nodes worked on in one step, or by one thread of a team at once.
const STEP_NODES: usize = 16;
/// Nodes that a team works on in one step, for each of its threads.
const TEAM_NODES: usize = 512;
/// Nodes counted in one step. Filling in a node's links takes the time of so many distances, counting them of one.
const STEP_COUNTED: usize = 1024;
const FILL_COST: u64 = 4;
/// Distances that bringing a node's links together and writing them takes the time of.
const WRITE_COST: u64 = 10;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Select,
    Count,
    Fill,
    Prune,
    Done,
}

/// Links the new nodes.
pub(super) struct Linker {
    candidates: Candidates,
    /// The new nodes in the order they are worked on; after filling, with the old nodes that new ones
    /// link to.
    order: Vec<u32>,
    /// The first new node, and how many nodes there are.
    fresh: usize,
    nodes: usize,
    m: usize,
    /// Whether the candidates' distances are those of sketches.
    is_sketched: bool,
    stage: Stage,
    units: Units,
    /// Looks at the candidates of each new node when it is selected for; the first unit that was not looked at.
    lookout: Lookout,
    looked: usize,
    /// `m` places for each new node, the nodes it selected, and how many are used.
    chosen: Vec<u32>,
    counts: Vec<u16>,
    /// Where the links back to each node begin in `back`; while filling, where the next goes.
    starts: Vec<u32>,
    back: Vec<u32>,
    memory: Pool<Chooser>,
    /// Nodes that lost a link which led to them, or never had one.
    lost: Vec<u32>,
    /// Nodes selected for, and the distances that took; what is left, when that has just become known.
    selected: (usize, u64),
    left: Option<u64>,
}

impl Linker {
    /// A linker of the nodes `fresh..nodes`, which it works on in this order.
    pub(super) fn new(
        candidates: Candidates,
        order: Vec<u32>,
        fresh: usize,
        nodes: usize,
        m: usize,
        is_sketched: bool,
        lookout: Lookout,
    ) -> Result<Self, OutOfMemory> {
        Ok(Self {
            candidates,
            fresh,
            nodes,
            m,
            is_sketched,
            stage: Stage::Select,
            units: Units::new(order.len()),
            lookout,
            looked: 0,
            chosen: filled(order.len() * m, 0)?,
            counts: filled(order.len(), 0)?,
            starts: filled(nodes + 1, 0)?,
            back: Vec::new(),
            memory: Pool::default(),
            lost: Vec::new(),
            selected: (0, 0),
            left: None,
            order,
        })
    }

    pub(super) fn bytes(&self) -> usize {
        let tables = [&self.order, &self.chosen, &self.starts, &self.back, &self.lost];
        let tables = tables.map(|table| 4 * table.capacity()).iter().sum::<usize>();
        self.candidates.bytes() + 2 * self.counts.capacity() + tables + self.lookout.bytes()
    }

    pub(super) fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }

    /// A number for what is next.
    pub(super) fn part(&self) -> u8 {
        self.stage as u8
    }

    /// Whether there are nodes that helpers can choose for.
    pub(super) fn has_units(&self) -> bool {
        matches!(self.stage, Stage::Select | Stage::Prune)
    }

    /// The nodes that may have no link which leads to them, and those that may not be found.
    pub(super) fn into_parts(self) -> Result<(Vec<u32>, Vec<u32>), OutOfMemory> {
        Ok((self.lost, self.lookout.into_remote()?))
    }

    /// Does the next units of work, more where a team does them, and returns what they cost in
    /// distances. Nothing is done while all that is left is given away.
    pub(super) fn step<L: Links + Sync>(
        &mut self,
        links: &mut L,
        codes: &Codes,
        team: &Team,
    ) -> Result<u64, OutOfMemory> {
        let most = match self.stage {
            Stage::Count | Stage::Fill => STEP_COUNTED,
            _ if team.threads() > 1 => team.threads() * TEAM_NODES,
            _ => STEP_NODES,
        };
        let Some(units) = self.units.take(most, |_| 1) else { return Ok(0) };
        let cost = match self.stage {
            Stage::Select => {
                let nodes = units.len();
                let looked = self.look(&units, codes);
                let chosen = self.select(&units, codes, team);
                let cost = looked + self.take_in(units.start, &chosen, links)?;
                self.learn(nodes, cost);
                cost
            }
            Stage::Count => self.count(units),
            Stage::Fill => self.fill(units),
            Stage::Prune => {
                let chosen = self.prune(&units, links, codes, team);
                self.take_in(units.start, &chosen, links)?
            }
            Stage::Done => 0,
        };
        self.go_on()?;
        Ok(cost)
    }

    /// Takes note of what selecting for some nodes took.
    fn learn(&mut self, nodes: usize, cost: u64) {
        let (all, (before, _)) = (self.order.len(), self.selected);
        self.selected.0 += nodes;
        self.selected.1 += cost;
        let (selected, spent) = self.selected;
        if before * TRIED < all && selected * TRIED >= all {
            let each = spent / selected as u64;
            let later = all as u64 * (EXPECTED_COST - SELECT_COST as u64);
            self.left = Some((all - selected) as u64 * each + later);
        }
    }

    /// The distances that what is left takes, once, when that has become known.
    pub(super) fn take_left(&mut self) -> Option<u64> {
        self.left.take()
    }

    /// Goes on to the next stage when one is through.
    fn go_on(&mut self) -> Result<(), OutOfMemory> {
        if !self.units.is_done() {
            return Ok(());
        }
        match self.stage {
            Stage::Select => {
                self.candidates = Candidates::default();
                self.stage = Stage::Count;
            }
            Stage::Count => {
                let mut total = 0;
                for start in &mut self.starts {
                    total += std::mem::replace(start, total);
                }
                self.back = filled(total as usize, 0)?;
                self.stage = Stage::Fill;
            }
            Stage::Fill => {
                // Filling moved each start to the next node's.
                self.starts.rotate_right(1);
                self.starts[0] = 0;
                let starts = &self.starts;
                let is_linked = |node: &u32| starts[*node as usize] < starts[*node as usize + 1];
                let old = (0..self.fresh as u32).filter(is_linked);
                self.order.try_reserve_exact(old.clone().count())?;
                self.order.extend(old);
                self.stage = Stage::Prune;
            }
            Stage::Prune | Stage::Done => self.stage = Stage::Done,
        }
        self.units = Units::new(if self.stage == Stage::Done { 0 } else { self.order.len() });
        Ok(())
    }

    /// What a new node selected.
    fn own(&self, node: u32) -> &[u32] {
        let place = node as usize - self.fresh;
        &self.chosen[place * self.m..][..usize::from(self.counts[place])]
    }

    fn set_own(&mut self, node: u32, links: &[u32]) {
        let place = node as usize - self.fresh;
        self.chosen[place * self.m..][..links.len()].copy_from_slice(links);
        self.counts[place] = links.len() as u16;
    }

    /// Chooses for the nodes of some units, in portions that a team does at once.
    #[inline(never)]
    fn choose(
        &self,
        units: &Range<usize>,
        team: &Team,
        choose: &(dyn Fn(u32, &mut Chooser, &mut Chosen) -> u64 + Sync),
    ) -> Vec<Chosen> {
        let order = &self.order[units.clone()];
        team.map(0..order.len().div_ceil(STEP_NODES), |portion| {
            let nodes = order[portion * STEP_NODES..].iter().take(STEP_NODES);
            self.memory.with(|chooser| {
                let mut chosen = Chosen::of(STEP_NODES, 2 * self.m);
                for node in nodes {
                    chosen.cost += choose(*node, chooser, &mut chosen);
                }
                chosen
            })
        })
    }

    /// Settles the lists of the nodes of some units and looks at them, where that was not done before: in one order,
    /// whoever selects. Returns what it cost.
    fn look(&mut self, units: &Range<usize>, codes: &Codes) -> u64 {
        let new = self.looked.clamp(units.start, units.end)..units.end;
        self.looked = self.looked.max(units.end);
        for node in &self.order[new.clone()] {
            let list = *node as usize - self.fresh;
            self.candidates.settle(list);
            self.lookout.look(*node, self.candidates.of(list), codes);
        }
        (new.len() * LOOKED_AT_COST) as u64
    }

    #[inline(never)]
    fn select(&self, units: &Range<usize>, codes: &Codes, team: &Team) -> Vec<Chosen> {
        let (sizes, is_sketched, fresh) = ((self.nodes, self.m), self.is_sketched, self.fresh);
        self.choose(units, team, &|node, chooser, chosen| {
            let mut keys = self.candidates.of(node as usize - fresh).iter().copied();
            let (kept, cost) = chooser.select(node, &mut keys, sizes, is_sketched, codes);
            chosen.push(kept, &[]);
            cost
        })
    }

    #[inline(never)]
    fn count(&mut self, units: Range<usize>) -> u64 {
        let cost = units.len() as u64;
        for unit in units {
            let place = self.order[unit] as usize - self.fresh;
            for target in &self.chosen[place * self.m..][..usize::from(self.counts[place])] {
                self.starts[*target as usize] += 1;
            }
        }
        cost
    }

    #[inline(never)]
    fn fill(&mut self, units: Range<usize>) -> u64 {
        let cost = units.len() as u64 * FILL_COST;
        for unit in units {
            let node = self.order[unit];
            let place = node as usize - self.fresh;
            for target in &self.chosen[place * self.m..][..usize::from(self.counts[place])] {
                let start = &mut self.starts[*target as usize];
                self.back[*start as usize] = node;
                *start += 1;
            }
        }
        cost
    }

    /// All links of a node: its own and those back to it.
    fn union<L: Links>(&self, node: u32, links: &L, all: &mut Vec<u32>) {
        all.clear();
        let is_old = (node as usize) < self.fresh;
        all.extend_from_slice(if is_old { links.links(node, 0) } else { self.own(node) });
        let own = all.len();
        let back = self.starts[node as usize] as usize..self.starts[node as usize + 1] as usize;
        for source in &self.back[back] {
            if !all[..own].contains(source) {
                all.push(*source);
            }
        }
    }

    #[inline(never)]
    fn prune<L: Links + Sync>(
        &self,
        units: &Range<usize>,
        links: &L,
        codes: &Codes,
        team: &Team,
    ) -> Vec<Chosen> {
        let limit = links.capacity(0);
        self.choose(units, team, &|node, chooser, chosen| {
            let mut all = std::mem::take(&mut chooser.all);
            self.union(node, links, &mut all);
            let mut cost = WRITE_COST;
            if all.len() <= limit {
                chosen.push(&all, &[]);
            } else {
                let (kept, distances) = chooser.prune(node, &all, limit, codes);
                all.retain(|other| !kept.contains(other));
                chosen.push(kept, &all);
                cost += distances;
            }
            chooser.all = all;
            cost
        })
    }

    /// Takes in what was chosen for the nodes of the units from `unit` on: their own links, or all that they are to
    /// have. Returns what that took.
    fn take_in<L: Links>(
        &mut self,
        mut unit: usize,
        chosen: &[Chosen],
        links: &mut L,
    ) -> Result<u64, OutOfMemory> {
        for (kept, lost) in chosen.iter().flat_map(Chosen::each) {
            let node = self.order[unit];
            unit += 1;
            if self.stage == Stage::Select {
                self.set_own(node, kept);
            } else {
                self.write(node, kept, lost, links)?;
            }
        }
        Ok(chosen.iter().map(|chosen| chosen.cost).sum())
    }

    /// Writes the links of a node, and takes note of the nodes that lost one.
    fn write<L: Links>(
        &mut self,
        node: u32,
        kept: &[u32],
        lost: &[u32],
        links: &mut L,
    ) -> Result<(), OutOfMemory> {
        self.lost.try_reserve(lost.len() + 1)?;
        self.lost.extend_from_slice(lost);
        if kept.is_empty() {
            self.lost.push(node);
        }
        links.set_links(node, 0, kept)
    }

    /// Gives away some units, to be done by `chooser::work_select` or `chooser::work_prune`.
    pub(super) fn give<L: Links>(
        &mut self,
        budget: u64,
        links: &L,
        codes: &Codes,
        out: &mut Words,
    ) -> Option<(Kind, Range<usize>)> {
        match self.stage {
            Stage::Select => {
                let units = self.units.give(budget as usize, |_| SELECT_COST)?;
                self.look(&units, codes);
                out.push(self.nodes);
                out.push(usize::from(self.is_sketched));
                for node in &self.order[units.clone()] {
                    out.push(*node as usize);
                    out.keys(self.candidates.of(*node as usize - self.fresh).iter().copied());
                }
                Some((Kind::Select, units))
            }
            Stage::Prune => {
                let units = self.units.give(budget as usize, |_| PRUNE_COST)?;
                let limit = links.capacity(0);
                let mut all = Vec::new();
                for unit in units.clone() {
                    let node = self.order[unit];
                    self.union(node, links, &mut all);
                    // What has room needs no helper; the helper is given what has none.
                    if all.len() > limit {
                        out.push(node as usize);
                        out.list(all.iter().copied());
                    }
                }
                Some((Kind::Prune, units))
            }
            _ => None,
        }
    }

    /// Takes in what was made of units that were given away. Returns what they cost.
    pub(super) fn accept<L: Links>(
        &mut self,
        kind: Kind,
        units: &Range<usize>,
        words: &mut Reader<'_>,
        links: &mut L,
    ) -> Result<Option<u64>, OutOfMemory> {
        let stage = if kind == Kind::Select { Stage::Select } else { Stage::Prune };
        if stage != self.stage || units.end > self.order.len() || units.start > units.end {
            return Ok(None);
        }
        let limit = if kind == Kind::Select { self.m } else { links.capacity(0) };
        let mut chosen = Chosen::of(units.len(), limit);
        let (mut all, mut lost) = (Vec::new(), Vec::new());
        for node in &self.order[units.clone()] {
            if kind == Kind::Prune {
                self.union(*node, links, &mut all);
                if all.len() <= limit {
                    chosen.push(&all, &[]);
                    continue;
                }
            }
            let Some(kept) = words.nodes().filter(|kept| kept.len() <= limit) else {
                return Ok(None);
            };
            let is_sound = |(i, one): (usize, &u32)| {
                let is_known = kind == Kind::Select || all.contains(one);
                is_known && one != node && !kept[..i].contains(one)
            };
            if !kept.iter().enumerate().all(is_sound) {
                return Ok(None);
            }
            lost.clear();
            lost.extend(all.iter().copied().filter(|other| !kept.contains(other)));
            chosen.push(kept, &lost);
        }
        if !self.units.finish(units) {
            return Ok(None);
        }
        self.take_in(units.start, &[chosen], links)?;
        self.go_on()?;
        let each = if kind == Kind::Select { SELECT_COST } else { PRUNE_COST };
        Ok(Some((units.len() * each) as u64))
    }

    /// Takes back what was given away and is not done.
    pub(super) fn take_back(&mut self) {
        self.units.take_back();
    }
}
