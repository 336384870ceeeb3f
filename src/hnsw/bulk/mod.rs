//! Linking many nodes as a whole, instead of one by one.
//!
//! Linking a row by searching for its neighbours computes thousands of distances one by one, each a
//! cache miss. Here rows are first brought together by region, and inside a region all pairs are
//! compared at once by a matrix product that stays in the cache. The levels, the layers and the
//! search are those of HNSW; only how neighbours are found differs.
//!
//! ```text
//! sketch.rs   long rows as short ones, for the next three (axes.rs, training.rs)
//! route.rs    rows to cells of some hundred ──► partition.rs: the cells, which the index keeps
//!             compass.rs: the nearest leaders; sending.rs: rows sorted by them; probe.rs: how many cells a row joins
//! leaves.rs   new rows against all of a cell (leaf.rs) ──► candidates.rs: the nearest few of each
//! link.rs     which candidates become links (chooser.rs), and the links back; islands.rs notes whose clusters lie
//!             apart
//! reach.rs    every node is reached from the entry point
//! islands.rs  nodes of tight clusters are found by search
//! ```
//!
//! That is layer 0. The few nodes that are above it, one in `m`, are linked there one after another
//! (`above.rs`).
//!
//! Sources: partitioning and all-pairs leaves as in PiPNN (Rubel et al. 2026, arXiv:2602.21247) and
//! HCNNG (Muñoz et al. 2019); pruning as in HNSW (Malkov & Yashunin 2016, algorithm 4). Parameters
//! were measured on real embeddings: `docs/benchmarks/`.
//!
//! The work is cut into small units (`units.rs`), so a build can stop between any two of them, threads
//! can do some at once (`team.rs`), and others can be given to helpers that share no memory
//! (`share.rs`). The result depends on the rows and the seed alone: distances are integers, and of equal
//! candidates the smaller node number is kept, in whatever order pairs are met.

mod above;
mod axes;
mod candidates;
mod chooser;
mod compass;
mod islands;
mod leaf;
mod leaves;
mod link;
pub(crate) mod partition;
mod probe;
mod reach;
mod route;
mod sending;
pub(crate) mod share;
pub(crate) mod sketch;
pub(crate) mod team;
mod training;
mod units;

use super::graph::Links;
use super::insert::{InsertScratch, level_of};
use crate::config::Config;
use crate::error::OutOfMemory;
use crate::vectors::codes::Codes;
use above::Above;
use candidates::Candidates;
use islands::{Bridges, Lookout};
use leaves::Leaves;
use link::Linker;
use partition::Partition;
use reach::Reach;
use route::Router;
use share::{Kind, Reader, Words};
use sketch::{Rows, Sketches};
use team::Team;

/// Pairs of a matrix product that take the time of one distance computed alone.
const PAIRS_PER_DISTANCE: u64 = 4;
/// A batch of at least this share of the index (one in so many rows) is worth a walk over all links.
const WALK_SHARE: usize = 16;

/// Candidates kept on the layers above 0, at most: with more, searches compute as many distances at
/// the same recall and the build takes a tenth longer.
const ABOVE_EF: usize = 64;

/// Rows from which on a batch is linked as a whole: with fewer, cells have hardly a new row each and
/// most of a matrix product goes to waste.
const LEAST_ROWS: usize = 32;
/// Nodes that an index may have for each row of a batch that is linked as a whole. Cells are read for the
/// few new rows they get: with 100 rows into 50,000 that takes about as long as inserting one by one.
const MOST_NODES_PER_NEW: usize = 512;
/// Rows that may be brought to cells for each new one, where an index has rows that are not in any:
/// more would cost more than linking the new rows one by one.
const ROUTED_PER_NEW: usize = 5;

/// Distances that linking a row costs when it was compared, about: on layer 0; above, and making sure of it.
const LINKED_COST: u64 = link::EXPECTED_COST + LATER_COST;
const LATER_COST: u64 = 55 + reach::LOOKED_AT_COST;
/// Distances that linking a node above layer 0 costs, about, and looking for one.
const ABOVE_COST: u64 = 880;
const BRIDGE_COST: u64 = 200;

/// Cells that guests leave in one unit of work, and the distances that take as long.
const DISMISSED: usize = 32;
const DISMISS_COST: u64 = 2048;

/// Nodes from which on a graph is large, and very large.
const LARGE: usize = 20_000;
const VERY_LARGE: usize = 100_000;

