//! Bringing nodes to their cells.
//!
//! At each split all nodes that came there are compared with its leaders by a matrix product, and
//! go on to the nearest. A cell that has become too large is made a split: its leaders are drawn from
//! its nodes, which all move on.

use super::balance::Balance;
use super::leaf::largest_cell;
use super::partition::{Child, Partition, Slot, Split};
use super::probe::Probe;
use super::{PAIRS_PER_DISTANCE, copied, filled};
use crate::distance::nearest;
use crate::distance::tile::{self, Block, MOST_COLUMNS, MOST_ROWS, Out};
use crate::error::OutOfMemory;
use crate::vectors::codes::Codes;

/// Nodes for each leader.
const NODES_PER_LEADER: usize = 50;
/// Children a node goes on to at a split below the root.
const FAN_OUT_BELOW: usize = 2;
/// Leaders of one split: more would cost more than they save.
const MOST_LEADERS: usize = 1024;
/// Nodes compared with all leaders in one unit of work.
const UNIT_NODES: usize = 64;

/// Leaders that so many nodes get.
fn leaders_of(nodes: usize) -> usize {
    (nodes / NODES_PER_LEADER).clamp(2, MOST_LEADERS)
}

/// Distances that bringing a node to its cells costs, about.
pub(super) fn expected_cost(nodes: usize, dimensions: usize) -> u64 {
    if nodes <= largest_cell(dimensions) {
        1
    } else {
        (leaders_of(nodes) + super::probe::SAMPLE) as u64 / PAIRS_PER_DISTANCE
    }
}

/// Finds the leaders nearest to nodes.
#[derive(Default)]
pub(super) struct Compass {
    panels: Vec<u8>,
    terms: Vec<u32>,
    biases: Vec<u32>,
    /// Distances of some nodes to all leaders, a row each.
    distances: Vec<u32>,
    found: Vec<u64>,
    block: Block,
}

impl Compass {
    /// Packs the leaders of a split.
    pub(super) fn set(&mut self, split: &Split, codes: &Codes) -> Result<(), OutOfMemory> {
        let leaders = &split.leaders;
        codes.pack_panels(leaders, &mut self.panels, &mut self.terms)?;
        self.distances = filled(leaders.len().next_multiple_of(MOST_COLUMNS) * MOST_ROWS, 0)?;
        self.biases = filled(leaders.len(), 0)?;
        self.set_biases(split.biases.iter().copied());
        Ok(())
    }

    /// Changes what is added to the distance of each leader.
    pub(super) fn set_biases(&mut self, biases: impl Iterator<Item = u32>) {
        let own = self.biases.iter_mut().zip(&mut self.terms);
        for ((own, term), bias) in own.zip(biases) {
            *term = term.wrapping_sub(*own).wrapping_add(bias);
            *own = bias;
        }
    }

    pub(super) fn biases(&self) -> &[u32] {
        &self.biases
    }

    /// How many leaders there are.
    pub(super) fn len(&self) -> usize {
        self.biases.len()
    }

    pub(super) fn bytes(&self) -> usize {
        let tables = [&self.terms, &self.biases, &self.distances];
        self.panels.capacity() + tables.map(|table| 4 * table.capacity()).iter().sum::<usize>()
    }

    /// Writes for each node the `joined.len() / members.len()` leaders nearest to it, nearest
    /// first. Returns the sum over the nodes of the distance between the first and the last.
    pub(super) fn find(&mut self, members: &[u32], codes: &Codes, joined: &mut [u16]) -> u64 {
        let fan_out = joined.len() / members.len().max(1);
        let rows = tile::rows();
        let parts = members.chunks(rows).zip(joined.chunks_mut(rows * fan_out));
        parts.map(|(members, joined)| self.find_few(members, codes, joined, fan_out)).sum()
    }

    /// The same for as many nodes as a tile has rows.
    #[inline(never)]
    fn find_few(
        &mut self,
        members: &[u32],
        codes: &Codes,
        joined: &mut [u16],
        fan_out: usize,
    ) -> u64 {
        codes.load_block(members, &mut self.block);
        let (columns, panel_bytes) = (tile::columns(), codes.panel_bytes());
        let leaders = self.len();
        let stride = leaders.next_multiple_of(MOST_COLUMNS);
        for (panel, start) in (0..leaders).step_by(columns).enumerate() {
            let distances = &mut self.distances;
            let out = Out { distances, stride, across: Some(start), down: None };
            let codes = &self.panels[panel * panel_bytes..(panel + 1) * panel_bytes];
            self.block.run(codes, &self.terms[start..start + columns], out);
        }
        let mut spread = 0;
        let rows = self.distances.chunks_exact_mut(stride);
        for (distances, joined) in rows.zip(joined.chunks_mut(fan_out)) {
            distances[leaders..].fill(u32::MAX);
            nearest(distances, fan_out, u32::MAX, &mut self.found);
            self.found.sort_unstable();
            for (joined, key) in joined.iter_mut().zip(&self.found) {
                *joined = *key as u16;
            }
            if let (Some(first), Some(last)) = (self.found.first(), self.found.get(fan_out - 1)) {
                spread += (last >> 32) - (first >> 32);
            }
        }
        spread
    }
}

