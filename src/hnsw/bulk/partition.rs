//! Which nodes lie near each other: cells, and the way to them.
//!
//! A node finds its cells from the root of a tree on. A split has *leaders*, nodes drawn from those
//! that came through it when it was made, and a child for each; a node goes on to the children of
//! the leaders nearest to it: to several at the root, so that cells overlap and a node near a border
//! is compared with both sides, and to two below. A child is a cell or, where that would be too large,
//! another split.
//!
//! An index keeps its partition from batch to batch, so that what a batch costs does not grow with
//! the index. In some of its cells a node is only a *guest*: it is compared with those that are there, and
//! has left when the batch is done, so that the next one has fewer to compare. Nothing here computes
//! distances: that is `route.rs`.
//!
//! Always true between batches, and checked by [`Partition::validate`]:
//! - every split and every cell is reached from the root, once: a split 0, or else cell 0;
//! - the nodes of a cell rise; the nodes `0..nodes` are in at least one cell each.

use std::ops::Range;

use crate::error::OutOfMemory;
use crate::memory::{copied, filled};

/// A batch of at least one in so many of all nodes is a build of its own: leaders are drawn anew.
const MANY: usize = 8;
/// Leaders are also drawn anew when there are so many times the nodes that they were drawn from,
const GROWTH: usize = 2;
/// unless a batch has less than one in so many of the nodes; but at latest
const FEW: usize = 32;
/// when there are so many times the nodes.
const MOST_GROWTH: usize = 8;

/// Leaders of one split, at most.
pub(super) const MOST_LEADERS: usize = 2048;

/// Cells a node joins at the root of a whole build, at most.
pub(super) const MOST_FAN_OUT: usize = 14;

/// Marks a node of a cell as a guest: it is compared with the cell's nodes and then leaves.
pub(super) const GUEST: u32 = 1 << 31;

/// The node of a cell's member, guest or not.
#[inline]
pub(super) fn node_of(member: u32) -> u32 {
    member & !GUEST
}

/// The members of a cell that are numbered from `fresh` on.
pub(super) fn members_from(cell: &[u32], fresh: usize) -> &[u32] {
    &cell[cell.partition_point(|member| (node_of(*member) as usize) < fresh)..]
}

/// What a leader leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Child {
    Cell(u32),
    Split(u32),
}

/// Leaders, and what each leads to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) leaders: Vec<u32>,
    pub(crate) children: Vec<Child>,
}

/// A place in the tree: the root, or a child of a split.
#[derive(Debug, Clone, Copy)]
pub(super) enum Slot {
    Root,
    Child { split: u32, child: u32 },
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Partition {
    /// Nodes in cells: those numbered below it.
    pub(crate) nodes: usize,
    /// Nodes there were when the leaders at the root were drawn.
    pub(crate) drawn_from: usize,
    /// Cells a node joins at the root; 0 while there are no leaders.
    pub(crate) fan_out: usize,
    pub(crate) splits: Vec<Split>,
    pub(crate) cells: Vec<Vec<u32>>,
}

impl Partition {
    pub(crate) fn bytes(&self) -> usize {
        let splits = self.splits.iter().map(|split| 12 * split.leaders.capacity()).sum::<usize>();
        let cells = self.cells.iter().map(|cell| 4 * cell.capacity()).sum::<usize>();
        splits + cells + size_of::<Vec<u32>>() * self.cells.capacity()
    }

    pub(crate) fn try_clone(&self) -> Result<Self, OutOfMemory> {
        let mut splits = Vec::new();
        splits.try_reserve_exact(self.splits.len())?;
        for split in &self.splits {
            let (leaders, children) = (copied(&split.leaders)?, copied(&split.children)?);
            splits.push(Split { leaders, children });
        }
        let mut cells = Vec::new();
        cells.try_reserve_exact(self.cells.len())?;
        for cell in &self.cells {
            cells.push(copied(cell)?);
        }
        let Self { nodes, drawn_from, fan_out, .. } = *self;
        Ok(Self { nodes, drawn_from, fan_out, splits, cells })
    }

