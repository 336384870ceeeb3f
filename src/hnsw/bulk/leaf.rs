//! Comparing nodes with the nodes of a cell.
//!
//! The codes of the *askers*, the nodes whose neighbours are wanted, are packed once into column
//! panels; the members of the cell come in blocks of rows and are multiplied with the panels. An
//! asker's nearest are then the smallest of its row of distances.
//!
//! When all members ask, every pair is computed once, and its distance is written to both its places.

use super::VERY_LARGE;
use super::partition::node_of;
use crate::distance::tile::{self, Block, MOST_COLUMNS, Out};
use crate::distance::{TOGETHER, nearest};
use crate::error::OutOfMemory;
use crate::vectors::codes::Codes;
use crate::vectors::panels::Panels;
use crate::vectors::{Space, key, of_key, score_all};

/// Members of a cell that is not divided, in a very large graph and in others. Where cells are divided neighbours part:
/// with cells of up to 900, nodes must join two more for searches to be as short (60,000 rows of WordNet). With up to
/// 1400 searches need 2 % fewer distances at a recall of 0.995 (means of six seeds), but there are 11 % more pairs,
/// whose distances take memory.
const LARGEST_CELL_VERY_LARGE: usize = 1400;
const LARGEST_CELL: usize = 1200;
/// Products of a cell: cells of long vectors are smaller, so that none takes long.
const LARGEST_PRODUCT: usize = 400 << 20;

/// Members of a cell that is not divided, in a graph of so many nodes.
pub(super) fn largest_cell(nodes: usize, dimensions: usize) -> usize {
    let largest = if nodes > VERY_LARGE { LARGEST_CELL_VERY_LARGE } else { LARGEST_CELL };
    largest.min((LARGEST_PRODUCT / dimensions.max(1)).isqrt())
}

/// Members that askers are compared with one by one, at once: they stay in the first cache.
const SINGLY_ROWS: usize = 32;

/// Distances that memory is made for at once.
const GROWN: usize = 1 << 16;

/// The distance from one asker's distances to the next one's: whole tiles are written.
fn stride(members: usize) -> usize {
    members.next_multiple_of(MOST_COLUMNS)
}

/// Distances that comparing so many askers and members takes memory for.
pub(super) fn places(askers: usize, members: usize) -> usize {
    stride(members) * stride(askers)
}

/// Memory for comparing, used again for the next cell.
#[derive(Default)]
pub(super) struct Leaf {
    askers: Vec<u32>,
    members: Vec<u32>,
    is_square: bool,
    panels: Panels,
    /// A row for each asker, `stride` apart: its distances to the members.
    distances: Vec<u32>,
    stride: usize,
    /// The first member that was not compared.
    next: usize,
    block: Block,
    found: Vec<u64>,
}

impl Leaf {
    pub(super) fn bytes(&self) -> usize {
        let tables = [&self.askers, &self.members, &self.distances];
        self.panels.bytes() + tables.map(|table| 4 * table.capacity()).iter().sum::<usize>()
    }

    /// Makes some memory for so many distances; false when it is there.
    pub(super) fn grow(&mut self, places: usize) -> Result<bool, OutOfMemory> {
        let distances = &mut self.distances;
        if distances.len() >= places {
            return Ok(false);
        }
        if distances.capacity() < places {
            // What is in it is not worth a copy.
            *distances = Vec::new();
            distances.try_reserve_exact(places)?;
        }
        distances.resize(places.min(distances.len() + GROWN), 0);
        Ok(true)
    }

    /// Compares askers with members; both rise. Returns how many pairs of a matrix product it took.
    pub(super) fn compare(
        &mut self,
        askers: &[u32],
        members: &[u32],
        codes: &Codes,
    ) -> Result<usize, OutOfMemory> {
        self.begin(askers, members, codes)?;
        Ok(self.go_on(usize::MAX, codes))
    }

    /// Begins to compare askers with members; both rise.
    pub(super) fn begin(
        &mut self,
        askers: &[u32],
        members: &[u32],
        codes: &Codes,
    ) -> Result<(), OutOfMemory> {
        for (own, given) in [(&mut self.askers, askers), (&mut self.members, members)] {
            own.clear();
            own.try_reserve(given.len())?;
            own.extend(given.iter().map(|member| node_of(*member)));
        }
        self.is_square = askers == members;
        self.stride = stride(members.len());
        while self.grow(places(askers.len(), members.len()))? {}
        self.next = 0;
        if self.is_product() { self.panels.pack(codes, &self.askers) } else { Ok(()) }
    }

