//! Bringing nodes to their cells.
//!
//! At each split all nodes that came there are compared with its leaders by a matrix product, and
//! go on to the nearest. A cell that has become too large is made a split: its leaders are drawn from
//! its nodes, which all move on.

use std::ops::Range;

use super::PAIRS_PER_DISTANCE;
use super::leaf::{Leaf, largest_cell};
use super::partition::{Child, GUEST, MOST_FAN_OUT, MOST_LEADERS, Partition, Slot, node_of};
use super::probe::Probe;
use super::share::{Kind, Reader, Words};
use super::sketch::Rows;
use super::team::{Pool, Team};
use super::units::Units;
use crate::distance::tile::{self, Block, MOST_ROWS};
use crate::distance::{nearest, sort};
use crate::error::OutOfMemory;
use crate::memory::{copied, filled};
use crate::vectors::codes::Codes;
use crate::vectors::panels::Panels;
use crate::vectors::{Space, key, of_key, score_all};

/// Nodes for each leader, and leaders of a graph that is not very large, at most: more would cost more than they save.
const NODES_PER_LEADER: usize = 50;
const MOST_LEADERS_USUALLY: usize = 1024;
/// In which share of the cells that a node joins in a whole build it stays; of the others it is a guest.
/// A later batch is compared with what stayed, and costs as much as that is.
const STAYING: (usize, usize) = (2, 5);
/// How many cells a node of a later batch joins, for each in a whole build: more, because others did not
/// stay in all of theirs. With this pair batches of 1,000 that grow an index from 10,000 to 60,000 rows make
/// three fifths of the comparisons they would with all nodes in all cells. Against an index grown row by row,
/// searches then need 9 % fewer distances at a recall of 0.95 and 4 % fewer at 0.995 on WordNet (means of four
/// seeds), 3 % fewer and 4 % more on Fashion-MNIST (of three).
const JOINING_LATER: (usize, usize) = (3, 2);
/// Leaders of many members get only those that they are among the nearest leaders of: of a member's cells those that
/// matter least. That gives up at most the last third of them, for cells of two thirds of the largest; what is too
/// large all the same is divided. Dividing all that are too large instead, 60,000 rows of WordNet come to 13.0 cells instead
/// of 10.6, and searches need 2 % more distances at a recall of 0.995.
const NEEDED: (usize, usize) = (2, 3);
const TRIMMED: (usize, usize) = (2, 3);
/// Children a node goes on to at a split below the root.
const FAN_OUT_BELOW: usize = 2;
/// Leaders that are compared exactly where sketches are compared first: twice the fan-out, but no more than about so
/// many, of which `nearest` finds twice as many in any case.
const NEAR: usize = 24;
/// Nodes of a unit, which are compared with all leaders.
const UNIT_NODES: usize = 64;

/// Units that a team does at once, for each of its threads.
const TEAM_UNITS: usize = 16;

/// Members sorted or put into cells in one unit of work, about, and how many of them take the time of a distance.
const SENT: usize = 1 << 15;
const SENT_PER_DISTANCE: u64 = 32;
const SORTED_PER_DISTANCE: u64 = 6;

/// A share of some cells, rounded up.
fn share(cells: usize, (part, whole): (usize, usize)) -> usize {
    (cells * part).div_ceil(whole)
}

/// Leaders that so many nodes get.
fn leaders_of(nodes: usize) -> usize {
    let most = if nodes > super::VERY_LARGE { MOST_LEADERS } else { MOST_LEADERS_USUALLY };
    (nodes / NODES_PER_LEADER).clamp(2, most)
}

/// Distances that bringing a node to its cells costs, about.
pub(super) fn expected_cost(nodes: usize, dimensions: usize) -> u64 {
    if nodes <= largest_cell(nodes, dimensions) {
        1
    } else {
        cost_of(1, leaders_of(nodes) + super::probe::SAMPLE, MOST_FAN_OUT)
    }
}

