//! Choosing links of one node after another, from candidates or from the links there are.

use super::share::{Reader, Words};
use crate::hnsw::select::{Diversity, select};
use crate::vectors::codes::Codes;
use crate::vectors::{key, of_key, rank};

/// Memory for choosing links, used again for the next node.
#[derive(Default)]
pub(super) struct Chooser {
    scored: Vec<u64>,
    kept: Vec<u32>,
    /// For who calls: the links that are there and those back.
    pub(super) all: Vec<u32>,
}

/// What was chosen for some nodes, and the distances that took.
pub(super) struct Chosen {
    /// The links kept of each node and those lost, one after another, and where they end.
    nodes: Vec<u32>,
    ends: Vec<(usize, usize)>,
    pub(super) cost: u64,
}

impl Chosen {
    /// With room for so many nodes, of so many links each.
    pub(super) fn of(nodes: usize, links: usize) -> Self {
        let (nodes, ends) = (Vec::with_capacity(nodes * links), Vec::with_capacity(nodes));
        Self { nodes, ends, cost: 0 }
    }

    pub(super) fn push(&mut self, kept: &[u32], lost: &[u32]) {
        self.nodes.extend_from_slice(kept);
        let kept = self.nodes.len();
        self.nodes.extend_from_slice(lost);
        self.ends.push((kept, self.nodes.len()));
    }

    /// The links kept of each node and those lost.
    pub(super) fn each(&self) -> impl Iterator<Item = (&[u32], &[u32])> {
        let mut start = 0;
        self.ends.iter().map(move |(kept, end)| {
            let of_node = (&self.nodes[start..*kept], &self.nodes[*kept..*end]);
            start = *end;
            of_node
        })
    }
}

impl Chooser {
    /// Selects at most `m` links of `node`, one of `nodes`, from its candidates, which rise; by distances of codes
    /// where theirs are those of sketches. Returns them and the distances computed.
    // A function of its own: engines make hot functions fast one by one, and small ones faster.
    #[inline(never)]
    pub(super) fn select(
        &mut self,
        node: u32,
        candidates: &mut dyn Iterator<Item = u64>,
        (nodes, m): (usize, usize),
        is_sketched: bool,
        codes: &Codes,
    ) -> (&[u32], u64) {
        let Self { scored, kept, .. } = self;
        let mut cost = 8;
        scored.clear();
        scored.extend(candidates);
        if is_sketched {
            kept.clear();
            kept.extend(scored.iter().map(|key| of_key(*key).1));
            cost += kept.len() as u64;
            rank(codes, node, kept, scored);
        }
        let far = anywhere(node, nodes);
        if far != node && scored.iter().all(|near| of_key(*near).1 != far) {
            let candidate = key(codes.distance(node, far), far);
            let place = scored.partition_point(|near| *near < candidate);
            scored.insert(place, candidate);
        }
        cost += select(codes, scored, m, Diversity::Relaxed, kept);
        (kept, cost)
    }

    /// Keeps the best `limit` of the links of a node.
    #[inline(never)]
    pub(super) fn prune(
        &mut self,
        node: u32,
        links: &[u32],
        limit: usize,
        codes: &Codes,
    ) -> (&[u32], u64) {
        let scored = &mut self.scored;
        rank(codes, node, links, scored);
        let cost = select(codes, scored, limit, Diversity::Relaxed, &mut self.kept);
        (&self.kept, cost + links.len() as u64)
    }
}

/// A node anywhere, to be a candidate of `node`. With near ones alone, rows in clusters would have no
/// link from one cluster to another, and a search that starts in the wrong one would end there; where
/// there are no clusters the far node is hardly ever selected.
fn anywhere(node: u32, nodes: usize) -> u32 {
    let mixed = u64::from(node).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    ((mixed * nodes as u64) >> 32) as u32
}

/// Selects links for nodes that a [`Linker`](super::link::Linker) gave away.
pub(super) fn work_select(
    words: &mut Reader<'_>,
    chooser: &mut Chooser,
    m: usize,
    codes: &Codes,
    out: &mut Words,
) -> Option<()> {
    let nodes = words.one().filter(|nodes| words.has(*nodes))? as usize;
    let is_sketched = words.one()? != 0;
    while !words.is_empty() {
        let (node, mut keys) = (words.node()?, words.keys()?);
        let (kept, _) = chooser.select(node, &mut keys, (nodes, m), is_sketched, codes);
        out.list(kept.iter().copied());
    }
    Some(())
}

/// Prunes the links of nodes that a [`Linker`](super::link::Linker) gave away.
pub(super) fn work_prune(
    words: &mut Reader<'_>,
    chooser: &mut Chooser,
    limit: usize,
    codes: &Codes,
    out: &mut Words,
) -> Option<()> {
    while !words.is_empty() {
        let (node, links) = (words.node()?, words.nodes()?);
        let (kept, _) = chooser.prune(node, links, limit, codes);
        out.list(kept.iter().copied());
    }
    Some(())
}