/// Candidates a node takes from one cell, about, for nodes of `m` links. More add little: a node is
/// in several cells.
fn nearest_of(m: usize) -> usize {
    (m / 2).max(4)
}

/// Candidates kept for each of some nodes of `m` links: more than those, so that selection can choose, and
/// more yet in large graphs, where searches that must find nearly everything pass more nodes.
fn kept_of(nodes: usize, m: usize) -> usize {
    if nodes > LARGE { 5 * m / 2 } else { 2 * m }
}

/// What of a build is under way.
enum Stage {
    /// Nodes are added to the graph, without links.
    Nodes,
    Sketch,
    Route(Box<Router>),
    Leaves(Box<Leaves>),
    /// Guests leave the cells from `next` on.
    Dismiss {
        candidates: Candidates,
        next: usize,
    },
    Link(Box<Linker>),
    /// What is left of the layers above 0; `lost` is for the walk.
    Above {
        lost: Vec<u32>,
    },
    Reach(Box<Reach>),
    Bridges(Box<Bridges>),
    Done,
}

/// A build under way: of a whole graph, or of the links of nodes that are new.
pub(crate) struct Bulk {
    seed: u64,
    m: usize,
    /// Nodes there were, with their links, and nodes there will be.
    before: usize,
    nodes: usize,
    above: Above,
    /// The cells, with the new nodes as soon as they were brought there.
    partition: Partition,
    /// What nodes are brought to cells and compared there by, if not by their codes.
    sketches: Option<Box<Sketches>>,
    /// New nodes that may not be found by search, once they are known.
    remote: Vec<u32>,
    stage: Stage,
    /// Whether helpers take part.
    is_helped: bool,
    scratch: InsertScratch,
    work: Work,
}

/// How much is done, in distances, and how much there is. That is planned again when more is known.
#[derive(Default)]
struct Work {
    done: u64,
    /// When it was planned last: how much was done, what share was shown as done, and what was left.
    before: u64,
    shown: u64,
    left: u64,
}

impl Work {
    /// Plans that so much is left.
    fn plan(&mut self, left: u64) {
        *self = Self { done: self.done, before: self.done, shown: self.thousandths(), left };
    }

    /// The share that is done, in thousandths: never less than it was, and less than all.
    fn thousandths(&self) -> u64 {
        let since = (self.done - self.before) * (1000 - self.shown) / self.left.max(1);
        (self.shown + since).min(999)
    }
}

impl Bulk {
    /// A build that adds to a graph of `before` nodes those up to `nodes`, whose codes are there.
    /// `partition` and `sketches` are those of the build before, if there was one.
    pub(crate) fn new(
        partition: Partition,
        sketches: Option<Box<Sketches>>,
        before: usize,
        nodes: usize,
        config: &Config,
    ) -> Self {
        let is_outgrown = partition.is_outgrown(nodes - before, nodes);
        let routed = if is_outgrown { nodes } else { nodes - partition.nodes };
        let drawn_from = partition.to_be_drawn_from(before, nodes);
        let is_sketched = sketch::can_be(config.dimensions, drawn_from);
        let sketching = if is_sketched { sketch::expected_cost() } else { 0 };
        let expected = routed as u64 * (route::expected_cost(nodes, config.dimensions) + sketching)
            + (nodes - before) as u64 * (leaves::EXPECTED_COST + LINKED_COST);
        let mut work = Work::default();
        work.plan(expected);
        Self {
            seed: config.seed,
            m: config.m,
            before,
            nodes,
            above: Above::new(config.seed, config.m, config.ef_construction, before, nodes),
            partition,
            sketches,
            remote: Vec::new(),
            stage: Stage::Nodes,
            is_helped: false,
            scratch: InsertScratch::default(),
            work,
        }
    }

    /// Whether linking the nodes from `before` to `nodes` as a whole takes less time than linking
    /// them one by one.
    pub(crate) fn pays(partition: &Partition, before: usize, nodes: usize) -> bool {
        let new = nodes - before;
        let unrouted = nodes - partition.nodes;
        let is_large = new >= LEAST_ROWS && nodes.div_ceil(MOST_NODES_PER_NEW) <= new;
        before == 0 || (is_large && unrouted <= new * ROUTED_PER_NEW)
    }

