//! Every node of a layer is reached from the entry point.
//!
//! Selection may leave a node that no link leads to, or a few that link only to each other; a search
//! would never find them. Each is linked from a node near it that is reached. Where that one has no
//! room, the new link takes the place of its last, and the node takes over the link that was lost:
//! what was reached stays reached.

use super::filled;
use crate::error::OutOfMemory;
use crate::hnsw::graph::Links;
use crate::hnsw::search::{Scratch, search_layer};
use crate::vectors::Scorer;
use crate::vectors::codes::Codes;

/// Nodes looked at in one unit of work.
const UNIT_NODES: usize = 1024;
/// Candidates kept when a node near an unreached one is looked for.
const EF: usize = 64;

/// Walks one layer from the entry point.
pub(super) struct Reach {
    layer: usize,
    entry: u32,
    nodes: usize,
    reached: Vec<bool>,
    /// Nodes that are reached and whose links were not followed yet.
    waiting: Vec<u32>,
    /// The point that is looked at when nothing waits.
    next: usize,
    points: usize,
    links: Vec<u32>,
}

impl Reach {
    pub(super) fn new(
        points: &[u32],
        nodes: usize,
        entry: u32,
        layer: usize,
    ) -> Result<Self, OutOfMemory> {
        let mut reached = filled(nodes, false)?;
        let mut waiting = Vec::new();
        waiting.try_reserve_exact(points.len())?;
        reached[entry as usize] = true;
        waiting.push(entry);
        let points = points.len();
        Ok(Self { layer, entry, nodes, reached, waiting, next: 0, points, links: Vec::new() })
    }

    pub(super) fn bytes(&self) -> usize {
        self.reached.capacity() + 4 * self.waiting.capacity()
    }

    pub(super) fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.next == self.points
    }

    /// Does the next unit of work and returns what it cost in distances.
    pub(super) fn step<L: Links>(
        &mut self,
        links: &mut L,
        codes: &Codes,
        points: &[u32],
        scratch: &mut Scratch,
    ) -> Result<u64, OutOfMemory> {
        let mut cost = 0;
        for _ in 0..UNIT_NODES {
            if let Some(node) = self.waiting.pop() {
                for target in links.links(node, self.layer) {
                    if !std::mem::replace(&mut self.reached[*target as usize], true) {
                        self.waiting.push(*target);
                    }
                }
                continue;
            }
            let Some(node) = points.get(self.next) else { break };
            self.next += 1;
            if !self.reached[*node as usize] {
                cost += self.connect(links, codes, *node, scratch)?;
                self.reached[*node as usize] = true;
                self.waiting.push(*node);
                break;
            }
        }
        Ok(cost + UNIT_NODES as u64 / 16)
    }

    /// Links to `node` from one near it that is reached.
    fn connect<L: Links>(
        &mut self,
        links: &mut L,
        codes: &Codes,
        node: u32,
        scratch: &mut Scratch,
    ) -> Result<u64, OutOfMemory> {
        let before = scratch.distances;
        let scorer = codes.scorer(node);
        let start = (scorer.score(self.entry), self.entry);
        // Only reached nodes are found, because the walk starts at the entry point.
        search_layer(links, &scorer, start, self.layer, EF, self.nodes, scratch)?;
        let limit = links.capacity(self.layer);
        let near = scratch.pool.found().map(|(_, near)| near);
        let with_room = near.clone().find(|near| links.links(*near, self.layer).len() < limit);
        if let Some(from) = with_room.or_else(|| near.clone().next()) {
            self.links.clear();
            self.links.extend_from_slice(links.links(from, self.layer));
            if self.links.len() >= limit {
                let lost = self.links.pop();
                links.set_links(from, self.layer, &extended(&self.links, node))?;
                self.links.clear();
                self.links.extend_from_slice(links.links(node, self.layer));
                self.links.truncate(limit - 1);
                if let Some(lost) = lost.filter(|lost| !self.links.contains(lost)) {
                    links.set_links(node, self.layer, &extended(&self.links, lost))?;
                }
            } else {
                links.set_links(from, self.layer, &extended(&self.links, node))?;
            }
        }
        Ok(scratch.distances - before)
    }
}

/// The links with one more.
fn extended(links: &[u32], one: u32) -> Vec<u32> {
    let mut all = Vec::with_capacity(links.len() + 1);
    all.extend_from_slice(links);
    all.push(one);
    all
}
