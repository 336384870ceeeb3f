//! The nearest nodes found so far for each node of a layer.
//!
//! A key is `distance << 32 | node`; distances are exact, so a pair met in two cells has the same key
//! and is recognised by it. What is kept are the smallest keys of all that were offered, in whatever
//! order they came.
//!
//! Always true of a node's list: keys rise, none is there twice, and behind the last there is
//! [`NONE`] up to the end.

use super::filled;
use crate::error::OutOfMemory;
use crate::vectors::chunks::Chunks;

/// No key: greater than all.
const NONE: u64 = u64::MAX;
/// Keys that are sorted by a network.
const FEW: usize = 16;

#[derive(Default)]
pub(super) struct Candidates {
    /// For each node a list and a `NONE` that ends it.
    lists: Option<Chunks<u64>>,
    kept: usize,
    found: Vec<u64>,
    merged: Vec<u64>,
}

impl Candidates {
    /// Lists that keep `kept` keys for each of some nodes.
    pub(super) fn new(nodes: usize, kept: usize) -> Result<Self, OutOfMemory> {
        let mut lists = Chunks::new(kept);
        lists.reserve(nodes)?;
        for node in 0..nodes {
            lists.row_mut(node).fill(NONE);
        }
        Ok(Self { lists: Some(lists), kept, found: Vec::new(), merged: filled(kept, NONE)? })
    }

    pub(super) fn bytes(&self) -> usize {
        self.lists.as_ref().map_or(0, Chunks::bytes)
    }

    /// The nearest of `node`, rising, each once.
    pub(super) fn of(&self, node: usize) -> &[u64] {
        let list = self.lists.as_ref().map_or(&[][..], |lists| lists.row(node));
        &list[..list.partition_point(|key| *key != NONE)]
    }

    /// The largest distance that can still enter the list of `node`.
    pub(super) fn limit(&self, node: usize) -> u32 {
        let list = self.lists.as_ref().map_or(&[][..], |lists| lists.row(node));
        list.last().map_or(0, |key| (key >> 32) as u32)
    }

    /// Offers keys, none of them twice, to the list of `node`.
    #[inline(never)]
    pub(super) fn offer(&mut self, node: usize, keys: impl Iterator<Item = u64>) {
        let Some(lists) = &mut self.lists else { return };
        self.found.clear();
        self.found.extend(keys);
        sort(&mut self.found);
        self.found.resize(self.found.len().max(self.kept) + 1, NONE);
        let list = lists.row_mut(node);
        merge(list, &self.found, &mut self.merged);
        list.copy_from_slice(&self.merged);
    }
}

/// Sorts keys; few of them without a branch.
fn sort(keys: &mut Vec<u64>) {
    if keys.len() > FEW {
        keys.sort_unstable();
        return;
    }
    let count = keys.len();
    keys.resize(FEW, NONE);
    if let Some(few) = keys.first_chunk_mut() {
        sort_few(few);
    }
    keys.truncate(count);
}

/// Batcher's network for 16 (1968, odd-even merge sort): 63 comparators.
#[inline(never)]
fn sort_few(keys: &mut [u64; FEW]) {
    macro_rules! compare {
        ($($a:literal $b:literal),*) => {$(
            let (low, high) = (keys[$a].min(keys[$b]), keys[$a].max(keys[$b]));
            (keys[$a], keys[$b]) = (low, high);
        )*};
    }
    compare!(0 1, 2 3, 4 5, 6 7, 8 9, 10 11, 12 13, 14 15);
    compare!(0 2, 1 3, 4 6, 5 7, 8 10, 9 11, 12 14, 13 15);
    compare!(1 2, 5 6, 9 10, 13 14, 0 4, 3 7, 8 12, 11 15);
    compare!(2 6, 1 5, 10 14, 9 13);
    compare!(2 4, 3 5, 10 12, 11 13);
    compare!(1 2, 3 4, 5 6, 9 10, 11 12, 13 14);
    compare!(0 8, 1 9, 2 10, 3 11, 4 12, 5 13, 6 14, 7 15);
    compare!(4 8, 5 9, 6 10, 7 11);
    compare!(2 4, 3 5, 6 8, 7 9, 10 12, 11 13);
    compare!(1 2, 3 4, 5 6, 7 8, 9 10, 11 12, 13 14);
}

/// Fills `merged` with the smallest keys of two rising lists, each once. A key that is in both moves
/// both on. `b` is longer than `merged`, so neither list ends before it is full: `a` is as long, and
/// its place moves at most as often.
#[inline]
fn merge(a: &[u64], b: &[u64], merged: &mut [u64]) {
    let (mut next_a, mut next_b) = (0, 0);
    for place in merged {
        let (x, y) = (a.get(next_a).copied().unwrap_or(NONE), b[next_b]);
        *place = x.min(y);
        next_a += usize::from(x <= y);
        next_b += usize::from(y <= x);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Rng;

    #[test]
    fn the_smallest_keys_are_kept_once_each_in_whatever_order_they_come() {
        const KEPT: usize = 24;
        let mut rng = Rng(1);
        let lists: Vec<Vec<u64>> = [0, 1, 5, 10, 16, 17, 40, 3, 9]
            .map(|len| {
                let mut keys: Vec<u64> = (0..len).map(|_| (rng.next() % 120) << 32).collect();
                keys.sort_unstable();
                keys.dedup();
                keys.reverse();
                keys
            })
            .to_vec();
        let mut all = lists.concat();
        all.sort_unstable();
        all.dedup();
        all.truncate(KEPT);
        let mut candidates = Candidates::new(2, KEPT).unwrap();
        assert_eq!((candidates.of(0), candidates.limit(0)), (&[][..], u32::MAX));
        lists.iter().for_each(|list| candidates.offer(0, list.iter().copied()));
        lists.iter().rev().for_each(|list| candidates.offer(1, list.iter().copied()));
        assert_eq!(candidates.of(0), all);
        assert_eq!(candidates.of(1), all);
        assert_eq!(u64::from(candidates.limit(0)), all[KEPT - 1] >> 32);
    }

    #[test]
    fn the_network_sorts_all_orders_of_zeros_and_ones() {
        // The 0-1 principle (Knuth, volume 3, theorem 5.3.4Z).
        for bits in 0..1u32 << FEW {
            let mut keys = std::array::from_fn(|i| u64::from(bits >> i & 1));
            sort_few(&mut keys);
            assert!(keys.is_sorted(), "{bits:b}");
        }
    }
}
