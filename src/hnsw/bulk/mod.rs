//! Linking many nodes as a whole, instead of one by one.
//!
//! Linking a row by searching for its neighbours computes thousands of distances one by one, each a
//! cache miss. Here rows are first brought together by region, and inside a region all pairs are
//! compared at once by a matrix product that stays in the cache. The levels, the layers and the
//! search are those of HNSW; only how neighbours are found differs.
//!
//! ```text
//! route.rs    rows to cells of some hundred ──► partition.rs: the cells, which the index keeps
//!             balance.rs: cells of about one size; probe.rs: how many cells a row joins
//! leaf.rs     new rows against all of a cell ──► candidates.rs: the nearest few of each
//! link.rs     which candidates become links (select.rs), and the links back
//! reach.rs    every node is reached from the entry node
//! ```
//!
//! That is layer 0. The few nodes that are above it, one in `m`, are inserted there one by one
//! (`insert.rs`): layers built from near neighbours alone would not lead from one cluster of rows to
//! another.
//!
//! Sources: partitioning and all-pairs leaves as in PiPNN (Rubel et al. 2026, arXiv:2602.21247) and
//! HCNNG (Muñoz et al. 2019); pruning as in HNSW (Malkov & Yashunin 2016, algorithm 4). Parameters
//! were measured on real embeddings: `docs/benchmarks/`.
//!
//! The work is cut into small units, so a build can stop between any two of them. The result
//! depends on the rows and the seed alone: distances are integers, and of equal candidates the
//! smaller node number is kept, in whatever order pairs are met.

mod balance;
mod candidates;
mod leaf;
mod link;
pub(crate) mod partition;
mod probe;
mod reach;
mod route;

use super::graph::Links;
use super::insert::{InsertScratch, insert_above, level_of};
use crate::error::OutOfMemory;
use crate::vectors::codes::Codes;
use candidates::Candidates;
use leaf::Leaf;
use link::Linker;
use partition::Partition;
use reach::Reach;
use route::Router;

/// Pairs of a matrix product that take the time of one distance computed alone.
const PAIRS_PER_DISTANCE: u64 = 4;
/// Distances that comparing a node with its cells costs, about.
const EXPECTED_LEAF_COST: u64 = 1200 / PAIRS_PER_DISTANCE;
/// A batch of at least this share of the index (one in so many rows) is worth a walk over all links.
const WALK_SHARE: usize = 16;

/// Rows from which on a batch is linked as a whole: with fewer, cells have hardly a new row each and
/// most of a matrix product goes to waste.
const LEAST_ROWS: usize = 32;
/// Rows that may be brought to cells for each new one, where an index has rows that are not in any:
/// more would cost more than linking the new rows one by one.
const ROUTED_PER_NEW: usize = 5;

/// Candidates a node takes from one cell, about, for nodes of `m` links. More add little: a node is
/// in several cells.
fn nearest_of(m: usize) -> usize {
    (5 * m / 8).max(4)
}

/// Candidates kept for each node, more than its links, so that selection can choose.
fn kept_of(m: usize) -> usize {
    5 * m / 2
}

/// What of a build is under way.
enum Stage {
    /// Nodes are added to the graph, without links.
    Nodes,
    Route(Box<Router>),
    Leaves {
        next: usize,
        leaf: Box<Leaf>,
    },
    Link(Box<Linker>),
    /// New nodes are inserted on the layers above 0.
    Above {
        next: usize,
        lost: Vec<u32>,
    },
    Reach(Box<Reach>),
    Done,
}

/// A build under way: of a whole graph, or of the links of nodes that are new.
pub(crate) struct Bulk {
    seed: u64,
    ef_construction: usize,
    /// Nodes there were, with their links, and nodes there will be.
    before: usize,
    nodes: usize,
    /// The cells, with the new nodes as soon as they were brought there.
    partition: Partition,
    candidates: Candidates,
    stage: Stage,
    scratch: InsertScratch,
    work: Work,
}

/// How much is done, in distances.
#[derive(Default)]
struct Work {
    done: u64,
    expected: u64,
}

impl Bulk {
    /// A build that adds to a graph of `before` nodes those up to `nodes`, whose codes are there.
    /// `partition` is that of the build before, or an empty one.
    pub(crate) fn new(
        partition: Partition,
        before: usize,
        nodes: usize,
        seed: u64,
        ef_construction: usize,
        dimensions: usize,
    ) -> Self {
        let is_outgrown = partition.is_outgrown(nodes - before, nodes);
        let routed = if is_outgrown { nodes } else { nodes - partition.nodes };
        let expected = routed as u64 * route::expected_cost(nodes, dimensions)
            + (nodes - before) as u64 * (EXPECTED_LEAF_COST + link::EXPECTED_COST);
        Self {
            seed,
            ef_construction,
            before,
            nodes,
            partition,
            candidates: Candidates::default(),
            stage: Stage::Nodes,
            scratch: InsertScratch::default(),
            work: Work { done: 0, expected },
        }
    }

    /// Whether linking the nodes from `before` to `nodes` as a whole takes less time than linking
    /// them one by one.
    pub(crate) fn pays(partition: &Partition, before: usize, nodes: usize) -> bool {
        let new = nodes - before;
        let unrouted = nodes - partition.nodes;
        before == 0 || (new >= LEAST_ROWS && unrouted <= new * ROUTED_PER_NEW)
    }

