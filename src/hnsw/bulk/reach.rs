//! Every node is reached from the entry point on layer 0.
//!
//! Selection may leave a node that no link leads to, or a few that link only to each other; a search
//! would never find them. Each is linked from a node near it that is reached. Where that one has no
//! room, the new link takes the place of its last, and the node takes over the link that was lost:
//! what was reached stays reached.
//!
//! A build walks along all links. A batch that is small against the index only looks at the nodes
//! that lost a link which led to them: one that a neighbour still links back to is taken as reached.

use crate::error::OutOfMemory;
use crate::hnsw::graph::Links;
use crate::hnsw::pool::Pool;
use crate::hnsw::search::{Scratch, search_layer};
use crate::memory::filled;
use crate::vectors::codes::Codes;
use crate::vectors::{Scorer, Space};

/// Nodes looked at in one unit of work.
const UNIT_NODES: usize = 256;
/// Distances that take the time of looking at a node and its links.
pub(super) const LOOKED_AT_COST: u64 = 5;
/// Candidates kept when a node near an unreached one is looked for.
const EF: usize = 64;

/// Finds and links the nodes that are not reached.
pub(super) struct Reach {
    entry: u32,
    nodes: usize,
    links: Vec<u32>,
    way: Way,
}

enum Way {
    /// From the entry point along all links.
    Walk {
        reached: Vec<bool>,
        /// Nodes that are reached and whose links were not followed yet.
        waiting: Vec<u32>,
        /// The node that is looked at when nothing waits.
        next: u32,
    },
    /// Of some nodes, whether a neighbour links back.
    Look { suspects: Vec<bool> },
}

impl Reach {
    /// Of the nodes `0..nodes`.
    pub(super) fn walk(nodes: usize, entry: u32) -> Result<Self, OutOfMemory> {
        let mut reached = filled(nodes, false)?;
        let mut waiting = Vec::new();
        waiting.try_reserve_exact(nodes)?;
        reached[entry as usize] = true;
        waiting.push(entry);
        let way = Way::Walk { reached, waiting, next: 0 };
        Ok(Self { entry, nodes, links: Vec::new(), way })
    }

    /// Of these of `nodes` nodes.
    pub(super) fn look(lost: &[u32], nodes: usize, entry: u32) -> Result<Self, OutOfMemory> {
        let mut suspects = filled(nodes, false)?;
        lost.iter().for_each(|node| suspects[*node as usize] = true);
        Ok(Self { entry, nodes, links: Vec::new(), way: Way::Look { suspects } })
    }

    pub(super) fn bytes(&self) -> usize {
        match &self.way {
            Way::Walk { reached, waiting, .. } => reached.capacity() + 4 * waiting.capacity(),
            Way::Look { suspects } => suspects.capacity(),
        }
    }

    pub(super) fn is_done(&self) -> bool {
        match &self.way {
            Way::Walk { waiting, next, .. } => waiting.is_empty() && *next as usize == self.nodes,
            Way::Look { suspects } => suspects.is_empty(),
        }
    }

    /// Does the next unit of work and returns what it cost in distances.
    #[inline(never)]
    pub(super) fn step<L: Links>(
        &mut self,
        links: &mut L,
        codes: &Codes,
        scratch: &mut Scratch,
    ) -> Result<u64, OutOfMemory> {
        let mut cost = 1;
        for _ in 0..UNIT_NODES {
            let found = match &mut self.way {
                Way::Walk { reached, waiting, next } => {
                    if let Some(node) = waiting.pop() {
                        cost += LOOKED_AT_COST;
                        for target in links.links(node, 0) {
                            if !std::mem::replace(&mut reached[*target as usize], true) {
                                waiting.push(*target);
                            }
                        }
                        continue;
                    }
                    if *next as usize == self.nodes {
                        break;
                    }
                    let node = *next;
                    *next += 1;
                    let is_new = !std::mem::replace(&mut reached[node as usize], true);
                    if is_new {
                        waiting.push(node);
                    }
                    is_new.then_some(node)
                }
                Way::Look { suspects } => {
                    let Some(last) = suspects.iter().rposition(|is_suspect| *is_suspect) else {
                        suspects.clear();
                        break;
                    };
                    suspects.truncate(last);
                    cost += LOOKED_AT_COST;
                    let node = last as u32;
                    let mut neighbours = links.links(node, 0).iter();
                    let is_linked = neighbours.any(|other| links.links(*other, 0).contains(&node));
                    (!is_linked && node != self.entry).then_some(node)
                }
            };
            if let Some(node) = found {
                return Ok(cost + self.connect(links, codes, node, scratch)?);
            }
        }
        Ok(cost)
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
        search_layer(links, &scorer, start, 0, EF, self.nodes, scratch)?;
        link_from_found(links, node, &scratch.pool, &mut self.links)?;
        Ok(scratch.distances - before)
    }
}

/// Links to `node` from one that a search on layer 0 found, the nearest with room, unless the search met the node.
/// Where none has room, the new link takes the place of the last of the nearest, and `node` takes over what was
/// lost.
pub(super) fn link_from_found<L: Links>(
    links: &mut L,
    node: u32,
    found: &Pool,
    memory: &mut Vec<u32>,
) -> Result<(), OutOfMemory> {
    // Of many equal rows the pool does not keep all: one that is linked was met.
    let is_met = |near: u32| near == node || links.links(near, 0).contains(&node);
    if found.found().any(|(_, near)| is_met(near)) {
        return Ok(());
    }
    let limit = links.capacity(0);
    let near = found.found().map(|(_, near)| near);
    let with_room = near.clone().find(|near| links.links(*near, 0).len() < limit);
    let Some(from) = with_room.or_else(|| near.clone().next()) else { return Ok(()) };
    memory.clear();
    memory.extend_from_slice(links.links(from, 0));
    let lost = if memory.len() < limit { None } else { memory.pop() };
    memory.push(node);
    links.set_links(from, 0, memory)?;
    let Some(lost) = lost.filter(|lost| *lost != node && !links.links(node, 0).contains(lost))
    else {
        return Ok(());
    };
    memory.clear();
    memory.extend_from_slice(links.links(node, 0));
    memory.truncate(limit - 1);
    memory.push(lost);
    links.set_links(node, 0, memory)
}
