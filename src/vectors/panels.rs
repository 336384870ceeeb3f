//! Rows packed as the columns of a matrix product, to be compared with many others.

use std::ops::Range;

use super::codes::Codes;
use crate::distance::tile::{self, Block, MOST_COLUMNS, MOST_ROWS, Out};
use crate::error::OutOfMemory;

/// The codes of some rows in column panels, and the rows' terms of the distance.
#[derive(Default)]
pub(crate) struct Panels {
    codes: Vec<u8>,
    /// Filled up to whole panels.
    terms: Vec<u32>,
    panel_bytes: usize,
    len: usize,
}

impl Panels {
    /// Packs the codes of `nodes`.
    pub(crate) fn pack(&mut self, codes: &Codes, nodes: &[u32]) -> Result<(), OutOfMemory> {
        let columns = tile::columns();
        let count = nodes.len().div_ceil(columns);
        self.panel_bytes = codes.panel_bytes();
        self.len = nodes.len();
        if self.codes.len() < count * self.panel_bytes {
            self.codes.try_reserve(count * self.panel_bytes - self.codes.len())?;
            self.codes.resize(count * self.panel_bytes, 0);
        }
        self.terms.clear();
        self.terms.try_reserve(count * columns)?;
        self.terms.extend(nodes.iter().map(|node| codes.row(*node).1));
        self.terms.resize(count * columns, 0);
        let panels = self.codes.chunks_exact_mut(self.panel_bytes);
        for (panel, nodes) in panels.zip(nodes.chunks(columns)) {
            let mut rows: [&[u8]; MOST_COLUMNS] = [&[]; MOST_COLUMNS];
            for (row, node) in rows.iter_mut().zip(nodes) {
                *row = codes.row(*node).0;
            }
            tile::pack(&rows[..nodes.len()], panel);
        }
        Ok(())
    }

    pub(crate) fn bytes(&self) -> usize {
        self.codes.capacity() + 4 * self.terms.capacity()
    }

    /// The terms of the packed rows.
    pub(crate) fn terms(&self) -> &[u32] {
        &self.terms[..self.len]
    }

    /// Compares the rows of a block with the packed rows of some panels; `out` has room for whole tiles.
    pub(crate) fn run(&self, panels: Range<usize>, block: &Block, out: Out<'_>) {
        let (columns, bytes) = (tile::columns(), self.panel_bytes);
        let codes = &self.codes[panels.start * bytes..panels.end * bytes];
        block.run(codes, &self.terms[panels.start * columns..panels.end * columns], out);
    }

    /// Compares the rows of a block with all: a row of distances for each, as many apart as is returned. What
    /// is behind the distances to the packed rows may be anything.
    pub(crate) fn compare(&self, block: &Block, distances: &mut Vec<u32>) -> usize {
        let stride = self.len.next_multiple_of(MOST_COLUMNS);
        distances.resize(stride * MOST_ROWS, 0);
        let panels = 0..self.len.div_ceil(tile::columns());
        self.run(panels, block, Out { distances, stride, across: Some(0), down: None });
        stride
    }
}
