//! Building the graph of many rows as a whole, instead of row by row.
//!
//! Linking a row by searching for its neighbours computes thousands of distances one by one, each a
//! cache miss. Here rows are first brought together by region, and inside a region all pairs are
//! compared at once by a matrix product that stays in the cache. The levels, the layers and the
//! search are those of HNSW; only how neighbours are found differs.
//!
//! ```text
//! carve.rs       rows into overlapping cells of some hundred: each row joins the cells of its
//!                nearest leaders
//! leaf.rs        all pairs inside a cell ──► candidates.rs: the nearest few of each row
//! link.rs        which candidates become links (select.rs), and the links back
//! reach.rs       every node is reached from the entry point
//! ```
//!
//! Sources: partitioning and all-pairs leaves as in PiPNN (Rubel et al. 2026, arXiv:2602.21247) and
//! HCNNG (Muñoz et al. 2019); pruning as in HNSW (Malkov & Yashunin 2016, algorithm 4). Parameters
//! were measured on real embeddings: `docs/benchmarks/`.
//!
//! The work is cut into small units, so a build can stop between any two of them. The result
//! depends on the rows and the seed alone: distances are integers, and of equal candidates the
//! smaller node number is kept, in whatever order pairs are met.

mod candidates;
mod carve;
mod leaf;
mod link;
mod reach;

use super::graph::Links;
use super::insert::level_of;
use super::search::Scratch;
use crate::error::OutOfMemory;
use crate::vectors::codes::Codes;
use candidates::Candidates;
use carve::{Carver, Cells};
use leaf::Leaf;
use link::Linker;
use reach::Reach;

/// Candidates kept for each point: twice the links of a node, so that selection can choose.
const KEPT: usize = 32;

/// What of a build is under way.
enum Stage {
    /// Nodes are added to the graph, without links.
    Nodes,
    Carve(Box<Carver>),
    Leaves {
        cells: Cells,
        next: usize,
        leaf: Box<Leaf>,
    },
    Link(Box<Linker>),
    Reach(Box<Reach>),
    Done,
}

/// A build under way. The graph holds no node when it begins.
pub(crate) struct Bulk {
    seed: u64,
    nodes: usize,
    /// The layer being built, from 0 up, and its nodes in rising order.
    layer: usize,
    points: Vec<u32>,
    top: usize,
    entry: u32,
    candidates: Candidates,
    stage: Stage,
    scratch: Scratch,
    work: Work,
}

/// How much is done, in distances.
#[derive(Default)]
struct Work {
    done: u64,
    expected: u64,
}

impl Bulk {
    /// A build of a graph of the nodes `0..nodes`, whose codes are there.
    pub(crate) fn new(nodes: usize, seed: u64) -> Self {
        let expected = nodes as u64
            * (carve::expected_cost(nodes) + leaf::EXPECTED_COST + link::EXPECTED_COST);
        Self {
            seed,
            nodes,
            layer: 0,
            points: Vec::new(),
            top: 0,
            entry: 0,
            candidates: Candidates::default(),
            stage: Stage::Nodes,
            scratch: Scratch::default(),
            work: Work { done: 0, expected },
        }
    }

    /// Bytes allocated beside the graph and the codes.
    pub(crate) fn bytes(&self) -> usize {
        let stage = match &self.stage {
            Stage::Carve(carver) => carver.bytes(),
            Stage::Leaves { cells, leaf, .. } => cells.bytes() + leaf.bytes(),
            Stage::Link(linker) => linker.bytes(),
            Stage::Reach(reach) => reach.bytes(),
            Stage::Nodes | Stage::Done => 0,
        };
        stage + self.candidates.bytes() + 4 * self.points.capacity() + self.scratch.bytes()
    }

    pub(crate) fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Done)
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
        match &mut self.stage {
            Stage::Nodes => self.add_nodes(links, m),
            Stage::Carve(carver) => {
                let cost = carver.step(codes)?;
                if let Some(cells) = carver.take_cells() {
                    self.candidates = Candidates::new(self.points.len(), KEPT)?;
                    self.stage = Stage::Leaves { cells, next: 0, leaf: Box::default() };
                }
                Ok(cost)
            }
            Stage::Leaves { cells, next, leaf } => {
                if !leaf.is_done() {
                    return Ok(leaf.step(codes, &mut self.candidates));
                }
                if let Some(members) = cells.get(*next) {
                    *next += 1;
                    return leaf.begin(members, &self.points, codes);
                }
                let order = std::mem::take(cells).into_order(self.points.len())?;
                let linker = Linker::new(order, self.layer, links.capacity(1))?;
                self.stage = Stage::Link(Box::new(linker));
                Ok(0)
            }
            Stage::Link(linker) => {
                let cost = linker.step(links, codes, &self.points, &self.candidates)?;
                if linker.is_done() {
                    self.candidates = Candidates::default();
                    let reach = Reach::new(&self.points, self.nodes, self.entry, self.layer)?;
                    self.stage = Stage::Reach(Box::new(reach));
                }
                Ok(cost)
            }
            Stage::Reach(reach) => {
                let cost = reach.step(links, codes, &self.points, &mut self.scratch)?;
                if reach.is_done() {
                    self.next_layer(links, m)?;
                }
                Ok(cost)
            }
            Stage::Done => Ok(0),
        }
    }

    /// Adds some nodes; after the last, layer 0 begins.
    fn add_nodes<L: Links>(&mut self, links: &mut L, m: usize) -> Result<u64, OutOfMemory> {
        const PORTION: usize = 256;
        /// Adding a node takes the time of about as many distances.
        const NODE_COST: u64 = 2;
        let first = self.points.len();
        let end = (first + PORTION).min(self.nodes);
        if first == 0 {
            self.points.try_reserve_exact(self.nodes)?;
        }
        for node in first..end {
            let level = level_of(self.seed, node, m);
            links.add_node(level)?;
            if node == 0 || level > self.top {
                (self.top, self.entry) = (level, node as u32);
            }
            self.points.push(node as u32);
        }
        if end == self.nodes {
            links.set_entry(self.entry);
            self.begin_layer()?;
        }
        Ok((end - first) as u64 * NODE_COST)
    }

    fn begin_layer(&mut self) -> Result<(), OutOfMemory> {
        let carver = Carver::new(&self.points, self.seed)?;
        self.stage = Stage::Carve(Box::new(carver));
        Ok(())
    }

    /// Goes up a layer, to the nodes that are on it.
    fn next_layer<L: Links>(&mut self, _links: &L, m: usize) -> Result<(), OutOfMemory> {
        self.layer += 1;
        if self.layer > self.top {
            self.stage = Stage::Done;
            return Ok(());
        }
        let (seed, layer) = (self.seed, self.layer);
        self.points.retain(|node| level_of(seed, *node as usize, m) >= layer);
        self.begin_layer()
    }
}

/// A vector of `len` times `value`.
fn filled<T: Clone>(len: usize, value: T) -> Result<Vec<T>, OutOfMemory> {
    let mut values = Vec::new();
    values.try_reserve_exact(len)?;
    values.resize(len, value);
    Ok(values)
}