    /// Bytes allocated beside the graph and the codes.
    pub(crate) fn bytes(&self) -> usize {
        let stage = match &self.stage {
            Stage::Route(router) => router.bytes(),
            Stage::Leaves { leaf, .. } => leaf.bytes(),
            Stage::Link(linker) => linker.bytes(),
            Stage::Reach(reach) => reach.bytes(),
            Stage::Above { lost, .. } => 4 * lost.capacity(),
            Stage::Nodes | Stage::Done => 0,
        };
        stage + self.partition.bytes() + self.candidates.bytes() + self.scratch.search.bytes()
    }

    pub(crate) fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Done)
    }

    /// The cells, for the next build.
    pub(crate) fn into_partition(self) -> Partition {
        self.partition
    }

    /// The share of the work that is done, in thousandths; 1000 only when all is.
    pub(crate) fn thousandths(&self) -> u64 {
        if self.is_done() {
            1000
        } else {
            (self.work.done * 1000 / self.work.expected.max(1)).min(999)
        }
    }

    /// Does the next unit of work and returns what it cost in distances.
    pub(crate) fn step<L: Links>(
        &mut self,
        links: &mut L,
        codes: &Codes,
        m: usize,
    ) -> Result<u64, OutOfMemory> {
        let cost = self.advance(links, codes, m)?;
        self.work.done += cost;
        Ok(cost)
    }

    fn advance<L: Links>(
        &mut self,
        links: &mut L,
        codes: &Codes,
        m: usize,
    ) -> Result<u64, OutOfMemory> {
        let (before, nodes) = (self.before, self.nodes);
        match &mut self.stage {
            Stage::Nodes => self.add_nodes(links, m),
            Stage::Route(router) => {
                let cost = router.step(&mut self.partition, codes)?;
                if router.is_done() {
                    self.candidates = Candidates::new(nodes - before, kept_of(m))?;
                    self.stage = Stage::Leaves { next: 0, leaf: Box::default() };
                }
                Ok(cost)
            }
            Stage::Leaves { next, leaf } => {
                if !leaf.is_done() {
                    return Ok(leaf.step(codes, nearest_of(m), &mut self.candidates));
                }
                if let Some(members) = self.partition.cells.get(*next) {
                    *next += 1;
                    let first = members.partition_point(|node| (*node as usize) < before);
                    let askers = &members[first..];
                    if askers.is_empty() || members.len() < 2 {
                        return Ok(1);
                    }
                    let lists = askers.iter().map(|node| node - before as u32);
                    return leaf.begin(askers, lists, members, codes);
                }
                let order = self.partition.order(before)?;
                let linker = Linker::new(order, before, nodes, links.capacity(1))?;
                self.stage = Stage::Link(Box::new(linker));
                Ok(0)
            }
            Stage::Link(linker) => {
                let cost = linker.step(links, codes, &self.candidates)?;
                if linker.is_done() {
                    self.candidates = Candidates::default();
                    self.stage = Stage::Above { next: before, lost: linker.take_lost() };
                }
                Ok(cost)
            }
            Stage::Above { next, lost } => {
                if *next < nodes {
                    let node = *next as u32;
                    *next += 1;
                    let level = level_of(self.seed, node as usize, m);
                    self.scratch.search.distances = 0;
                    let (ef, scratch) = (self.ef_construction, &mut self.scratch);
                    insert_above(links, codes, node, level, ef, scratch)?;
                    return Ok(scratch.search.distances + 1);
                }
                let entry = links.entry().map_or(0, |(entry, _)| entry);
                let reach = if (nodes - before) * WALK_SHARE >= nodes {
                    Reach::walk(nodes, entry)?
                } else {
                    Reach::look(std::mem::take(lost), nodes, entry)
                };
                self.stage = Stage::Reach(Box::new(reach));
                Ok(1)
            }
            Stage::Reach(reach) => {
                let cost = reach.step(links, codes, &mut self.scratch.search)?;
                if reach.is_done() {
                    self.stage = Stage::Done;
                }
                Ok(cost)
            }
            Stage::Done => Ok(0),
        }
    }

    /// Adds some nodes; after the last they are brought to their cells.
    fn add_nodes<L: Links>(&mut self, links: &mut L, m: usize) -> Result<u64, OutOfMemory> {
        const PORTION: usize = 256;
        /// Adding a node takes the time of about as many distances.
        const NODE_COST: u64 = 2;
        let added = PORTION.min(self.nodes - links.len());
        for _ in 0..added {
            let level = level_of(self.seed, links.len(), m);
            links.add_node(level)?;
        }
        if links.len() == self.nodes {
            let router = Router::new(&mut self.partition, self.before, self.nodes, self.seed);
            self.stage = Stage::Route(Box::new(router));
        }
        Ok(added as u64 * NODE_COST)
    }
}

/// A vector of `len` times `value`.
fn filled<T: Clone>(len: usize, value: T) -> Result<Vec<T>, OutOfMemory> {
    let mut values = Vec::new();
    values.try_reserve_exact(len)?;
    values.resize(len, value);
    Ok(values)
}

/// A copy of some values.
fn copied<T: Copy>(values: &[T]) -> Result<Vec<T>, OutOfMemory> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(values.len())?;
    copy.extend_from_slice(values);
    Ok(copy)
}
