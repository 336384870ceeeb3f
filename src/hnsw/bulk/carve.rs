//! Bringing the points of a layer together by region.
//!
//! A set of points is carved by leaders drawn from it: each point joins the cells of the `fan_out`
//! leaders nearest to it, so cells overlap and a point near a border is compared with both sides. A
//! cell that is still too large is carved again. All distances are those of a matrix product, points
//! against leaders.

use super::filled;
use crate::distance::nearest;
use crate::distance::tile::{self, Block, MOST_COLUMNS, MOST_ROWS, Out};
use crate::error::OutOfMemory;
use crate::vectors::codes::Codes;

/// Cells a point joins at the first carving. More find more of the true neighbours, at a cost that
/// grows in proportion; measured against the distances a search needs at recall 0.95 to 0.995.
const FAN_OUT: usize = 8;
/// Cells a point joins when a cell is carved again.
const FAN_OUT_AGAIN: usize = 1;
/// Points a cell has on average.
const CELL_POINTS: usize = 400;
/// Leaders of one carving: more would cost more than they save.
const MOST_LEADERS: usize = 1024;
/// Points of a cell that is not carved again.
const LARGEST_LEAF: usize = 700;
/// Points compared with all leaders in one unit of work.
const BLOCK_POINTS: usize = 64;
/// Pairs of a matrix product that take the time of one distance computed alone.
pub(super) const PAIRS_PER_DISTANCE: u64 = 4;

/// Distances a point costs here, about.
pub(super) fn expected_cost(points: usize) -> u64 {
    if points <= LARGEST_LEAF { 0 } else { leaders_of(points, FAN_OUT) as u64 / PAIRS_PER_DISTANCE }
}

fn leaders_of(points: usize, fan_out: usize) -> usize {
    (points * fan_out / CELL_POINTS).clamp(fan_out + 1, MOST_LEADERS)
}

/// Sets of points, each by its places in the layer.
#[derive(Default)]
pub(super) struct Cells {
    members: Vec<u32>,
    ends: Vec<usize>,
}

impl Cells {
    pub(super) fn get(&self, cell: usize) -> Option<&[u32]> {
        let start = if cell == 0 { 0 } else { *self.ends.get(cell - 1)? };
        self.members.get(start..*self.ends.get(cell)?)
    }

    pub(super) fn bytes(&self) -> usize {
        4 * self.members.capacity() + size_of::<usize>() * self.ends.capacity()
    }

    fn push(&mut self, members: &[u32]) -> Result<(), OutOfMemory> {
        self.members.try_reserve(members.len())?;
        self.members.extend_from_slice(members);
        self.ends.try_reserve(1)?;
        self.ends.push(self.members.len());
        Ok(())
    }

    /// The points `0..points` in the order of the cells they are in first: neighbours lie together,
    /// and their codes are in the cache when they are worked on in this order.
    pub(super) fn into_order(self, points: usize) -> Result<Vec<u32>, OutOfMemory> {
        let mut seen = filled(points, false)?;
        let mut order = self.members;
        order.retain(|point| !std::mem::replace(&mut seen[*point as usize], true));
        Ok(order)
    }
}

/// Carves the points of a layer; advanced by [`step`](Self::step).
pub(super) struct Carver {
    seed: u64,
    nodes: Vec<u32>,
    leaves: Cells,
    /// Sets that are still too large.
    waiting: Vec<Vec<u32>>,
    now: Option<Carving>,
    is_first: bool,
}

/// One set being carved.
struct Carving {
    members: Vec<u32>,
    fan_out: usize,
    leaders: usize,
    panels: Vec<u8>,
    terms: Vec<u32>,
    /// For each member the leaders nearest to it.
    joined: Vec<u16>,
    next: usize,
    /// Distances of some members to all leaders, a row each.
    distances: Vec<u32>,
    found: Vec<u64>,
    block: Block,
}

impl Carver {
    /// A carver of the points that are these nodes.
    pub(super) fn new(nodes: &[u32], seed: u64) -> Result<Self, OutOfMemory> {
        let mut copy = Vec::new();
        copy.try_reserve_exact(nodes.len())?;
        copy.extend_from_slice(nodes);
        let mut all = Vec::new();
        all.try_reserve_exact(nodes.len())?;
        all.extend(0..nodes.len() as u32);
        Ok(Self {
            seed,
            nodes: copy,
            leaves: Cells::default(),
            waiting: vec![all],
            now: None,
            is_first: true,
        })
    }

    pub(super) fn bytes(&self) -> usize {
        let waiting: usize = self.waiting.iter().map(|members| 4 * members.capacity()).sum();
        let now = self.now.as_ref().map_or(0, |now| {
            now.panels.capacity() + 4 * now.members.capacity() + 2 * now.joined.capacity()
        });
        4 * self.nodes.capacity() + self.leaves.bytes() + waiting + now
    }

    /// The cells, when every set has been carved.
    pub(super) fn take_cells(&mut self) -> Option<Cells> {
        let done = self.now.is_none() && self.waiting.is_empty();
        done.then(|| std::mem::take(&mut self.leaves))
    }

