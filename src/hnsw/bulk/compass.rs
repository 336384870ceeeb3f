//! Finding the leaders nearest to nodes, by a matrix product.

use super::PAIRS_PER_DISTANCE;
use super::partition::{MOST_LEADERS, node_of};
use super::share::{Reader, Words};
use super::sketch::Rows;
use super::team::Pool;
use crate::distance::tile::{self, Block, MOST_ROWS};
use crate::distance::{nearest, sort};
use crate::error::OutOfMemory;
use crate::memory::{copied, filled};
use crate::vectors::codes::Codes;
use crate::vectors::panels::Panels;
use crate::vectors::{Space, key, of_key, score_all};

/// Leaders that are compared exactly where sketches are compared first: twice the fan-out, but no more than about so
/// many, of which `nearest` finds twice as many in any case.
const NEAR: usize = 24;

/// Distances that bringing some nodes to `fan_out` of some leaders costs, about.
pub(super) fn cost_of(nodes: usize, leaders: usize, fan_out: usize) -> u64 {
    nodes as u64 * (leaders as u64 / PAIRS_PER_DISTANCE + 2 * fan_out as u64)
}

/// Finds the leaders nearest to nodes.
#[derive(Default)]
pub(super) struct Compass {
    leaders: Vec<u32>,
    panels: Panels,
    scratch: Pool<CompassScratch>,
}

#[derive(Default)]
struct CompassScratch {
    block: Block,
    /// Distances of some nodes to all leaders, a row each.
    distances: Vec<u32>,
    found: Vec<u64>,
    near: Vec<u32>,
}

impl Compass {
    /// Packs leaders.
    pub(super) fn set(&mut self, leaders: &[u32], codes: &Codes) -> Result<(), OutOfMemory> {
        if self.leaders != leaders {
            self.panels.pack(codes, leaders)?;
            self.leaders = copied(leaders)?;
        }
        Ok(())
    }

    /// The leaders, in the order of their places.
    pub(super) fn leaders(&self) -> &[u32] {
        &self.leaders
    }

    /// How many leaders there are.
    pub(super) fn len(&self) -> usize {
        self.leaders.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.panels.bytes() + 4 * self.leaders.capacity()
    }

    /// Writes for each member the `joined.len() / members.len()` leaders nearest to it, nearest first.
    pub(super) fn find(&self, members: &[u32], rows: Rows<'_>, joined: &mut [u16]) {
        if joined.len() < members.len() || members.is_empty() {
            return;
        }
        let fan_out = joined.len() / members.len();
        let height = tile::rows();
        self.scratch.with(|scratch| {
            for (members, joined) in members.chunks(height).zip(joined.chunks_mut(height * fan_out))
            {
                self.find_few(members, rows, joined, fan_out, scratch);
            }
        });
    }

    /// The same for as many nodes as a tile has rows.
    // A function of its own: engines make hot functions fast one by one, and small ones faster.
    #[inline(never)]
    fn find_few(
        &self,
        members: &[u32],
        rows: Rows<'_>,
        joined: &mut [u16],
        fan_out: usize,
        scratch: &mut CompassScratch,
    ) {
        let CompassScratch { block, distances, found, near } = scratch;
        let mut nodes = [0; MOST_ROWS];
        nodes.iter_mut().zip(members).for_each(|(node, member)| *node = node_of(*member));
        rows.near.load_block(&nodes[..members.len().min(MOST_ROWS)], block);
        let stride = self.panels.compare(block, distances);
        let leaders = self.len();
        let places = distances.chunks_exact_mut(stride).zip(joined.chunks_mut(fan_out));
        for ((row, joined), node) in places.zip(nodes) {
            row[leaders..].fill(u32::MAX);
            let is_exact = rows.are_exact();
            let count = if is_exact { fan_out } else { fan_out.max(NEAR.min(2 * fan_out)) };
            nearest(row, count, u32::MAX, found);
            if !is_exact {
                near.clear();
                near.extend(found.iter().map(|key| self.leaders[of_key(*key).1 as usize]));
                let mut found = found.iter_mut();
                score_all(&rows.exact.scorer(node), near, |distance, _| {
                    if let Some(found) = found.next() {
                        *found = key(distance, of_key(*found).1);
                    }
                });
            }
            sort(found);
            joined
                .iter_mut()
                .zip(&*found)
                .for_each(|(joined, key)| *joined = of_key(*key).1 as u16);
        }
    }
}

/// Does units that a [`Router`](super::route::Router) gave away: the leaders nearest to each of some nodes.
pub(super) fn work(
    words: &mut Reader<'_>,
    compass: &mut Compass,
    rows: Rows<'_>,
    out: &mut Words,
) -> Result<Option<()>, OutOfMemory> {
    let (Some(fan_out), Some(leaders), Some(members)) = (words.one(), words.nodes(), words.nodes())
    else {
        return Ok(None);
    };
    if leaders.len() > MOST_LEADERS || fan_out == 0 || fan_out as usize > leaders.len() {
        return Ok(None);
    }
    compass.set(leaders, rows.near)?;
    let mut joined = filled(members.len() * fan_out as usize, 0)?;
    compass.find(members, rows, &mut joined);
    joined.iter().for_each(|leader| out.push(usize::from(*leader)));
    Ok(Some(()))
}
