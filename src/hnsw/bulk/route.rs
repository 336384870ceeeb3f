//! Bringing nodes to their cells.
//!
//! At each split all nodes that came there are compared with its leaders by a matrix product, and
//! go on to the nearest. A cell that has become too large is made a split: its leaders are drawn from
//! its nodes, which all move on.

use std::ops::Range;

use super::PAIRS_PER_DISTANCE;
use super::compass::{Compass, cost_of};
use super::leaf::{Leaf, largest_cell};
use super::partition::{Child, MOST_FAN_OUT, MOST_LEADERS, Partition, Slot, node_of};
use super::probe::Probe;
use super::sending::{Comparing, Group, SENT, Sending, UNIT_NODES, share};
use super::share::{Kind, Reader, Words};
use super::sketch::Rows;
use super::team::Team;
use super::units::Units;
use crate::error::OutOfMemory;
use crate::memory::{copied, filled};

/// Nodes for each leader, and leaders of a graph that is not very large, at most: more would cost more than they save.
const NODES_PER_LEADER: usize = 50;
const MOST_LEADERS_USUALLY: usize = 1024;
/// How many cells a node of a later batch joins, for each in a whole build: more, because others did not
/// stay in all of theirs (`STAYING`). With this pair batches of 1,000 that grow an index from 10,000 to 60,000 rows make
/// three fifths of the comparisons they would with all nodes in all cells. Against an index grown row by row,
/// searches then need 9 % fewer distances at a recall of 0.95 and 4 % fewer at 0.995 on WordNet (means of four
/// seeds), 3 % fewer and 4 % more on Fashion-MNIST (of three).
const JOINING_LATER: (usize, usize) = (3, 2);
/// Children a node goes on to at a split below the root.
const FAN_OUT_BELOW: usize = 2;
/// Members sorted or put into cells that take the time of a distance.
const SENT_PER_DISTANCE: u64 = 32;
const SORTED_PER_DISTANCE: u64 = 6;
/// Units that a team does at once, for each of its threads.
const TEAM_UNITS: usize = 16;

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

    /// Gives away some units, to be done by `compass::work` or `leaves::work`.
    pub(super) fn give(&mut self, budget: u64, out: &mut Words) -> Option<(Kind, Range<usize>)> {
        if let Some(probe) = &mut self.probe {
            return probe.give(budget, out).map(|units| (Kind::Probe, units));
        }
        let now = self.now.as_mut()?;
        let cost = cost_of(UNIT_NODES, self.compass.len(), now.fan_out);
        let units = now.units.give(budget as usize, |_| cost as usize)?;
        let members = &now.group.members[now.members(&units)];
        out.push(now.fan_out);
        out.list(self.compass.leaders().iter().copied());
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
