//! The nearest nodes found so far in a search, and which of them were not yet expanded.
//!
//! The paper keeps two heaps: candidates and results. A candidate that falls out of the results
//! ends the search before it is expanded, so one sorted list with a mark on expanded nodes holds
//! both, and inserting is one `memmove` of at most `8 * ef` bytes.
//!
//! Always true:
//! - the keys are sorted, at most `ef` of them; a key is `score << 32 | node << 1 | expanded`;
//! - every key before `next` is marked as expanded.

use crate::error::OutOfMemory;

/// Candidates and results of one search.
#[derive(Default)]
pub(crate) struct Pool {
    keys: Vec<u64>,
    ef: usize,
    next: usize,
}

impl Pool {
    /// Empties the pool for a search among `nodes` nodes that keeps `ef` of them. Memory is kept and
    /// grows to the largest `ef` asked for.
    pub(crate) fn reset(&mut self, ef: usize, nodes: usize) -> Result<(), OutOfMemory> {
        self.keys.clear();
        self.ef = ef.max(1);
        self.next = 0;
        self.keys.try_reserve(self.ef.min(nodes) + 1)?;
        Ok(())
    }

    pub(crate) fn bytes(&self) -> usize {
        self.keys.capacity() * size_of::<u64>()
    }

    /// Whether a node of this score would be kept.
    #[inline]
    pub(crate) fn wants(&self, score: u32) -> bool {
        self.keys.len() < self.ef || self.keys.last().is_some_and(|key| score < score_of(*key))
    }

    /// Offers a node that was not offered before.
    #[inline]
    pub(crate) fn offer(&mut self, score: u32, node: u32) {
        let key = u64::from(score) << 32 | u64::from(node) << 1;
        if self.keys.len() >= self.ef {
            if self.keys.last().is_some_and(|last| key >= *last) {
                return;
            }
            self.keys.pop();
        }
        let place = self.keys.partition_point(|other| *other < key);
        self.keys.insert(place, key);
        self.next = self.next.min(place);
    }

    /// The nearest node not yet expanded, now marked as expanded.
    #[inline]
    pub(crate) fn expand_nearest(&mut self) -> Option<u32> {
        while let Some(key) = self.keys.get_mut(self.next) {
            self.next += 1;
            if *key & 1 == 0 {
                *key |= 1;
                return Some(node_of(*key));
            }
        }
        None
    }

    /// The nodes kept and their scores, nearest first, equal scores by node.
    pub(crate) fn found(&self) -> impl ExactSizeIterator<Item = (u32, u32)> + Clone + '_ {
        self.keys.iter().map(|key| (score_of(*key), node_of(*key)))
    }
}

const fn score_of(key: u64) -> u32 {
    (key >> 32) as u32
}

const fn node_of(key: u64) -> u32 {
    (key as u32) >> 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_are_kept_and_expanded_once_each() {
        let mut pool = Pool::default();
        pool.reset(3, 10).unwrap();
        for (score, node) in [(50, 5), (20, 2), (40, 4), (30, 3), (60, 6)] {
            pool.offer(score, node);
        }
        assert_eq!(pool.found().collect::<Vec<_>>(), [(20, 2), (30, 3), (40, 4)]);
        assert!(pool.wants(39) && !pool.wants(40));
        assert_eq!(pool.expand_nearest(), Some(2));
        assert_eq!(pool.expand_nearest(), Some(3));
        pool.offer(10, 1); // nearer than what was expanded: it comes next, and 4 falls out
        assert_eq!(pool.expand_nearest(), Some(1));
        assert_eq!(pool.expand_nearest(), None);
        assert_eq!(pool.found().map(|(_, node)| node).collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn equal_scores_go_by_node() {
        let mut pool = Pool::default();
        pool.reset(2, 10).unwrap();
        for node in [9, 3, 6] {
            pool.offer(7, node);
        }
        assert_eq!(pool.found().map(|(_, node)| node).collect::<Vec<_>>(), [3, 6]);
    }
}