    /// Does the next unit of work and returns what it cost in distances.
    pub(super) fn step(&mut self, codes: &Codes) -> Result<u64, OutOfMemory> {
        if let Some(now) = &mut self.now {
            let cost = now.assign_block(codes, &self.nodes);
            if now.next == now.members.len() {
                let carved = self.now.take();
                carved.map_or(Ok(()), |carved| self.sort_into_cells(&carved))?;
            }
            return Ok(cost);
        }
        let Some(members) = self.waiting.pop() else { return Ok(0) };
        if members.len() <= LARGEST_LEAF {
            self.leaves.push(&members)?;
            return Ok(1);
        }
        let fan_out = if self.is_first { FAN_OUT } else { FAN_OUT_AGAIN };
        self.is_first = false;
        let carving = Carving::new(members, fan_out, self.seed, codes, &self.nodes)?;
        let cost = carving.leaders as u64;
        self.now = Some(carving);
        Ok(cost)
    }

    /// Makes cells of what was carved: leaves, or sets to be carved again.
    fn sort_into_cells(&mut self, carved: &Carving) -> Result<(), OutOfMemory> {
        let mut ends = filled(carved.leaders + 1, 0usize)?;
        carved.joined.iter().for_each(|leader| ends[usize::from(*leader) + 1] += 1);
        for leader in 0..carved.leaders {
            ends[leader + 1] += ends[leader];
        }
        let starts = ends.clone();
        let mut sorted = filled(carved.joined.len(), 0u32)?;
        for (member, joined) in carved.members.iter().zip(carved.joined.chunks(carved.fan_out)) {
            for leader in joined {
                let place = &mut ends[usize::from(*leader)];
                sorted[*place] = *member;
                *place += 1;
            }
        }
        for leader in 0..carved.leaders {
            let cell = &sorted[starts[leader]..starts[leader + 1]];
            if cell.len() <= LARGEST_LEAF {
                if cell.len() > 1 {
                    self.leaves.push(cell)?;
                }
            } else if cell.len() > carved.members.len() * 3 / 4 {
                // Carving does not part them: equal rows, or nearly so. Any parts will do.
                cell.chunks(LARGEST_LEAF / 2).try_for_each(|part| self.leaves.push(part))?;
            } else {
                let mut members = Vec::new();
                members.try_reserve_exact(cell.len())?;
                members.extend_from_slice(cell);
                self.waiting.try_reserve(1)?;
                self.waiting.push(members);
            }
        }
        Ok(())
    }
}

impl Carving {
    fn new(
        members: Vec<u32>,
        fan_out: usize,
        seed: u64,
        codes: &Codes,
        nodes: &[u32],
    ) -> Result<Self, OutOfMemory> {
        let leaders = leaders_of(members.len(), fan_out);
        let mut chosen = Vec::new();
        chosen.try_reserve_exact(leaders)?;
        // One of each stretch of members, so that rows given in some order are all stood for.
        for leader in 0..leaders {
            let (start, end) =
                (leader * members.len() / leaders, (leader + 1) * members.len() / leaders);
            let mixed = (seed ^ leader as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
            let member = members[start + mixed as usize % (end - start)];
            chosen.push(nodes[member as usize]);
        }
        let (mut panels, mut terms) = (Vec::new(), Vec::new());
        codes.pack_panels(&chosen, &mut panels, &mut terms)?;
        Ok(Self {
            joined: filled(members.len() * fan_out, 0)?,
            distances: filled(leaders.next_multiple_of(MOST_COLUMNS) * MOST_ROWS, 0)?,
            members,
            fan_out,
            leaders,
            panels,
            terms,
            next: 0,
            found: Vec::new(),
            block: Block::default(),
        })
    }

    /// Finds the nearest leaders of the next few members.
    fn assign_block(&mut self, codes: &Codes, nodes: &[u32]) -> u64 {
        let end = (self.next + BLOCK_POINTS).min(self.members.len());
        let rows = end - self.next;
        while self.next < end {
            let count = tile::rows().min(end - self.next);
            self.assign_rows(codes, nodes, count);
            self.next += count;
        }
        (rows * self.leaders) as u64 / PAIRS_PER_DISTANCE
    }

    #[inline(never)]
    fn assign_rows(&mut self, codes: &Codes, nodes: &[u32], count: usize) {
        let first = self.next;
        let block: [u32; MOST_ROWS] = std::array::from_fn(|row| {
            let member = self.members[(first + row).min(first + count - 1)];
            nodes[member as usize]
        });
        codes.load_block(&block[..count], &mut self.block);
        let (columns, panel_bytes) = (tile::columns(), codes.panel_bytes());
        let stride = self.leaders.next_multiple_of(MOST_COLUMNS);
        for (panel, start) in (0..self.leaders).step_by(columns).enumerate() {
            let out = Out { distances: &mut self.distances, stride, across: start, down: None };
            let codes = &self.panels[panel * panel_bytes..(panel + 1) * panel_bytes];
            self.block.run(codes, &self.terms[start..start + columns], out);
        }
        let rows = self.distances.chunks_exact_mut(stride).take(count);
        let joined = self.joined.chunks_exact_mut(self.fan_out).skip(first);
        for (distances, joined) in rows.zip(joined) {
            distances[self.leaders..].fill(u32::MAX);
            nearest(distances, self.fan_out, u32::MAX, &mut self.found);
            self.found.sort_unstable();
            joined.iter_mut().zip(&self.found).for_each(|(joined, key)| *joined = *key as u16);
        }
    }
}