    /// Whether the leaders are to be drawn anew when `new` nodes more make it `nodes`. Cells grow
    /// with the index, and with them what a node costs; but a few new nodes must not pay for
    /// bringing all old ones to new cells until there is no other way.
    pub(crate) fn is_outgrown(&self, new: usize, nodes: usize) -> bool {
        let is_worth_it = nodes > GROWTH * self.drawn_from && new * FEW >= nodes;
        new * MANY >= nodes || is_worth_it || nodes > MOST_GROWTH * self.drawn_from
    }

    /// How many nodes there are, or were, when the leaders at the root are drawn for the nodes `before..nodes`.
    pub(super) fn to_be_drawn_from(&self, before: usize, nodes: usize) -> usize {
        if self.is_outgrown(nodes - before, nodes) { nodes } else { self.drawn_from }
    }

    /// What there is at a place, if anything.
    pub(super) fn child(&self, slot: Slot) -> Option<Child> {
        match slot {
            Slot::Root if !self.splits.is_empty() => Some(Child::Split(0)),
            Slot::Root => (!self.cells.is_empty()).then_some(Child::Cell(0)),
            Slot::Child { split, child } => {
                self.splits.get(split as usize)?.children.get(child as usize).copied()
            }
        }
    }

    /// Makes the cell at the root, of a partition that is empty.
    pub(super) fn add_root(&mut self) -> Result<(), OutOfMemory> {
        self.cells.try_reserve(1)?;
        self.cells.push(Vec::new());
        Ok(())
    }

    /// Makes a split of the cell at a place, which becomes the first child; the others are new and
    /// empty cells.
    pub(super) fn add_split(
        &mut self,
        slot: Slot,
        cell: u32,
        leaders: Vec<u32>,
    ) -> Result<u32, OutOfMemory> {
        self.splits.try_reserve(1)?;
        self.cells.try_reserve(leaders.len())?;
        let split = self.splits.len() as u32;
        let mut children = filled(leaders.len(), Child::Cell(cell))?;
        for child in children.iter_mut().skip(1) {
            *child = Child::Cell(self.cells.len() as u32);
            self.cells.push(Vec::new());
        }
        self.splits.push(Split { leaders, children });
        if let Slot::Child { split: parent, child } = slot {
            self.splits[parent as usize].children[child as usize] = Child::Split(split);
        }
        Ok(split)
    }

    /// The nodes from `fresh` on, in the order of the cells they are in first: neighbours lie
    /// together, and their codes are in the cache when they are worked on in this order.
    pub(super) fn order(&self, fresh: usize) -> Result<Vec<u32>, OutOfMemory> {
        let mut seen = filled(self.nodes - fresh, false)?;
        let mut order = Vec::new();
        order.try_reserve_exact(seen.len())?;
        for cell in &self.cells {
            for node in members_from(cell, fresh).iter().map(|member| node_of(*member)) {
                if !std::mem::replace(&mut seen[node as usize - fresh], true) {
                    order.push(node);
                }
            }
        }
        Ok(order)
    }

    /// Guests leave some of the cells.
    pub(super) fn dismiss_guests(&mut self, cells: Range<usize>) -> Result<(), OutOfMemory> {
        for cell in &mut self.cells[cells] {
            let members = cell.len();
            cell.retain(|member| member & GUEST == 0);
            if cell.len() < members {
                *cell = copied(cell)?;
            }
        }
        Ok(())
    }