    /// Whether all were compared that [`begin`](Self::begin) began with.
    pub(super) fn is_done(&self) -> bool {
        self.askers.is_empty() || self.next >= self.members.len()
    }

    /// A matrix product of few columns would be mostly waste.
    fn is_product(&self) -> bool {
        self.askers.len() * 3 > tile::columns()
    }

    /// Compares more of them, about so many pairs. Returns how many pairs of a matrix product it took.
    pub(super) fn go_on(&mut self, most: usize, codes: &Codes) -> usize {
        if !self.is_product() && !self.is_done() {
            self.next = self.members.len();
            return self.compare_singly(codes);
        }
        let mut pairs = 0;
        while !self.is_done() && pairs < most {
            let member = self.next;
            let rows = tile::rows().min(self.members.len() - member);
            codes.prefetch(few(&self.members[member + rows..], tile::rows()));
            // In a square the pairs left of the diagonal are known.
            let first = if self.is_square { member / tile::columns() } else { 0 };
            self.compare_rows(codes, member, rows, first);
            pairs += rows * (self.askers.len() - first * tile::columns());
            self.next += rows;
        }
        pairs
    }

    /// Compares each asker by itself, with some members after another, which stay in the first cache
    /// until all askers were compared with them. A distance takes the time of some pairs of a product.
    fn compare_singly(&mut self, codes: &Codes) -> usize {
        for (block, members) in self.members.chunks(SINGLY_ROWS).enumerate() {
            let start = block * SINGLY_ROWS;
            codes.prefetch(few(&self.members[start + members.len()..], SINGLY_ROWS));
            let rows = self.distances.chunks_mut(self.stride);
            for (asker, distances) in self.askers.iter().zip(rows) {
                let mut places = distances[start..].iter_mut();
                score_all(&codes.scorer(*asker), members, |distance, _| {
                    if let Some(place) = places.next() {
                        *place = distance;
                    }
                });
            }
        }
        self.askers.len() * self.members.len() * super::PAIRS_PER_DISTANCE as usize
    }

    /// Compares members with the panels of askers from `first` on.
    // A function of its own: engines make hot functions fast one by one, and small ones faster.
    #[inline(never)]
    fn compare_rows(&mut self, codes: &Codes, member: usize, rows: usize, first: usize) {
        let (columns, stride) = (tile::columns(), self.stride);
        codes.load_block(&self.members[member..member + rows], &mut self.block);
        let asker = first * columns;
        let out = Out {
            distances: &mut self.distances,
            stride,
            across: self.is_square.then_some(member * stride + asker),
            down: Some(asker * stride + member),
        };
        self.panels.run(first..self.askers.len().div_ceil(columns), &self.block, out);
    }

    /// Of the first `among` members those nearest to the asker in place `asker`, about `count` of those at most `limit`
    /// away, as `distance << 32 | node`. What is found depends on the cell, the counts and the limit alone.
    #[inline(never)]
    pub(super) fn pick(
        &mut self,
        asker: usize,
        among: usize,
        count: usize,
        limit: u32,
    ) -> impl Iterator<Item = u64> {
        let members = &self.members[..among];
        let start = asker * self.stride;
        let end = start + members.len().next_multiple_of(TOGETHER);
        let distances = &mut self.distances[start..end];
        distances[members.len()..].fill(u32::MAX);
        let itself =
            if self.is_square { Ok(asker) } else { members.binary_search(&self.askers[asker]) };
        if let Some(own) = itself.ok().and_then(|itself| distances.get_mut(itself)) {
            *own = u32::MAX;
        }
        nearest(distances, count, limit, &mut self.found);
        self.found.iter().map(move |found| {
            let (distance, place) = of_key(*found);
            key(distance, members[place as usize])
        })
    }
}

/// The first of some nodes, at most so many.
fn few(nodes: &[u32], most: usize) -> &[u32] {
    &nodes[..nodes.len().min(most)]
}
