//! All pairs inside a cell.
//!
//! The codes of the cell's points are packed once into column panels; each block of rows is then
//! multiplied with the panels at and right of the diagonal, and every distance is written to both
//! its places of a square matrix. A point's nearest are the smallest of its row.

use super::candidates::Candidates;
use super::carve::PAIRS_PER_DISTANCE;
use crate::distance::tile::{self, Block, MOST_COLUMNS, Out};
use crate::distance::{TOGETHER, nearest};
use crate::error::OutOfMemory;
use crate::vectors::codes::Codes;

/// Candidates a point takes from one cell. More add little: a point is in several cells.
const NEAREST: usize = 8;
/// Distances a point costs here, about: it meets its cells' points once in a matrix product.
pub(super) const EXPECTED_COST: u64 = 10 * 500 / 2 / PAIRS_PER_DISTANCE;
/// Pairs compared in one unit of work, about.
const UNIT_PAIRS: usize = 1 << 14;
/// Rows whose nearest are picked in one unit of work.
const UNIT_ROWS: usize = 64;

/// A cell being worked on; used again for the next, with its memory.
#[derive(Default)]
pub(super) struct Leaf {
    /// The points by their places in the layer, and by their nodes; both rise.
    points: Vec<u32>,
    nodes: Vec<u32>,
    panels: Vec<u8>,
    terms: Vec<u32>,
    /// A row for each point, `stride` apart: its distances to all.
    distances: Vec<u32>,
    stride: usize,
    /// The first row not compared yet, and the first whose nearest were not picked.
    next_row: usize,
    next_list: usize,
    block: Block,
    found: Vec<u64>,
}

impl Leaf {
    pub(super) fn bytes(&self) -> usize {
        self.panels.capacity()
            + 4 * (self.points.capacity() + self.nodes.capacity() + self.terms.capacity())
            + 4 * self.distances.capacity()
    }

    pub(super) fn is_done(&self) -> bool {
        self.next_list >= self.points.len()
    }

    /// Packs the cell of these `members` of the layer's `points`.
    #[inline(never)]
    pub(super) fn begin(
        &mut self,
        members: &[u32],
        points: &[u32],
        codes: &Codes,
    ) -> Result<u64, OutOfMemory> {
        let count = members.len();
        self.points.clear();
        self.points.try_reserve(count)?;
        self.points.extend_from_slice(members);
        self.nodes.clear();
        self.nodes.try_reserve(count)?;
        self.nodes.extend(members.iter().map(|member| points[*member as usize]));
        codes.pack_panels(&self.nodes, &mut self.panels, &mut self.terms)?;
        // Whole tiles are written, in both directions.
        self.stride = count.next_multiple_of(MOST_COLUMNS);
        let places = self.stride * self.stride;
        if self.distances.len() < places {
            self.distances.try_reserve(places - self.distances.len())?;
            self.distances.resize(places, 0);
        }
        (self.next_row, self.next_list) = (0, 0);
        Ok(count as u64 / 2)
    }

    /// Does the next unit of work: compares some rows, or picks the nearest of some.
    pub(super) fn step(&mut self, codes: &Codes, candidates: &mut Candidates) -> u64 {
        let count = self.points.len();
        if self.next_row < count {
            let mut pairs = 0;
            while self.next_row < count && pairs < UNIT_PAIRS {
                let rows = tile::rows().min(count - self.next_row);
                self.compare_rows(codes, self.next_row, rows);
                pairs += rows * (count - self.next_row);
                self.next_row += rows;
            }
            return pairs as u64 / PAIRS_PER_DISTANCE;
        }
        let end = (self.next_list + UNIT_ROWS).min(count);
        let cost = (end - self.next_list) * (count + 256) / 16;
        for row in self.next_list..end {
            self.pick_nearest(row, candidates);
        }
        self.next_list = end;
        cost as u64 / PAIRS_PER_DISTANCE
    }

    /// Compares rows with all columns right of them.
    #[inline(never)]
    fn compare_rows(&mut self, codes: &Codes, first: usize, rows: usize) {
        let (columns, panel_bytes, stride) = (tile::columns(), codes.panel_bytes(), self.stride);
        codes.load_block(&self.nodes[first..first + rows], &mut self.block);
        for panel in first / columns..self.points.len().div_ceil(columns) {
            let start = panel * columns;
            let out = Out {
                distances: &mut self.distances,
                stride,
                across: first * stride + start,
                down: Some(start * stride + first),
            };
            let codes = &self.panels[panel * panel_bytes..(panel + 1) * panel_bytes];
            self.block.run(codes, &self.terms[start..start + columns], out);
        }
    }

    /// Hands the nearest of a point to the candidates.
    #[inline(never)]
    fn pick_nearest(&mut self, row: usize, candidates: &mut Candidates) {
        let count = self.points.len();
        let start = row * self.stride;
        let distances = &mut self.distances[start..start + count.next_multiple_of(TOGETHER)];
        distances[row] = u32::MAX;
        distances[count..].fill(u32::MAX);
        let point = self.points[row] as usize;
        // Nothing is at the distance of what is no candidate.
        let limit = candidates.limit(point).min(u32::MAX - 1);
        nearest(distances, NEAREST, limit, &mut self.found);
        let nodes = &self.nodes;
        let keys = self.found.iter().map(|key| {
            let place = *key as u32 as usize;
            key >> 32 << 32 | u64::from(nodes[place])
        });
        candidates.offer(point, keys);
    }
}