/// Nodes that came to a split.
struct Group {
    split: u32,
    /// Whether the leaders were just drawn.
    is_new: bool,
    members: Vec<u32>,
}

/// A group whose nodes are being compared with the leaders.
struct Comparing {
    group: Group,
    fan_out: usize,
    /// For each node the leaders it goes on to.
    joined: Vec<u16>,
    next: usize,
}

/// Brings nodes to their cells; advanced by [`step`](Self::step).
pub(super) struct Router {
    seed: u64,
    nodes: usize,
    waiting: Vec<Group>,
    balance: Option<Box<Balance>>,
    probe: Option<Box<Probe>>,
    compass: Compass,
    now: Option<Comparing>,
    is_started: bool,
}

impl Router {
    /// A router of the nodes below `nodes` that `partition` does not have yet. Those from `fresh` on
    /// are new.
    pub(super) fn new(partition: &mut Partition, fresh: usize, nodes: usize, seed: u64) -> Self {
        if partition.is_outgrown(nodes - fresh, nodes) {
            *partition = Partition::default();
        }
        Self {
            seed,
            nodes,
            waiting: Vec::new(),
            balance: None,
            probe: None,
            compass: Compass::default(),
            now: None,
            is_started: false,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let waiting = self.waiting.iter().map(|group| 4 * group.members.capacity()).sum::<usize>();
        let now = self.now.as_ref();
        let now = now.map_or(0, |now| 4 * now.group.members.capacity() + 2 * now.joined.capacity());
        let probe = self.probe.as_ref().map_or(0, |probe| probe.bytes());
        let balance = self.balance.as_ref().map_or(0, |balance| balance.bytes());
        waiting + now + self.compass.bytes() + probe + balance
    }

    /// Whether all nodes are in their cells.
    pub(super) fn is_done(&self) -> bool {
        self.is_started && self.waiting.is_empty() && self.now.is_none()
    }

    /// Does the next unit of work and returns what it cost in distances.
    pub(super) fn step(
        &mut self,
        partition: &mut Partition,
        codes: &Codes,
    ) -> Result<u64, OutOfMemory> {
        if !self.is_started {
            self.is_started = true;
            return self.start(partition, codes);
        }
        if let Some(balance) = &mut self.balance {
            let cost = balance.step(&mut self.compass, codes);
            if balance.is_done() {
                self.balance = None;
                self.set_out(partition)?;
            }
            return Ok(cost);
        }
        if let Some(probe) = &mut self.probe {
            let cost = probe.step(&mut self.compass, codes)?;
            if let Some(fan_out) = probe.fan_out() {
                partition.fan_out = fan_out;
                self.probe = None;
                self.set_out(partition)?;
            }
            return Ok(cost);
        }
        if let Some(now) = &mut self.now {
            let end = (now.next + UNIT_NODES).min(now.group.members.len());
            let members = &now.group.members[now.next..end];
            let joined = &mut now.joined[now.next * now.fan_out..end * now.fan_out];
            self.compass.find(members, codes, joined);
            let cost = (end - now.next) * self.compass.len();
            now.next = end;
            if now.next == now.group.members.len() {
                self.now.take().map_or(Ok(()), |now| self.send_on(partition, &now, codes))?;
            }
            return Ok(cost as u64 / PAIRS_PER_DISTANCE);
        }
        let Some(group) = self.waiting.pop() else { return Ok(0) };
        self.compass.set(&partition.splits[group.split as usize], codes)?;
        if group.is_new {
            self.balance = Some(Box::new(Balance::new(&group.members, &self.compass)?));
        }
        self.waiting.push(group);
        if self.balance.is_none() {
            self.set_out(partition)?;
        }
        Ok(self.compass.len() as u64)
    }

    /// Begins with all nodes that are in no cell, at the root.
    fn start(&mut self, partition: &mut Partition, codes: &Codes) -> Result<u64, OutOfMemory> {
        let mut members = Vec::new();
        members.try_reserve_exact(self.nodes - partition.nodes)?;
        members.extend(partition.nodes as u32..self.nodes as u32);
        if partition.child(Slot::Root).is_none() {
            partition.add_root()?;
            partition.drawn_from = self.nodes;
        }
        partition.nodes = self.nodes;
        self.settle(partition, Slot::Root, members, usize::MAX, codes)?;
        Ok(1)
    }

    /// Begins to compare the last group with the leaders in the compass, when it is known to how many
    /// of them a node goes on.
    fn set_out(&mut self, partition: &mut Partition) -> Result<(), OutOfMemory> {
        let Some(mut group) = self.waiting.pop() else { return Ok(()) };
        if group.is_new {
            group.is_new = false;
            let split = &mut partition.splits[group.split as usize];
            split.biases.copy_from_slice(self.compass.biases());
        }
        let fan_out = if group.split == 0 { partition.fan_out } else { FAN_OUT_BELOW };
        if fan_out == 0 {
            self.probe = Some(Box::new(Probe::new(self.compass.len(), self.nodes)?));
            self.waiting.push(group);
            return Ok(());
        }
        let fan_out = fan_out.min(self.compass.len());
        let joined = filled(group.members.len() * fan_out, 0)?;
        self.now = Some(Comparing { group, fan_out, joined, next: 0 });
        Ok(())
    }

    /// Puts nodes where they came to: into a cell, or into the queue of a split. `before` is how
    /// many nodes came to the split above.
    fn settle(
        &mut self,
        partition: &mut Partition,
        slot: Slot,
        members: Vec<u32>,
        before: usize,
        codes: &Codes,
    ) -> Result<(), OutOfMemory> {
        match partition.child(slot) {
            Some(Child::Split(split)) => self.queue(Group { split, is_new: false, members }),
            Some(Child::Cell(number)) => {
                let largest = largest_cell(codes.dimensions());
                let cell = &mut partition.cells[number as usize];
                let is_new = cell.is_empty();
                cell.try_reserve_exact(members.len())?;
                cell.extend_from_slice(&members);
                // A cell that is there already may grow, as the index does.
                if cell.len() <= if is_new { largest } else { 2 * largest } {
                    return Ok(());
                }
                let members = std::mem::take(cell);
                if members.len() > before - before / 4 {
                    return divide(partition, slot, number, &members, largest / 2);
                }
                let leaders = self.draw_leaders(&members)?;
                let split = partition.add_split(slot, number, leaders)?;
                self.queue(Group { split, is_new: true, members })
            }
            None => Ok(()),
        }
    }

    fn queue(&mut self, group: Group) -> Result<(), OutOfMemory> {
        self.waiting.try_reserve(1)?;
        self.waiting.push(group);
        Ok(())
    }

    /// One of each stretch of nodes, so that rows given in some order are all stood for.
    fn draw_leaders(&self, members: &[u32]) -> Result<Vec<u32>, OutOfMemory> {
        let count = leaders_of(members.len());
        let mut leaders = Vec::new();
        leaders.try_reserve_exact(count)?;
        leaders.extend((0..count).map(|leader| {
            let (start, end) =
                (leader * members.len() / count, (leader + 1) * members.len() / count);
            let mixed = (self.seed ^ leader as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
            members[start + mixed as usize % (end - start)]
        }));
        Ok(leaders)
    }

    /// Sends the nodes of a group on, to the children of their leaders.
    fn send_on(
        &mut self,
        partition: &mut Partition,
        now: &Comparing,
        codes: &Codes,
    ) -> Result<(), OutOfMemory> {
        let Group { split, members, .. } = &now.group;
        let leaders = partition.splits[*split as usize].leaders.len();
        let mut ends = filled(leaders + 1, 0usize)?;
        now.joined.iter().for_each(|leader| ends[usize::from(*leader) + 1] += 1);
        for leader in 0..leaders {
            ends[leader + 1] += ends[leader];
        }
        let starts = copied(&ends)?;
        let mut sorted = filled(now.joined.len(), 0u32)?;
        for (member, joined) in members.iter().zip(now.joined.chunks(now.fan_out)) {
            for leader in joined {
                let place = &mut ends[usize::from(*leader)];
                sorted[*place] = *member;
                *place += 1;
            }
        }
        for leader in 0..leaders {
            let group = &sorted[starts[leader]..starts[leader + 1]];
            if !group.is_empty() {
                let slot = Slot::Child { split: *split, child: leader as u32 };
                self.settle(partition, slot, copied(group)?, members.len(), codes)?;
            }
        }
        Ok(())
    }
}

/// Divides nodes that leaders do not part, because they are equal or nearly so: any parts will do.
fn divide(
    partition: &mut Partition,
    slot: Slot,
    cell: u32,
    members: &[u32],
    part: usize,
) -> Result<(), OutOfMemory> {
    let parts = || members.chunks(part.max(1));
    let mut leaders = Vec::new();
    leaders.try_reserve_exact(parts().len())?;
    leaders.extend(parts().filter_map(|part| part.first()));
    let split = partition.add_split(slot, cell, leaders)?;
    for (child, part) in parts().enumerate() {
        let slot = Slot::Child { split, child: child as u32 };
        if let Some(Child::Cell(cell)) = partition.child(slot) {
            partition.cells[cell as usize] = copied(part)?;
        }
    }
    Ok(())
}
