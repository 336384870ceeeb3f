//! The nearest nodes found so far for each node of a layer.
//!
//! A key is `distance << 32 | node`; distances are exact, so a pair met in two cells has the same key
//! and is recognised by it. What is kept are the smallest keys of all that were offered, in whatever
//! order they came.
//!
//! Always true of a node's list: keys rise, none is there twice, and behind the last there is
//! [`NONE`] up to the end.

use super::filled;
use crate::distance::sort16;
use crate::error::OutOfMemory;
use crate::vectors::chunks::Chunks;

/// No key: greater than all.
const NONE: u64 = u64::MAX;
/// Keys that are merged into a list at once.
const FEW: usize = 16;
/// Lists that are made at once.
const MADE: usize = 4096;

#[derive(Default)]
pub(super) struct Candidates {
    /// For each node a list and a `NONE` that ends it.
    lists: Option<Chunks<u64>>,
    /// The largest distance that can still enter each list: beside the lists, where it is in the cache.
    limits: Vec<u32>,
    merged: Vec<u64>,
    /// The first node that has no list yet.
    ready: usize,
}

impl Candidates {
    /// Lists that keep `kept` keys for each of some nodes.
    pub(super) fn new(nodes: usize, kept: usize) -> Result<Self, OutOfMemory> {
        let mut candidates = Self::planned(nodes, kept)?;
        while !candidates.are_ready() {
            candidates.make_some()?;
        }
        Ok(candidates)
    }

    /// The same without the lists: they take megabytes, and are made by [`make_some`](Self::make_some).
    pub(super) fn planned(nodes: usize, kept: usize) -> Result<Self, OutOfMemory> {
        Ok(Self {
            lists: Some(Chunks::new(kept)),
            limits: filled(nodes, u32::MAX)?,
            merged: filled(kept, NONE)?,
            ready: 0,
        })
    }

    /// Whether each node has its list.
    pub(super) fn are_ready(&self) -> bool {
        self.ready == self.limits.len()
    }

    /// Makes some more lists.
    pub(super) fn make_some(&mut self) -> Result<(), OutOfMemory> {
        let Some(lists) = &mut self.lists else { return Ok(()) };
        let end = self.limits.len().min(self.ready + MADE);
        lists.reserve(end)?;
        for node in self.ready..end {
            lists.row_mut(node).fill(NONE);
        }
        self.ready = end;
        Ok(())
    }

    pub(super) fn bytes(&self) -> usize {
        self.lists.as_ref().map_or(0, Chunks::bytes) + 4 * self.limits.capacity()
    }

    /// The nearest of `node`, rising, each once.
    pub(super) fn of(&self, node: usize) -> &[u64] {
        let list = self.lists.as_ref().map_or(&[][..], |lists| lists.row(node));
        &list[..list.partition_point(|key| *key != NONE)]
    }

    /// The largest distance that can still enter the list of `node`.
    pub(super) fn limit(&self, node: usize) -> u32 {
        self.limits.get(node).copied().unwrap_or(0)
    }

    /// Offers keys, none of them twice, to the list of `node`.
    #[inline(never)]
    pub(super) fn offer(&mut self, node: usize, keys: impl Iterator<Item = u64>) {
        let Some(lists) = &mut self.lists else { return };
        let list = lists.row_mut(node);
        let mut few = [NONE; FEW + 1];
        let mut count = 0;
        for key in keys {
            few[count] = key;
            count += 1;
            if count == FEW {
                merge(list, &mut few, &mut self.merged);
                count = 0;
            }
        }
        if count > 0 {
            merge(list, &mut few, &mut self.merged);
        }
        if let (Some(limit), Some(last)) = (self.limits.get_mut(node), list.last()) {
            *limit = (last >> 32) as u32;
        }
    }
}

/// Merges a few keys into a rising list, each once; what is beyond its length is left out. The keys are
/// in any order, and a `NONE` is behind them; after it, all are `NONE`.
///
/// A key that is in both moves both places on. The list's place moves at most as often as a key is
/// merged, so the list does not end before.
fn merge(list: &mut [u64], few: &mut [u64; FEW + 1], merged: &mut [u64]) {
    if let Some(keys) = few.first_chunk_mut() {
        sort16(keys, u64::min, u64::max);
    }
    let (mut place, mut next) = (0, 0);
    for merged in &mut *merged {
        let (x, y) = (list[place], few[next]);
        *merged = x.min(y);
        place += usize::from(x <= y);
        next = (next + usize::from(y <= x)).min(FEW);
    }
    list.copy_from_slice(merged);
    few.fill(NONE);
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
}
