//! The links of an HNSW graph: which node knows which, layer by layer, and nothing else.
//!
//! A [`Graph`] holds no vectors and computes no distances, so its rules can be tested, and its
//! bytes written, without either. Searching is `search.rs`, choosing links is `select.rs`.
//!
//! ```text
//! base    a row for each node:            | count | links on layer 0 (2m) |
//! upper   a row for each node and layer   | count | links (m)             |
//!         above 0 that it is on
//! places  a row for each node:            | its highest layer | its first row in `upper` |
//! ```
//!
//! Always true, and checked by [`Graph::validate`] after every test that changes a graph:
//! - a node has at most `2 * m` links on layer 0 and at most `m` above it;
//! - a link leads to another node that is present on the same layer, and to each at most once;
//! - the entry point is on the top layer, and is absent only from an empty graph.

use crate::error::OutOfMemory;
use crate::vectors::chunks::Chunks;

/// The highest layer a node can be on. A level above it has a chance of `m^-24`.
pub(crate) const TOP_LEVEL: usize = 24;

/// Reads and changes the links of nodes; [`Graph`] does so in place, `overlay.rs` aside.
pub(crate) trait Links {
    /// The links of `node` on `layer`; none where it is not on that layer.
    fn links(&self, node: u32, layer: usize) -> &[u32];
    /// Replaces them. At most [`capacity`](Links::capacity) are kept.
    fn set_links(&mut self, node: u32, layer: usize, links: &[u32]) -> Result<(), OutOfMemory>;
    /// How many nodes there are.
    fn len(&self) -> usize;
    /// Links a node may have on `layer`.
    fn capacity(&self, layer: usize) -> usize;
    /// Where a search starts and the layer it starts on.
    fn entry(&self) -> Option<(u32, usize)>;
    /// Makes `node` the place where searches start, on its highest layer.
    fn set_entry(&mut self, node: u32);
    /// Adds the next node, without links, on the layers `0..=level`.
    fn add_node(&mut self, level: usize) -> Result<u32, OutOfMemory>;
}

pub(crate) struct Graph {
    m: usize,
    base: Chunks<u32>,
    upper: Chunks<u32>,
    places: Chunks<u32>,
    nodes: usize,
    upper_rows: usize,
    entry: Option<u32>,
}

impl Graph {
    pub(crate) fn new(m: usize) -> Self {
        Self {
            m,
            base: Chunks::new(1 + 2 * m),
            upper: Chunks::new(1 + m),
            places: Chunks::new(2),
            nodes: 0,
            upper_rows: 0,
            entry: None,
        }
    }

    pub(crate) fn upper_rows(&self) -> usize {
        self.upper_rows
    }

    /// Bytes of a node's links on layer 0.
    pub(crate) fn row_bytes(&self) -> usize {
        self.base.row_bytes()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.base.bytes() + self.upper.bytes() + self.places.bytes()
    }

    /// The highest layer that `node` is on.
    pub(crate) fn level(&self, node: u32) -> usize {
        self.places.row(node as usize)[0] as usize
    }

    /// The row of `upper` that holds the links of `node` on `layer`, which is above 0.
    pub(crate) fn upper_row(&self, node: u32, layer: usize) -> usize {
        self.places.row(node as usize)[1] as usize + layer - 1
    }

    pub(crate) fn reserve(&mut self, nodes: usize) -> Result<(), OutOfMemory> {
        self.base.reserve(nodes)?;
        self.places.reserve(nodes)
    }

    /// Forgets the nodes and rows added since there were `nodes` and `upper_rows`. Nothing that
    /// stays may link to them.
    pub(crate) fn truncate(&mut self, nodes: usize, upper_rows: usize) {
        self.nodes = nodes;
        self.upper_rows = upper_rows;
        self.base.shrink(nodes);
        self.places.shrink(nodes);
        self.upper.shrink(upper_rows);
    }

    /// Overwrites the row of `node` on layer 0 (its count, then its links).
    pub(crate) fn base_row_mut(&mut self, node: usize) -> &mut [u32] {
        self.base.row_mut(node)
    }

    /// Overwrites row `row` of the upper layers.
    pub(crate) fn upper_row_mut(&mut self, row: usize) -> &mut [u32] {
        self.upper.row_mut(row)
    }

    /// The entry point as it is, which may be of a node that is being added.
    pub(crate) fn entry_node(&self) -> Option<u32> {
        self.entry
    }

    /// Restores or forgets the entry point.
    pub(crate) fn set_entry_node(&mut self, entry: Option<u32>) {
        self.entry = entry;
    }

    /// Says which rule of this module is broken, if one is. Reads everything.
    pub(crate) fn validate(&self) -> Result<(), String> {
        let Some((entry, top)) = self.entry() else {
            return if self.nodes == 0 { Ok(()) } else { Err("no entry point".into()) };
        };
        if entry as usize >= self.nodes {
            return Err(format!("the entry point {entry} is not among {} nodes", self.nodes));
        }
        let mut upper_rows = 0;
        for node in 0..self.nodes as u32 {
            let level = self.level(node);
            if level > top {
                return Err(format!("node {node} is on layer {level}, above the entry's {top}"));
            }
            if level > 0 && self.upper_row(node, 1) != upper_rows {
                return Err(format!("the upper rows of node {node} are not in order"));
            }
            upper_rows += level;
            for layer in 0..=level {
                self.validate_links(node, layer)?;
            }
        }
        if upper_rows != self.upper_rows {
            return Err(format!("{upper_rows} upper rows are used of {}", self.upper_rows));
        }
        Ok(())
    }

