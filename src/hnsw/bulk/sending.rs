//! Nodes on their way from a split to its children: compared with the leaders, then sorted by them.

use std::ops::Range;

use super::partition::{GUEST, Partition};
use super::units::Units;
use crate::error::OutOfMemory;
use crate::memory::{copied, filled};

/// In which share of the cells that a node joins in a whole build it stays; of the others it is a guest.
/// A later batch is compared with what stayed, and costs as much as that is.
const STAYING: (usize, usize) = (2, 5);
/// Leaders of many members get only those that they are among the nearest leaders of: of a member's cells those that
/// matter least. That gives up at most the last third of them, for cells of two thirds of the largest; what is too
/// large all the same is divided. Dividing all that are too large instead, 60,000 rows of WordNet come to 13.0 cells instead
/// of 10.6, and searches need 2 % more distances at a recall of 0.995.
const NEEDED: (usize, usize) = (2, 3);
const TRIMMED: (usize, usize) = (2, 3);
/// Nodes of a unit, which are compared with all leaders.
pub(super) const UNIT_NODES: usize = 64;

/// Members sorted or put into cells in one unit of work, about.
pub(super) const SENT: usize = 1 << 15;

/// A share of some cells, rounded up.
pub(super) fn share(cells: usize, (part, whole): (usize, usize)) -> usize {
    (cells * part).div_ceil(whole)
}

/// Members that came to a split.
pub(super) struct Group {
    pub(super) split: u32,
    pub(super) members: Vec<u32>,
}

/// A group whose nodes are being compared with the leaders.
pub(super) struct Comparing {
    pub(super) group: Group,
    pub(super) fan_out: usize,
    /// For each node the leaders it goes on to.
    pub(super) joined: Vec<u16>,
    pub(super) units: Units,
}

impl Comparing {
    pub(super) fn bytes(&self) -> usize {
        4 * self.group.members.capacity() + 2 * self.joined.capacity()
    }

    /// The members of some units.
    pub(super) fn members(&self, units: &Range<usize>) -> Range<usize> {
        let end = (units.end * UNIT_NODES).min(self.group.members.len());
        units.start * UNIT_NODES..end
    }
}

/// The members of a group, being sorted by the leaders they go on to.
pub(super) struct Sending {
    pub(super) compared: Comparing,
    /// In how many of the cells that a member joins it stays.
    staying: usize,
    /// How many of the leaders nearest to a member each leader must be among, to get it.
    ranks: Vec<u16>,
    /// The next member to be sorted in.
    pub(super) next_member: usize,
    pub(super) sorted: Vec<u32>,
    /// Where those of each leader begin, and the last end; where the next of each goes.
    pub(super) starts: Vec<usize>,
    ends: Vec<usize>,
    /// The next leader whose members are put where they came to.
    pub(super) next: usize,
}

impl Sending {
    pub(super) fn new(
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

    pub(super) fn bytes(&self) -> usize {
        self.compared.bytes() + 4 * self.sorted.capacity()
    }

    /// Sorts some members in. Returns how many places they have.
    pub(super) fn sort_some(&mut self) -> usize {
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