    /// Bytes that linking so many rows of a graph of so many nodes takes beside the graph, about: the links that they
    /// select, their candidates, their places in cells, and the distances of a cell.
    pub(crate) fn working_bytes(config: &Config, rows: usize, nodes: usize) -> usize {
        let row = 4 * config.m
            + Candidates::row_bytes(kept_of(nodes, config.m))
            + 4 * partition::MOST_FAN_OUT;
        let largest = leaf::largest_cell(nodes, config.dimensions);
        rows * row + 4 * leaf::places(rows.min(largest), largest)
    }

    /// Bytes allocated beside the graph and the codes.
    pub(crate) fn bytes(&self) -> usize {
        let stage = match &self.stage {
            Stage::Route(router) => router.bytes(),
            Stage::Leaves(leaves) => leaves.bytes(),
            Stage::Dismiss { candidates, .. } => candidates.bytes(),
            Stage::Link(linker) => linker.bytes(),
            Stage::Reach(reach) => reach.bytes(),
            Stage::Bridges(bridges) => bridges.bytes(),
            Stage::Above { lost } => 4 * lost.capacity(),
            Stage::Nodes | Stage::Sketch | Stage::Done => 0,
        };
        stage
            + self.sketches.as_ref().map_or(0, |sketches| sketches.bytes())
            + 4 * self.remote.capacity()
            + self.partition.bytes()
            + self.above.bytes()
            + self.scratch.search.bytes()
    }