/// Distances that bringing some nodes to `fan_out` of some leaders costs, about.
fn cost_of(nodes: usize, leaders: usize, fan_out: usize) -> u64 {
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

/// Members that came to a split.
struct Group {
    split: u32,
    members: Vec<u32>,
}

/// A group whose nodes are being compared with the leaders.
struct Comparing {
    group: Group,
    fan_out: usize,
    /// For each node the leaders it goes on to.
    joined: Vec<u16>,
    units: Units,
}

impl Comparing {
    fn bytes(&self) -> usize {
        4 * self.group.members.capacity() + 2 * self.joined.capacity()
    }

    /// The members of some units.
    fn members(&self, units: &Range<usize>) -> Range<usize> {
        let end = (units.end * UNIT_NODES).min(self.group.members.len());
        units.start * UNIT_NODES..end
    }
}

/// The members of a group, being sorted by the leaders they go on to.
struct Sending {
    compared: Comparing,
    /// In how many of the cells that a member joins it stays.
    staying: usize,
    /// How many of the leaders nearest to a member each leader must be among, to get it.
    ranks: Vec<u16>,
    /// The next member to be sorted in.
    next_member: usize,
    sorted: Vec<u32>,
    /// Where those of each leader begin, and the last end; where the next of each goes.
    starts: Vec<usize>,
    ends: Vec<usize>,
    /// The next leader whose members are put where they came to.
    next: usize,
}

impl Sending {
    fn new(
        partition: &Partition,
        compared: Comparing,
        largest: usize,
    ) -> Result<Self, OutOfMemory> {
        let split = compared.group.split;
        let leaders = partition.splits[split as usize].leaders.len();
        // Below the root nodes stay guests or not, as they came.
        let staying = match split {
            0 => share(partition.fan_out, STAYING),
            _ => compared.fan_out,
        };
        let fan_out = compared.fan_out;
        let mut counts = filled(leaders * fan_out, 0usize)?;
        for joined in compared.joined.chunks(fan_out) {
            let places = joined.iter().enumerate();
            places.for_each(|(rank, leader)| counts[usize::from(*leader) * fan_out + rank] += 1);
        }
        let least = staying.max(share(fan_out, NEEDED));
        let (mut ranks, mut starts) = (filled(leaders, 0)?, filled(leaders + 1, 0usize)?);
        for (leader, counts) in counts.chunks(fan_out).enumerate() {
            let size = |ranks: usize| counts[..ranks].iter().sum::<usize>();
            let is_trimmed = |ranks: &usize| size(*ranks) <= share(largest, TRIMMED);
            let rank = if size(least) > largest {
                fan_out
            } else {
                (least..=fan_out).rev().find(is_trimmed).unwrap_or(least)
            };
            ranks[leader] = rank as u16;
            starts[leader + 1] = starts[leader] + size(rank);
        }
        let (ends, sorted) = (copied(&starts)?, filled(starts[leaders], 0)?);
        Ok(Self { compared, staying, ranks, next_member: 0, sorted, starts, ends, next: 0 })
    }

    fn bytes(&self) -> usize {
        self.compared.bytes() + 4 * self.sorted.capacity()
    }

    /// Sorts some members in. Returns how many places they have.
    fn sort_some(&mut self) -> usize {
        let fan_out = self.compared.fan_out;
        let members = self.compared.group.members[self.next_member..].iter();
        let joined = self.compared.joined[self.next_member * fan_out..].chunks(fan_out);
        let portion = SENT / fan_out;
        for (member, joined) in members.zip(joined).take(portion) {
            for (rank, leader) in joined.iter().enumerate() {
                let leader = usize::from(*leader);
                if rank >= usize::from(self.ranks[leader]) {
                    continue;
                }
                let end = &mut self.ends[leader];
                self.sorted[*end] = if rank < self.staying { *member } else { *member | GUEST };
                *end += 1;
            }
        }
        self.next_member += portion;
        portion * fan_out
    }
}

/// Brings nodes to their cells.
pub(super) struct Router {
    seed: u64,
    nodes: usize,
    /// Members of a cell that is not divided.
    largest: usize,
    waiting: Vec<Group>,
    probe: Option<Box<Probe>>,
    leaf: Leaf,
    compass: Compass,
    now: Option<Comparing>,
    sending: Option<Sending>,
    is_started: bool,
}

impl Router {
    /// A router of the nodes below `nodes` that `partition` does not have yet, whose rows are compared by so many
    /// `dimensions`. Those from `fresh` on are new.
    pub(super) fn new(
        partition: &mut Partition,
        fresh: usize,
        nodes: usize,
        dimensions: usize,
        seed: u64,
    ) -> Self {
        if partition.is_outgrown(nodes - fresh, nodes) {
            *partition = Partition::default();
        }
        Self {
            seed,
            nodes,
            largest: largest_cell(nodes, dimensions),
            waiting: Vec::new(),
            probe: None,
            leaf: Leaf::default(),
            compass: Compass::default(),
            now: None,
            sending: None,
            is_started: false,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let waiting = self.waiting.iter().map(|group| 4 * group.members.capacity()).sum::<usize>();
        let now = self.now.as_ref().map_or(0, Comparing::bytes);
        let sending = self.sending.as_ref().map_or(0, Sending::bytes);
        let probe = self.probe.as_ref().map_or(0, |probe| probe.bytes());
        waiting + now + sending + probe + self.leaf.bytes() + self.compass.bytes()
    }

    /// Whether all nodes are in their cells.
    pub(super) fn is_done(&self) -> bool {
        self.is_started && self.waiting.is_empty() && self.now.is_none() && self.sending.is_none()
    }

    /// A number for what is next: a probe, sorting, or comparing.
    pub(super) fn part(&self) -> u8 {
        match (&self.sending, &self.probe) {
            (Some(_), _) => 2,
            (None, Some(probe)) => 3 + u8::from(probe.has_units()),
            (None, None) => 1,
        }
    }

    /// Does the next unit of work, or some where a team does it, and returns what it cost in
    /// distances. Nothing is done while all that is left is given away.
    #[inline(never)]
    pub(super) fn step(
        &mut self,
        partition: &mut Partition,
        rows: Rows<'_>,
        team: &Team,
    ) -> Result<u64, OutOfMemory> {
        let codes = rows.near;
        if !self.is_started {
            self.is_started = true;
            return self.start(partition);
        }
        if let Some(sending) = self.sending.take() {
            return self.send_some(partition, sending);
        }
        if let Some(probe) = &mut self.probe {
            let pairs = probe.step(&mut self.compass, &mut self.leaf, rows)?;
            if let Some(fan_out) = probe.fan_out() {
                partition.fan_out = fan_out;
                self.probe = None;
                self.set_out(partition)?;
            }
            return Ok(pairs as u64 / PAIRS_PER_DISTANCE);
        }
        if let Some(now) = &mut self.now {
            let leaders = self.compass.len();
            let portion = if team.threads() == 1 { 1 } else { team.threads() * TEAM_UNITS };
            let Some(units) = now.units.take(portion, |_| 1) else { return Ok(0) };
            let (members, fan_out) = (now.members(&units), now.fan_out);
            let nodes = &now.group.members;
            let found = team.map(units.clone(), |unit| -> Result<Vec<u16>, OutOfMemory> {
                let members = &nodes[now.members(&(unit..unit + 1))];
                let mut joined = filled(members.len() * fan_out, 0)?;
                self.compass.find(members, rows, &mut joined);
                Ok(joined)
            });
            let mut places = now.joined[members.start * fan_out..].chunks_mut(UNIT_NODES * fan_out);
            for found in found {
                let found = found?;
                let Some(place) = places.next() else { break };
                place[..found.len()].copy_from_slice(&found);
            }
            self.go_on(partition)?;
            return Ok(cost_of(members.len(), leaders, fan_out));
        }
        let Some(group) = self.waiting.last() else { return Ok(0) };
        self.compass.set(&partition.splits[group.split as usize].leaders, codes)?;
        self.set_out(partition)?;
        Ok(self.compass.len() as u64)
    }

    /// Begins with all nodes that are in no cell, at the root.
    #[inline(never)]
    fn start(&mut self, partition: &mut Partition) -> Result<u64, OutOfMemory> {
        let mut members = Vec::new();
        members.try_reserve_exact(self.nodes - partition.nodes)?;
        members.extend(partition.nodes as u32..self.nodes as u32);
        if partition.child(Slot::Root).is_none() {
            partition.add_root()?;
            partition.drawn_from = self.nodes;
        }
        partition.nodes = self.nodes;
        self.settle(partition, Slot::Root, &members, usize::MAX)?;
        Ok(1)
    }

    /// Begins to compare the last group with the leaders in the compass, when it is known to how many
    /// of them a node goes on.
    fn set_out(&mut self, partition: &Partition) -> Result<(), OutOfMemory> {
        let Some(group) = self.waiting.pop() else { return Ok(()) };
        let is_whole = partition.drawn_from == self.nodes;
        let fan_out = match (group.split, partition.fan_out) {
            (0, fan_out) if is_whole => fan_out,
            (0, fan_out) => share(fan_out, JOINING_LATER),
            _ => FAN_OUT_BELOW,
        };
        if fan_out == 0 {
            self.probe = Some(Box::new(Probe::new(self.compass.len(), self.nodes)?));
            self.waiting.push(group);
            return Ok(());
        }
        let fan_out = fan_out.min(self.compass.len());
        let joined = filled(group.members.len() * fan_out, 0)?;
        let units = Units::new(group.members.len().div_ceil(UNIT_NODES));
        self.now = Some(Comparing { group, fan_out, joined, units });
        Ok(())
    }

    /// Sorts the members of a group by their leaders when all were compared.
    fn go_on(&mut self, partition: &Partition) -> Result<(), OutOfMemory> {
        if let Some(now) = self.now.take_if(|now| now.units.is_done()) {
            self.sending = Some(Sending::new(partition, now, self.largest)?);
        }
        Ok(())
    }

    /// Whether there are units that helpers can do.
    pub(super) fn has_units(&self) -> bool {
        self.now.is_some() || self.probe.as_ref().is_some_and(|probe| probe.has_units())
    }

    /// Gives away some units, to be done by [`work`] or `leaves::work`.
    pub(super) fn give(&mut self, budget: u64, out: &mut Words) -> Option<(Kind, Range<usize>)> {
        if let Some(probe) = &mut self.probe {
            return probe.give(budget, out).map(|units| (Kind::Probe, units));
        }
        let now = self.now.as_mut()?;
        let cost = cost_of(UNIT_NODES, self.compass.len(), now.fan_out);
        let units = now.units.give(budget as usize, |_| cost as usize)?;
        let members = &now.group.members[now.members(&units)];
        out.push(now.fan_out);
        out.list(self.compass.leaders.iter().copied());
        out.list(members.iter().map(|member| node_of(*member)));
        Some((Kind::Route, units))
    }

    /// Takes in what was made of units that were given away. Returns what they cost.
    pub(super) fn accept(
        &mut self,
        kind: Kind,
        units: &Range<usize>,
        words: &mut Reader<'_>,
        partition: &Partition,
    ) -> Result<Option<u64>, OutOfMemory> {
        if kind == Kind::Probe {
            return Ok(self.probe.as_mut().and_then(|probe| probe.accept(units, words)));
        }
        let Some(now) = &mut self.now else { return Ok(None) };
        let (members, fan_out, leaders) = (now.members(units), now.fan_out, self.compass.len());
        let Some(found) = words.take(members.len() * fan_out) else { return Ok(None) };
        let is_sound = |joined: &[u32]| {
            let mut places = joined.iter().enumerate();
            places.all(|(i, one)| (*one as usize) < leaders && !joined[..i].contains(one))
        };
        if !found.chunks(fan_out).all(is_sound) || !now.units.finish(units) {
            return Ok(None);
        }
        let places = &mut now.joined[members.start * fan_out..members.end * fan_out];
        places.iter_mut().zip(found).for_each(|(place, leader)| *place = *leader as u16);
        self.go_on(partition)?;
        Ok(Some(cost_of(members.len(), leaders, fan_out)))
    }

    /// Takes back what was given away and is not done.
    pub(super) fn take_back(&mut self) {
        if let Some(now) = &mut self.now {
            now.units.take_back();
        }
        if let Some(probe) = &mut self.probe {
            probe.take_back();
        }
    }

    /// Puts nodes where they came to: into a cell, or into the queue of a split. `before` is how
    /// many nodes came to the split above.
    fn settle(
        &mut self,
        partition: &mut Partition,
        slot: Slot,
        members: &[u32],
        before: usize,
    ) -> Result<(), OutOfMemory> {
        match partition.child(slot) {
            Some(Child::Split(split)) => self.queue(Group { split, members: copied(members)? }),
            Some(Child::Cell(number)) => {
                let largest = self.largest;
                let cell = &mut partition.cells[number as usize];
                let is_new = cell.is_empty();
                cell.try_reserve_exact(members.len())?;
                cell.extend_from_slice(members);
                // A cell that is there already may grow, as the index does.
                if cell.len() <= if is_new { largest } else { 2 * largest } {
                    return Ok(());
                }
                let members = std::mem::take(cell);
                if members.len() > before - before / 4 {
                    return divide(partition, slot, number, &members, largest / 2);
                }
                let leaders = self.draw_leaders(&members)?;
                if matches!(slot, Slot::Root) {
                    partition.drawn_from = self.nodes;
                }
                let split = partition.add_split(slot, number, leaders)?;
                self.queue(Group { split, members })
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
            node_of(members[start + mixed as usize % (end - start)])
        }));
        Ok(leaders)
    }

    /// Sorts some members by their leaders or, when all are, puts those of some leaders where they came to.
    /// Returns what that cost in distances.
    #[inline(never)]
    fn send_some(
        &mut self,
        partition: &mut Partition,
        mut sending: Sending,
    ) -> Result<u64, OutOfMemory> {
        if sending.next_member < sending.compared.group.members.len() {
            let sorted = sending.sort_some();
            self.sending = Some(sending);
            return Ok(sorted as u64 / SORTED_PER_DISTANCE + 1);
        }
        let first = sending.next;
        let Group { split, members } = &sending.compared.group;
        let (split, before) = (*split, members.len());
        while let Some([start, end]) = sending.starts.get(sending.next..sending.next + 2) {
            if start - sending.starts[first] >= SENT {
                break;
            }
            let slot = Slot::Child { split, child: sending.next as u32 };
            if end > start {
                self.settle(partition, slot, &sending.sorted[*start..*end], before)?;
            }
            sending.next += 1;
        }
        let sent = sending.starts[sending.next] - sending.starts[first];
        if sending.next + 1 < sending.starts.len() {
            self.sending = Some(sending);
        }
        Ok(sent as u64 / SENT_PER_DISTANCE + 1)
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
    // A split takes no more leaders, so very many equal rows have larger parts.
    let part = part.max(members.len().div_ceil(MOST_LEADERS)).max(1);
    let parts = || members.chunks(part);
    let mut leaders = Vec::new();
    leaders.try_reserve_exact(parts().len())?;
    leaders.extend(parts().filter_map(|part| part.first().map(|member| node_of(*member))));
    let split = partition.add_split(slot, cell, leaders)?;
    for (child, part) in parts().enumerate() {
        let slot = Slot::Child { split, child: child as u32 };
        if let Some(Child::Cell(cell)) = partition.child(slot) {
            partition.cells[cell as usize] = copied(part)?;
        }
    }
    Ok(())
}

/// Does units that a [`Router`] gave away: the leaders nearest to each of some nodes.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_equal_rows_there_are_a_split_has_no_more_leaders_than_it_may() {
        let nodes = 3 * MOST_LEADERS + 1;
        let members: Vec<u32> = (0..nodes as u32).collect();
        let mut partition = Partition { nodes, ..Partition::default() };
        partition.add_root().unwrap();
        divide(&mut partition, Slot::Root, 0, &members, 2).unwrap();
        assert_eq!(partition.validate(), Ok(()));
        assert!(partition.cells.iter().all(|cell| cell.len() <= 4));
    }
}
