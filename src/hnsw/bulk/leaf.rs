//! All pairs inside a cell.
//!
//! The codes of the cell's points are packed once into column panels; each block of rows is then
//! multiplied with the panels at and right of the diagonal, so every pair is met once and offered to
//! both its ends. The kernel marks the few pairs that are near enough to matter; only those reach
//! the lists.
//!
//! A point keeps its [`NEAREST`] in each cell. What it keeps does not depend on the shape of the
//! kernel's tiles: a pair is refused only by its own key.

use super::candidates::Candidates;
use super::carve::{PAIRS_PER_DISTANCE, insert_key};
use super::filled;
use crate::distance::tile::{self, Block, TileOut};
use crate::error::OutOfMemory;
use crate::vectors::codes::Codes;

/// Candidates a point takes from one cell. More add little: a point is in several cells.
const NEAREST: usize = 10;
/// Distances a point costs here, about: it meets its cells' points once in a matrix product.
pub(super) const EXPECTED_COST: u64 = 10 * 500 / 2 / PAIRS_PER_DISTANCE;
/// Pairs compared in one unit of work, about.
const UNIT_PAIRS: usize = 1 << 14;

/// A cell being worked on; used again for the next, with its memory.
#[derive(Default)]
pub(super) struct Leaf {
    /// The points by their places in the layer, and by their nodes.
    points: Vec<u32>,
    nodes: Vec<u32>,
    panels: Vec<u8>,
    terms: Vec<u32>,
    /// For each point, 1 + the largest distance that can still enter its list.
    limits: Vec<u32>,
    /// For each point its nearest, as `distance << 32 | node`, rising, with the rest at the top.
    nearest: Vec<u64>,
    next_row: usize,
    block: Block,
    out: TileOut,
}

impl Leaf {
    pub(super) fn bytes(&self) -> usize {
        self.panels.capacity()
            + 4 * (self.points.capacity() + self.nodes.capacity() + self.terms.capacity())
            + 4 * self.limits.capacity()
            + 8 * self.nearest.capacity()
    }

    pub(super) fn is_done(&self) -> bool {
        self.next_row >= self.points.len()
    }

    /// Packs the cell of these `members` of the layer's `points`.
    pub(super) fn begin(
        &mut self,
        members: &[u32],
        points: &[u32],
        codes: &Codes,
        candidates: &Candidates,
    ) -> Result<u64, OutOfMemory> {
        let count = members.len();
        self.points.clear();
        self.points.try_reserve(count)?;
        self.points.extend_from_slice(members);
        self.nodes.clear();
        self.nodes.try_reserve(count)?;
        self.nodes.extend(members.iter().map(|member| points[*member as usize]));
        self.terms = codes.pack_panels(&self.nodes, &mut self.panels)?;
        self.limits.clear();
        self.limits.try_reserve(self.terms.len())?;
        let limit = |member: &u32| candidates.limit(*member as usize).saturating_add(1);
        self.limits.extend(members.iter().map(limit));
        self.limits.resize(self.terms.len(), 0); // nothing enters the columns that fill up a panel
        self.nearest = filled(count * NEAREST, u64::MAX)?;
        self.next_row = 0;
        Ok(count as u64 / 2)
    }

    /// Compares some rows with all columns right of them; with the last, hands over what was found.
    pub(super) fn step(
        &mut self,
        codes: &Codes,
        candidates: &mut Candidates,
    ) -> Result<u64, OutOfMemory> {
        let count = self.points.len();
        let mut pairs = 0;
        while self.next_row < count && pairs < UNIT_PAIRS {
            let rows = tile::rows().min(count - self.next_row);
            self.compare_rows(codes, self.next_row, rows);
            pairs += rows * (count - self.next_row);
            self.next_row += rows;
        }
        if self.next_row == count {
            for (point, found) in self.points.iter().zip(self.nearest.chunks(NEAREST)) {
                let filled = found.partition_point(|key| *key != u64::MAX);
                candidates.merge(*point as usize, &found[..filled]);
            }
            pairs += 8 * count;
        }
        Ok(pairs as u64 / PAIRS_PER_DISTANCE)
    }

    fn compare_rows(&mut self, codes: &Codes, first: usize, rows: usize) {
        let (columns, panel_bytes) = (tile::columns(), codes.panel_bytes());
        codes.load_block(&self.nodes[first..first + rows], &mut self.block);
        for panel in first / columns..self.points.len().div_ceil(columns) {
            let start = panel * columns;
            let width = columns.min(self.points.len() - start);
            self.block.limits[..rows].copy_from_slice(&self.limits[first..first + rows]);
            self.block.run(
                &self.panels[panel * panel_bytes..(panel + 1) * panel_bytes],
                &self.terms[start..start + columns],
                &self.limits[start..start + columns],
                &mut self.out,
            );
            for row in 0..rows {
                let a = first + row;
                for column in self.out.hits(row, width) {
                    let b = start + column;
                    if b > a {
                        let distance = u64::from(self.out.distance(row, column)) << 32;
                        self.offer(a, distance | u64::from(self.nodes[b]));
                        self.offer(b, distance | u64::from(self.nodes[a]));
                    }
                }
            }
        }
    }

    #[inline]
    fn offer(&mut self, point: usize, key: u64) {
        let list = &mut self.nearest[point * NEAREST..(point + 1) * NEAREST];
        if insert_key(list, key) {
            if let Some(last) = list.last().filter(|last| **last != u64::MAX) {
                let worst = ((last >> 32) as u32).saturating_add(1);
                self.limits[point] = self.limits[point].min(worst);
            }
        }
    }
}