    /// Says which rule of this module is broken, if one is. Reads everything.
    pub(crate) fn validate(&self) -> Result<(), String> {
        if self.fan_out > MOST_FAN_OUT {
            return Err(format!("nodes join {} cells, of at most {MOST_FAN_OUT}", self.fan_out));
        }
        if self.drawn_from > self.nodes {
            return Err(format!("{} nodes were drawn from, of {}", self.drawn_from, self.nodes));
        }
        let unmet = |len| filled(len, false).map_err(|_| "no memory to check the partition");
        let mut met = unmet(self.nodes)?;
        let (mut splits, mut cells) = (unmet(self.splits.len())?, unmet(self.cells.len())?);
        let mut waiting = Vec::from_iter(self.child(Slot::Root));
        while let Some(child) = waiting.pop() {
            match child {
                Child::Split(number) => {
                    let Some(split) = self.splits.get(number as usize) else {
                        return Err(format!("split {number} does not exist"));
                    };
                    if std::mem::replace(&mut splits[number as usize], true) {
                        return Err(format!("split {number} is reached twice"));
                    }
                    let leaders = split.leaders.len();
                    let is_whole = leaders == split.children.len();
                    if leaders == 0 || leaders > MOST_LEADERS || !is_whole {
                        return Err(format!("split {number} has {leaders} leaders"));
                    }
                    if split.leaders.iter().any(|leader| *leader as usize >= self.nodes) {
                        return Err(format!("a leader of split {number} is no node"));
                    }
                    waiting.extend_from_slice(&split.children);
                }
                Child::Cell(number) => {
                    let Some(cell) = self.cells.get(number as usize) else {
                        return Err(format!("cell {number} does not exist"));
                    };
                    if std::mem::replace(&mut cells[number as usize], true) {
                        return Err(format!("cell {number} is reached twice"));
                    }
                    if !cell.is_sorted_by(|a, b| a < b) {
                        return Err(format!("the nodes of cell {number} do not rise"));
                    }
                    for node in cell {
                        let Some(met) = met.get_mut(*node as usize) else {
                            return Err(format!("cell {number} has {node}, which is no node"));
                        };
                        *met = true;
                    }
                }
            }
        }
        if splits.iter().chain(&cells).any(|is_met| !is_met) {
            return Err("a split or a cell is not reached".into());
        }
        match met.iter().position(|met| !met) {
            Some(node) => Err(format!("node {node} is in no cell")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two leaders; the second leads to a split of its own.
    fn sound() -> Partition {
        let mut partition = Partition { nodes: 4, ..Partition::default() };
        partition.add_root().unwrap();
        partition.add_split(Slot::Root, 0, vec![0, 3]).unwrap();
        partition.add_split(Slot::Child { split: 0, child: 1 }, 1, vec![2, 3]).unwrap();
        partition.cells = vec![vec![0, 1, 2], vec![2], vec![2, 3]];
        partition
    }

    #[test]
    fn the_root_is_a_cell_until_there_is_a_split() {
        let mut partition = Partition::default();
        assert_eq!(partition.child(Slot::Root), None);
        assert_eq!(partition.validate(), Ok(()));
        partition.add_root().unwrap();
        assert_eq!(partition.child(Slot::Root), Some(Child::Cell(0)));
        let partition = sound();
        assert_eq!(partition.child(Slot::Root), Some(Child::Split(0)));
        let children = [0, 1].map(|child| partition.child(Slot::Child { split: 0, child }));
        assert_eq!(children, [Some(Child::Cell(0)), Some(Child::Split(1))]);
    }

    #[test]
    fn guests_leave_and_all_others_stay_in_order() {
        let mut partition = sound();
        partition.cells = vec![vec![0, 1 | GUEST, 2], vec![GUEST, 2], vec![1, 2 | GUEST, 3]];
        assert!(partition.validate().is_err(), "a guest is no node");
        assert_eq!(partition.order(0).unwrap(), [0, 1, 2, 3]);
        assert_eq!(partition.order(2).unwrap(), [2, 3]);
        partition.dismiss_guests(0..3).unwrap();
        assert_eq!(partition.cells, [vec![0, 2], vec![2], vec![1, 3]]);
        assert_eq!(partition.validate(), Ok(()));
    }

    #[test]
    fn each_rule_is_checked() {
        assert_eq!(sound().validate(), Ok(()));
        assert_eq!(sound().try_clone().unwrap(), sound());
        assert_eq!(sound().order(1).unwrap(), [1, 2, 3]);
        let broken: [(&str, fn(&mut Partition)); 10] = [
            ("drawn from", |p| p.drawn_from = 5),
            ("join 15 cells", |p| p.fan_out = 15),
            ("in no cell", |p| p.nodes = 5),
            ("do not rise", |p| p.cells[0] = vec![1, 0, 2]),
            ("is no node", |p| p.cells[0].push(7)),
            ("does not exist", |p| p.splits[0].children[0] = Child::Cell(99)),
            ("reached twice", |p| p.splits[1].children[0] = Child::Split(0)),
            ("reached twice", |p| p.splits[1].children[0] = Child::Cell(0)),
            ("is no node", |p| p.splits[1].leaders[0] = 4),
            ("not reached", |p| p.cells.push(vec![])),
        ];
        for (message, damage) in broken {
            let mut partition = sound();
            damage(&mut partition);
            let found = partition.validate().unwrap_err();
            assert!(found.contains(message), "{found} instead of {message}");
        }
    }
}