    fn validate_links(&self, node: u32, layer: usize) -> Result<(), String> {
        let links = self.links(node, layer);
        if links.len() > self.capacity(layer) {
            return Err(format!("node {node} has {} links on layer {layer}", links.len()));
        }
        for (i, link) in links.iter().enumerate() {
            let wrong = if *link as usize >= self.nodes {
                "is not in the graph"
            } else if *link == node {
                "is the node itself"
            } else if self.level(*link) < layer {
                "is not on that layer"
            } else if links[..i].contains(link) {
                "is linked twice"
            } else {
                continue;
            };
            return Err(format!("node {node} links to {link} on layer {layer}, which {wrong}"));
        }
        Ok(())
    }
}

/// The links in a row of `count, links…`.
#[inline]
pub(crate) fn links_of(row: &[u32]) -> &[u32] {
    match row.split_first() {
        Some((count, links)) => &links[..(*count as usize).min(links.len())],
        None => &[],
    }
}

/// Writes `count, links…` into a row.
pub(crate) fn write_links(row: &mut [u32], links: &[u32]) {
    if let Some((count, places)) = row.split_first_mut() {
        let kept = links.len().min(places.len());
        places[..kept].copy_from_slice(&links[..kept]);
        *count = kept as u32;
    }
}

impl Links for Graph {
    #[inline]
    fn links(&self, node: u32, layer: usize) -> &[u32] {
        match layer {
            0 => links_of(self.base.row(node as usize)),
            _ if layer > self.level(node) => &[],
            _ => links_of(self.upper.row(self.upper_row(node, layer))),
        }
    }

    fn set_links(&mut self, node: u32, layer: usize, links: &[u32]) -> Result<(), OutOfMemory> {
        let row = match layer {
            0 => self.base.row_mut(node as usize),
            _ => self.upper.row_mut(self.upper_row(node, layer)),
        };
        write_links(row, links);
        Ok(())
    }

    fn len(&self) -> usize {
        self.nodes
    }

    fn capacity(&self, layer: usize) -> usize {
        if layer == 0 { 2 * self.m } else { self.m }
    }

    fn entry(&self) -> Option<(u32, usize)> {
        self.entry.map(|node| (node, self.level(node)))
    }

    fn set_entry(&mut self, node: u32) {
        self.entry = Some(node);
    }

    fn add_node(&mut self, level: usize) -> Result<u32, OutOfMemory> {
        let level = level.min(TOP_LEVEL);
        self.reserve(self.nodes + 1)?;
        self.upper.reserve(self.upper_rows + level)?;
        let node = self.nodes;
        self.base.row_mut(node)[0] = 0;
        for row in self.upper_rows..self.upper_rows + level {
            self.upper.row_mut(row)[0] = 0;
        }
        let place = self.places.row_mut(node);
        place[0] = level as u32;
        place[1] = self.upper_rows as u32;
        self.nodes += 1;
        self.upper_rows += level;
        Ok(node as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three nodes in a ring on layer 0, the first two also on layer 1.
    fn ring() -> Graph {
        let mut graph = Graph::new(2);
        for level in [1, 1, 0] {
            graph.add_node(level).unwrap();
        }
        graph.set_entry(0);
        for (node, layer, links) in [
            (0, 0, [1, 2].as_slice()),
            (1, 0, &[0, 2]),
            (2, 0, &[0, 1]),
            (0, 1, &[1]),
            (1, 1, &[0]),
        ] {
            graph.set_links(node, layer, links).unwrap();
        }
        graph
    }

    #[test]
    fn a_sound_graph_is_valid() {
        assert_eq!(Graph::new(16).validate(), Ok(()));
        assert_eq!(ring().validate(), Ok(()));
    }

    #[test]
    fn each_rule_is_checked() {
        let broken: [(&str, fn(&mut Graph)); 6] = [
            ("no entry point", |g| g.set_entry_node(None)),
            ("above the entry", |g| g.set_entry(2)),
            ("the node itself", |g| g.set_links(2, 0, &[2]).unwrap()),
            ("not on that layer", |g| g.set_links(0, 1, &[2]).unwrap()),
            ("linked twice", |g| g.set_links(0, 0, &[1, 1]).unwrap()),
            ("not in the graph", |g| g.set_links(0, 0, &[3]).unwrap()),
        ];
        for (message, damage) in broken {
            let mut graph = ring();
            damage(&mut graph);
            let found = graph.validate().unwrap_err();
            assert!(found.contains(message), "{found} instead of {message}");
        }
    }

    #[test]
    fn a_node_has_no_links_above_its_layers() {
        let graph = ring();
        assert!(graph.links(2, 1).is_empty() && graph.links(0, 2).is_empty());
    }

    #[test]
    fn nodes_added_last_can_be_taken_back() {
        let mut graph = ring();
        let before = (graph.len(), graph.upper_rows());
        graph.add_node(3).unwrap();
        graph.truncate(before.0, before.1);
        assert_eq!(graph.validate(), Ok(()));
        assert_eq!(graph.add_node(1).unwrap(), 3);
        assert!(graph.links(3, 0).is_empty() && graph.links(3, 1).is_empty());
    }
}
