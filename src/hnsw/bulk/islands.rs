//! Rows in tight clusters, far from all others, are found by search.
//!
//! The candidates of such a row are all of its cluster. Links among them lead nowhere else; links lead
//! there (`reach.rs`), but a search that comes down in another cluster fills its `ef` with that one's
//! rows and does not follow them. Two things help, and cost next to nothing where rows are not
//! clustered:
//!
//! - a node that is on the layer above keeps on layer 0 its links of that layer which lead far away;
//! - a node that none on the layer above is near to is looked for, and where the search does not find
//!   it, it is linked from where that ended.

use super::reach::link_from_found;
use crate::error::OutOfMemory;
use crate::hnsw::graph::Links;
use crate::hnsw::insert::level_of;
use crate::hnsw::search::{Scratch, descend, search_layer};
use crate::memory::filled;
use crate::vectors::Space;
use crate::vectors::codes::Codes;

/// How many times as far (in squared distance) as a node's near ones a node of the layer above is, to
/// be not near. In rows that are not clustered it is about 1.5 times as far.
const NOT_NEAR: u64 = 2;
/// The near one that is compared with, counted from the nearest.
const NEAR_RANK: usize = 3;
/// How many times as far as its nearest a link of the layer above leads, to be kept on layer 0.
const FAR: u64 = 9;
/// Candidates kept when a node is looked for: fewer than a search has, so that one finds it the more.
const EF: usize = 12;

/// Looks for new nodes that may not be found.
pub(super) struct Lookout {
    /// The first new node.
    fresh: usize,
    m: usize,
    seed: u64,
    /// Which of the new nodes are to be looked for.
    are_remote: Vec<bool>,
}

impl Lookout {
    /// For the nodes `fresh..nodes`.
    pub(super) fn new(
        fresh: usize,
        nodes: usize,
        m: usize,
        seed: u64,
    ) -> Result<Self, OutOfMemory> {
        Ok(Self { fresh, m, seed, are_remote: filled(nodes - fresh, false)? })
    }

    pub(super) fn bytes(&self) -> usize {
        self.are_remote.capacity()
    }

    /// The nodes to be looked for, rising.
    pub(super) fn into_remote(self) -> Result<Vec<u32>, OutOfMemory> {
        let mut remote = Vec::new();
        remote.try_reserve_exact(self.are_remote.iter().filter(|is_remote| **is_remote).count())?;
        let nodes = self.are_remote.iter().zip(self.fresh as u32..);
        remote.extend(nodes.filter(|(is_remote, _)| **is_remote).map(|(_, node)| node));
        Ok(remote)
    }

    /// Looks at a new node whose candidates are `near`.
    #[inline(never)]
    pub(super) fn look(&mut self, node: u32, near: &[u64], codes: &Codes) {
        let is_doubtful = self.is_doubtful(node, near, codes);
        if let Some(is_remote) = self.are_remote.get_mut(node as usize - self.fresh) {
            *is_remote = is_doubtful;
        }
    }

    /// Whether a node must be looked for: it is above layer 0, or none that is above is near to it.
    fn is_doubtful(&self, node: u32, near: &[u64], codes: &Codes) -> bool {
        let is_above = |node: u32| level_of(self.seed, node as usize, self.m) > 0;
        if is_above(node) {
            return true;
        }
        // The candidates' own distances may be those of sketches.
        let distance = |key: &u64| u64::from(codes.distance(node, *key as u32));
        let is_remote = |key: &u64| {
            let place = (*key as u32 as usize).checked_sub(self.fresh);
            place.and_then(|place| self.are_remote.get(place).copied()).unwrap_or(false)
        };
        match near.iter().find(|key| is_above(**key as u32)) {
            Some(above) => near.get(NEAR_RANK).is_some_and(|near| {
                codes.are_distances() && distance(above) > NOT_NEAR * distance(near)
            }),
            // A large cluster: one that is looked for stands for those around it.
            None => !near.iter().any(is_remote),
        }
    }
}

/// Makes nodes found that may not be.
pub(super) struct Bridges {
    remote: Vec<u32>,
    /// How many of them have their far links, and how many were looked for.
    widened: usize,
    looked_for: usize,
    own: Vec<u32>,
}

impl Bridges {
    /// To nodes that a [`Lookout`] saw.
    pub(super) fn new(remote: Vec<u32>) -> Self {
        Self { remote, widened: 0, looked_for: 0, own: Vec::new() }
    }

    pub(super) fn bytes(&self) -> usize {
        4 * self.remote.capacity()
    }

    pub(super) fn is_done(&self) -> bool {
        self.looked_for == self.remote.len()
    }

    /// Does the next unit of work and returns what it cost in distances.
    #[inline(never)]
    pub(super) fn step<L: Links>(
        &mut self,
        links: &mut L,
        codes: &Codes,
        scratch: &mut Scratch,
    ) -> Result<u64, OutOfMemory> {
        scratch.distances = 0;
        if let Some(node) = self.remote.get(self.widened).copied() {
            self.widened += 1;
            self.widen(links, codes, node, scratch)?;
        } else if let Some(node) = self.remote.get(self.looked_for).copied() {
            self.looked_for += 1;
            self.look_for(links, codes, node, scratch)?;
        }
        Ok(scratch.distances + 1)
    }

    /// Gives a node, as far as there is room, its links of layer 1 that lead far away.
    fn widen<L: Links>(
        &mut self,
        links: &mut L,
        codes: &Codes,
        node: u32,
        scratch: &mut Scratch,
    ) -> Result<(), OutOfMemory> {
        let above = links.links(node, 1);
        if above.is_empty() {
            return Ok(());
        }
        self.own.clear();
        self.own.extend_from_slice(links.links(node, 0));
        // One by one they take twice the time.
        scratch.distances += 2 * (self.own.len() + above.len()) as u64;
        let nearest = self.own.iter().map(|other| codes.distance(node, *other)).min().unwrap_or(0);
        let is_far = |other: u32| u64::from(codes.distance(node, other)) > FAR * u64::from(nearest);
        let before = self.own.len();
        for other in above {
            let has_room = self.own.len() < links.capacity(0);
            if has_room && !self.own.contains(other) && is_far(*other) {
                self.own.push(*other);
            }
        }
        if self.own.len() > before {
            links.set_links(node, 0, &self.own)?;
        }
        Ok(())
    }

    /// Looks for a node, and links it from where the search ended if that did not find it.
    fn look_for<L: Links>(
        &mut self,
        links: &mut L,
        codes: &Codes,
        node: u32,
        scratch: &mut Scratch,
    ) -> Result<(), OutOfMemory> {
        let scorer = codes.scorer(node);
        let Some(start) = descend(links, &scorer, 0, scratch) else { return Ok(()) };
        // Most of those above layer 0 are met on the way down. Only by distance none is nearer to a node than itself.
        if start.1 == node && codes.are_distances() {
            return Ok(());
        }
        search_layer(links, &scorer, start, 0, EF, links.len(), scratch)?;
        link_from_found(links, node, &scratch.pool, &mut self.own)
    }
}
