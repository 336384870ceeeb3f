//! Which nodes a search has met.

use crate::error::OutOfMemory;

/// A set of nodes that is emptied in constant time: a node is in it when its mark is the current
/// epoch. Marks are written over only once in 65,535 searches.
#[derive(Default)]
pub(crate) struct Visited {
    marks: Vec<u16>,
    epoch: u16,
}

impl Visited {
    /// Empties the set and makes room for the nodes `0..nodes`.
    pub(crate) fn reset(&mut self, nodes: usize) -> Result<(), OutOfMemory> {
        if self.marks.len() < nodes {
            // Rounded up, so that inserting row by row does not allocate for each.
            let room = nodes.next_multiple_of(1 << 14).max(nodes + nodes / 8);
            self.marks.try_reserve_exact(room - self.marks.len())?;
            self.marks.resize(room, 0);
        }
        self.epoch = self.epoch.wrapping_add(1);
        if self.epoch == 0 {
            self.marks.fill(0);
            self.epoch = 1;
        }
        Ok(())
    }

    /// Adds a node and says whether it is new.
    #[inline]
    pub(crate) fn insert(&mut self, node: u32) -> bool {
        match self.marks.get_mut(node as usize) {
            Some(mark) if *mark != self.epoch => {
                *mark = self.epoch;
                true
            }
            _ => false,
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.marks.capacity() * size_of::<u16>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_new_once_in_each_epoch_also_when_epochs_wrap() {
        let mut visited = Visited::default();
        for round in 0..70_000 {
            visited.reset(8).unwrap();
            assert!(visited.insert(3), "round {round}");
            assert!(!visited.insert(3), "round {round}");
        }
        assert!(visited.insert(4));
    }
}