    pub(crate) fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Done)
    }

    /// The cells and the sketches, for the next build.
    pub(crate) fn into_parts(self) -> (Partition, Option<Box<Sketches>>) {
        (self.partition, self.sketches)
    }

    /// The sketches that are there, and for how many nodes.
    pub(crate) fn shared_sketches(&self) -> Option<(&Codes, usize)> {
        // Before, it is not known whether those of another build will do.
        let sketches = self.sketches.as_ref().filter(|_| !matches!(self.stage, Stage::Nodes))?;
        sketches.rows().map(|rows| (rows, sketches.shared().min(self.nodes)))
    }

    /// The rows by which nodes are brought to cells and compared there, if not their codes.
    fn sketches(&self) -> Option<&Codes> {
        self.sketches.as_ref()?.rows()
    }

    /// What kind of work is next: equal for the same, and for no other.
    pub(crate) fn kind(&self) -> impl PartialEq + use<> {
        let part = match &self.stage {
            Stage::Sketch => self.sketches.as_ref().map_or(0, |sketches| sketches.part()),
            Stage::Route(router) => router.part(),
            Stage::Link(linker) => linker.part(),
            _ => 0,
        };
        (std::mem::discriminant(&self.stage), part)
    }

    /// The share of the work that is done, in thousandths; 1000 only when all is.
    pub(crate) fn thousandths(&self) -> u64 {
        if self.is_done() { 1000 } else { self.work.thousandths() }
    }

    /// Does the next unit of work and returns what it cost in distances: 0 only when nothing can be
    /// done before helpers are through.
    pub(crate) fn step<L: Links + Sync>(
        &mut self,
        links: &mut L,
        codes: &Codes,
        team: &Team,
    ) -> Result<u64, OutOfMemory> {
        // The layers above depend on no stage, and no helper can insert there: while others do units, this is done.
        let cost = if self.is_helped && self.has_units() && !self.above.is_done(self.nodes) {
            let sketches = self.sketches.as_ref().and_then(|sketches| sketches.rows());
            self.above.step(links, Rows::new(codes, sketches), &mut self.scratch)?
        } else {
            self.advance(links, codes, team)?
        };
        self.work.done += cost;
        Ok(cost)
    }

    // What a stage does is in functions of their own: an engine makes a hot function fast as a whole, and this one with
    // all of them in it took half the time that a first batch spends on that.
    fn advance<L: Links + Sync>(
        &mut self,
        links: &mut L,
        codes: &Codes,
        team: &Team,
    ) -> Result<u64, OutOfMemory> {
        let (before, nodes) = (self.before, self.nodes);
        let sketches = self.sketches.as_ref().and_then(|sketches| sketches.rows());
        let rows = Rows::new(codes, sketches);
        match &mut self.stage {
            Stage::Nodes => self.add_nodes(links, codes),
            Stage::Sketch => self.sketch(codes, team),
            Stage::Route(router) => {
                let cost = router.step(&mut self.partition, rows, team)?;
                self.go_on(links)?;
                Ok(cost)
            }
            Stage::Leaves(leaves) => {
                let cost = leaves.step(&self.partition, rows.near, team)?;
                self.go_on(links)?;
                Ok(cost)
            }
            Stage::Dismiss { next, .. } => {
                let end = self.partition.cells.len().min(*next + DISMISSED);
                self.partition.dismiss_guests(*next..end)?;
                *next = end;
                self.go_on(links)?;
                Ok(DISMISS_COST)
            }
            Stage::Link(linker) => {
                let cost = linker.step(links, codes, team)?;
                if let Some(left) = linker.take_left() {
                    self.work.plan(left + (nodes - before) as u64 * LATER_COST);
                }
                self.go_on(links)?;
                Ok(cost)
            }
            Stage::Above { lost } => {
                if !self.above.is_done(nodes) {
                    return self.above.step(links, rows, &mut self.scratch);
                }
                let entry = links.entry().map_or(0, |(entry, _)| entry);
                let reach = if (nodes - before) * WALK_SHARE >= nodes {
                    Reach::walk(nodes, entry)?
                } else {
                    Reach::look(lost, nodes, entry)?
                };
                self.stage = Stage::Reach(Box::new(reach));
                Ok(1)
            }
            Stage::Reach(reach) => {
                let cost = reach.step(links, codes, &mut self.scratch.search)?;
                if reach.is_done() {
                    let remote = std::mem::take(&mut self.remote);
                    self.stage = Stage::Bridges(Box::new(Bridges::new(remote)));
                }
                Ok(cost)
            }
            Stage::Bridges(bridges) => {
                let cost = bridges.step(links, codes, &mut self.scratch.search)?;
                if bridges.is_done() {
                    self.stage = Stage::Done;
                }
                Ok(cost)
            }
            Stage::Done => Ok(0),
        }
    }

    /// Goes on to the next stage when one is done.
    #[inline(never)]
    fn go_on<L: Links>(&mut self, links: &L) -> Result<(), OutOfMemory> {
        let (before, nodes) = (self.before, self.nodes);
        self.stage = match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Route(router) if router.is_done() => {
                // Now it is known which cells the rows are in.
                let leaves = leaves::cost_of_all(&self.partition, before);
                self.work.plan(leaves + (nodes - before) as u64 * LINKED_COST);
                let kept = kept_of(nodes, self.m);
                // By sketches the order is not quite the same.
                let kept = if self.sketches().is_some() { kept + kept / 2 } else { kept };
                Stage::Leaves(Box::new(Leaves::new(&self.partition, before, self.m, kept)?))
            }
            Stage::Leaves(leaves) if leaves.is_done() => {
                Stage::Dismiss { candidates: leaves.into_candidates(), next: 0 }
            }
            Stage::Dismiss { candidates, next } if next == self.partition.cells.len() => {
                let lookout = Lookout::new(before, nodes, self.m, self.seed)?;
                let order = self.partition.order(before)?;
                let (m, is_sketched) = (links.capacity(1), self.sketches().is_some());
                let linker =
                    Linker::new(candidates, order, before, nodes, m, is_sketched, lookout)?;
                Stage::Link(Box::new(linker))
            }
            Stage::Link(linker) if linker.is_done() => {
                let (lost, remote) = linker.into_parts()?;
                self.remote = remote;
                let above = self.above.left(nodes) as u64;
                let reach = reach::LOOKED_AT_COST * (nodes - before) as u64;
                let bridges = BRIDGE_COST * self.remote.len() as u64;
                self.work.plan(ABOVE_COST * above + reach + bridges);
                Stage::Above { lost }
            }
            stage => stage,
        };
        Ok(())
    }

    /// Adds some nodes; after the last they are brought to their cells.
    #[inline(never)]
    fn add_nodes<L: Links>(&mut self, links: &mut L, codes: &Codes) -> Result<u64, OutOfMemory> {
        const PORTION: usize = 256;
        /// Adding a node takes the time of about as many distances.
        const NODE_COST: u64 = 2;
        let added = PORTION.min(self.nodes - links.len());
        for _ in 0..added {
            let level = level_of(self.seed, links.len(), self.m);
            links.add_node(level)?;
        }
        if links.len() == self.nodes {
            let drawn_from = self.partition.to_be_drawn_from(self.before, self.nodes);
            self.sketches.take_if(|sketches| sketches.drawn_from() != drawn_from);
            if self.sketches.is_none() {
                self.sketches = Some(Box::new(Sketches::new(codes, drawn_from)?));
            }
            self.stage = Stage::Sketch;
        }
        Ok(added as u64 * NODE_COST + 1)
    }

    /// Makes some sketches where there are any to be; after the last, nodes are brought to their cells.
    #[inline(never)]
    fn sketch(&mut self, codes: &Codes, team: &Team) -> Result<u64, OutOfMemory> {
        if let Some(sketches) = &mut self.sketches
            && !sketches.are_done(self.nodes)
        {
            return sketches.step(codes, self.nodes, team);
        }
        let (before, nodes, seed) = (self.before, self.nodes, self.seed);
        let dimensions = self.sketches().unwrap_or(codes).dimensions();
        let router = Router::new(&mut self.partition, before, nodes, dimensions, seed);
        self.stage = Stage::Route(Box::new(router));
        Ok(1)
    }

    /// Whether the stage has units that are not done and that helpers can do.
    fn has_units(&self) -> bool {
        match &self.stage {
            Stage::Route(router) => router.has_units(),
            Stage::Leaves(leaves) => leaves.has_units(),
            Stage::Link(linker) => linker.has_units(),
            _ => false,
        }
    }

    /// Gives away units of work, as words for a [`Helper`](share::Helper). None while there are none
    /// to give.
    pub(crate) fn give<L: Links>(&mut self, links: &L, codes: &Codes) -> Option<Vec<u32>> {
        let mut words = Words::default();
        let budget = share::PORTION;
        let given = match &mut self.stage {
            Stage::Sketch => {
                let units = self.sketches.as_mut().and_then(|it| it.give(budget, &mut words));
                units.map(|units| (Kind::Sketch, units))
            }
            Stage::Route(router) => router.give(budget, &mut words),
            Stage::Leaves(leaves) => {
                let units = leaves.give(budget, &self.partition, &mut words);
                units.map(|units| (Kind::Leaves, units))
            }
            Stage::Link(linker) => linker.give(budget, links, codes, &mut words),
            _ => None,
        };
        self.is_helped |= given.is_some();
        given.map(|(kind, units)| share::begin(kind, &units, words))
    }

    /// Takes in what a helper made of units; false if nobody was given them, or they are not sound.
    pub(crate) fn accept<L: Links>(
        &mut self,
        words: &[u32],
        links: &mut L,
    ) -> Result<bool, OutOfMemory> {
        let Some(([kind, start, end], rest)) = words.split_first_chunk::<3>() else {
            return Ok(false);
        };
        let Some(kind) = Kind::of(*kind) else { return Ok(false) };
        let units = *start as usize..*end as usize;
        let mut words = Reader::new(rest, self.nodes);
        let cost = match (&mut self.stage, kind) {
            (Stage::Sketch, Kind::Sketch) => match &mut self.sketches {
                Some(sketches) => sketches.accept(&units, &mut words)?,
                None => None,
            },
            (Stage::Route(router), Kind::Probe | Kind::Route) => {
                router.accept(kind, &units, &mut words, &self.partition)?
            }
            (Stage::Leaves(leaves), Kind::Leaves) => {
                leaves.accept(&units, &mut words, &self.partition)
            }
            (Stage::Link(linker), Kind::Select | Kind::Prune) => {
                linker.accept(kind, &units, &mut words, links)?
            }
            _ => None,
        };
        self.work.done += cost.unwrap_or(0);
        self.go_on(links)?;
        Ok(cost.is_some())
    }

    /// Takes back all units that were given away and are not done.
    pub(crate) fn take_back(&mut self) {
        self.is_helped = false;
        match &mut self.stage {
            Stage::Sketch => {
                if let Some(sketches) = &mut self.sketches {
                    sketches.take_back();
                }
            }
            Stage::Route(router) => router.take_back(),
            Stage::Leaves(leaves) => leaves.take_back(),
            Stage::Link(linker) => linker.take_back(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_linked_as_a_whole_where_that_takes_less_time() {
        let pays = |routed, before, new| {
            let partition = Partition { nodes: routed, ..Partition::default() };
            Bulk::pays(&partition, before, before + new)
        };
        assert!(pays(0, 0, 1), "an empty index");
        assert!(pays(1000, 1000, LEAST_ROWS) && !pays(1000, 1000, LEAST_ROWS - 1));
        assert!(pays(50_000, 50_000, 98) && !pays(50_000, 50_000, 97), "cells read for few rows");
        assert!(pays(600, 1000, 100) && !pays(599, 1000, 100), "many rows in no cell");
    }
}
