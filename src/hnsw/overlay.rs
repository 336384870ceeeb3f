//! New nodes and changed links beside a graph that must not change yet.
//!
//! A batch adds its nodes to the graph behind the nodes that are there, where no search comes,
//! because nothing leads to them. Links of *old* nodes are changed in an [`Overlay`], so searches
//! go on in the old graph. [`Staged::commit`] copies them over: a short step that cannot fail.
//! [`Staged::abort`] drops them and forgets the new nodes.

use super::graph::{Graph, Links, links_of, write_links};
use crate::error::OutOfMemory;
use crate::memory::filled;
use crate::vectors::chunks::Chunks;

/// Changed rows of one table of the graph.
struct ChangedRows {
    /// For each old row: 0, or 1 + the place of its changed form.
    places: Vec<u32>,
    /// The old row that each changed row will replace.
    owners: Vec<u32>,
    rows: Chunks<u32>,
}

impl ChangedRows {
    fn new(old_rows: usize, stride: usize) -> Result<Self, OutOfMemory> {
        Ok(Self { places: filled(old_rows, 0)?, owners: Vec::new(), rows: Chunks::new(stride) })
    }

    #[inline]
    fn get(&self, row: usize) -> Option<&[u32]> {
        match self.places.get(row) {
            Some(0) | None => None,
            Some(place) => Some(self.rows.row(*place as usize - 1)),
        }
    }

    fn get_mut(&mut self, row: usize) -> Result<&mut [u32], OutOfMemory> {
        if self.places[row] == 0 {
            self.rows.reserve(self.owners.len() + 1)?;
            self.owners.try_reserve(1)?;
            self.owners.push(row as u32);
            self.places[row] = self.owners.len() as u32;
        }
        Ok(self.rows.row_mut(self.places[row] as usize - 1))
    }
}

/// What a batch changes, kept apart until it is done.
pub(crate) struct Overlay {
    base: ChangedRows,
    upper: ChangedRows,
    entry: Option<u32>,
}

impl Overlay {
    /// An overlay for `graph` as it is now.
    pub(crate) fn new(graph: &Graph) -> Result<Self, OutOfMemory> {
        Ok(Self {
            base: ChangedRows::new(graph.len(), 1 + graph.capacity(0))?,
            upper: ChangedRows::new(graph.upper_rows(), 1 + graph.capacity(1))?,
            entry: graph.entry_node(),
        })
    }

    pub(crate) fn bytes(&self) -> usize {
        [&self.base, &self.upper]
            .map(|rows| rows.rows.bytes() + 4 * (rows.places.len() + rows.owners.len()))
            .iter()
            .sum()
    }
}

/// A graph seen through an overlay.
pub(crate) struct Staged<'a> {
    pub(crate) graph: &'a mut Graph,
    pub(crate) overlay: &'a mut Overlay,
}

impl Staged<'_> {
    /// Makes the changes part of the graph.
    pub(crate) fn commit(self) {
        let Overlay { base, upper, entry } = self.overlay;
        for (place, owner) in base.owners.iter().enumerate() {
            self.graph.base_row_mut(*owner as usize).copy_from_slice(base.rows.row(place));
        }
        for (place, owner) in upper.owners.iter().enumerate() {
            self.graph.upper_row_mut(*owner as usize).copy_from_slice(upper.rows.row(place));
        }
        self.graph.set_entry_node(*entry);
    }

    /// Forgets the nodes added; the overlay is of no more use.
    pub(crate) fn abort(self) {
        self.graph.truncate(self.overlay.base.places.len(), self.overlay.upper.places.len());
    }
}

impl Links for Staged<'_> {
    #[inline]
    fn links(&self, node: u32, layer: usize) -> &[u32] {
        let changed = match layer {
            0 => self.overlay.base.get(node as usize),
            _ if layer > self.graph.level(node) => None,
            _ => self.overlay.upper.get(self.graph.upper_row(node, layer)),
        };
        changed.map_or_else(|| self.graph.links(node, layer), links_of)
    }

    fn set_links(&mut self, node: u32, layer: usize, links: &[u32]) -> Result<(), OutOfMemory> {
        let (table, row) = match layer {
            0 => (&mut self.overlay.base, node as usize),
            _ => (&mut self.overlay.upper, self.graph.upper_row(node, layer)),
        };
        if row < table.places.len() {
            write_links(table.get_mut(row)?, links);
            Ok(())
        } else {
            self.graph.set_links(node, layer, links)
        }
    }

    fn len(&self) -> usize {
        self.graph.len()
    }

    fn capacity(&self, layer: usize) -> usize {
        self.graph.capacity(layer)
    }

    fn entry(&self) -> Option<(u32, usize)> {
        self.overlay.entry.map(|node| (node, self.graph.level(node)))
    }

    fn set_entry(&mut self, node: u32) {
        self.overlay.entry = Some(node);
    }

    fn add_node(&mut self, level: usize) -> Result<u32, OutOfMemory> {
        self.graph.add_node(level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> Graph {
        let mut graph = Graph::new(2);
        for level in [1, 0] {
            graph.add_node(level).unwrap();
        }
        graph.set_entry(0);
        graph.set_links(0, 0, &[1]).unwrap();
        graph.set_links(1, 0, &[0]).unwrap();
        graph
    }

    fn add_third(graph: &mut Graph, overlay: &mut Overlay) {
        let mut staged = Staged { graph, overlay };
        let node = staged.add_node(2).unwrap();
        staged.set_links(node, 0, &[0, 1]).unwrap();
        staged.set_links(node, 1, &[0]).unwrap();
        staged.set_links(0, 0, &[1, 2]).unwrap();
        staged.set_links(0, 1, &[2]).unwrap();
        staged.set_entry(node);
        assert_eq!(staged.links(0, 0), [1, 2]);
        assert_eq!(staged.links(1, 0), [0]);
        assert!(staged.links(1, 1).is_empty());
        assert_eq!(staged.entry(), Some((2, 2)));
    }

    #[test]
    fn changes_show_only_through_the_overlay_until_they_are_committed() {
        let mut graph = pair();
        let mut overlay = Overlay::new(&graph).unwrap();
        add_third(&mut graph, &mut overlay);
        assert_eq!(graph.links(0, 0), [1]);
        assert!(graph.links(0, 1).is_empty());
        assert_eq!(graph.entry(), Some((0, 1)));
        Staged { graph: &mut graph, overlay: &mut overlay }.commit();
        assert_eq!(graph.links(0, 0), [1, 2]);
        assert_eq!(graph.links(0, 1), [2]);
        assert_eq!(graph.entry(), Some((2, 2)));
        assert_eq!(graph.validate(), Ok(()));
    }

    #[test]
    fn an_abort_leaves_the_graph_as_it_was() {
        let mut graph = pair();
        let mut overlay = Overlay::new(&graph).unwrap();
        add_third(&mut graph, &mut overlay);
        Staged { graph: &mut graph, overlay: &mut overlay }.abort();
        assert_eq!((graph.len(), graph.upper_rows()), (2, 1));
        assert_eq!(graph.links(0, 0), [1]);
        assert_eq!(graph.validate(), Ok(()));
    }
}
