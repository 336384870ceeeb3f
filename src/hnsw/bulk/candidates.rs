//! The nearest nodes found so far for each node of a layer.
//!
//! A key is `distance << 32 | node`; distances are exact, so a pair met in two cells has the same key
//! and is recognised by it. What is kept are the smallest keys of all that were offered, in whatever
//! order they came.
//!
//! Lists are too many for the caches. So keys that are offered are put behind those that are there, which touches
//! a line of memory or two; keeping a list in order would touch all of it. Only when there is no more room is
//! a list *settled*: sorted, rid of what is there twice, and cut to what is kept.

use crate::distance::sort;
use crate::error::OutOfMemory;
use crate::memory::filled;
use crate::vectors::chunks::Chunks;

/// Keys that a list has room for behind those it keeps. With 64 builds take the same time.
const WAITING: usize = 32;
/// Lists that are made at once: fresh memory takes many times as long to write to, on some machines 16 µs a page.
const MADE: usize = 512;

#[derive(Default)]
pub(super) struct Candidates {
    lists: Option<Chunks<u64>>,
    kept: usize,
    /// How many keys are in each list, and the largest distance that can still enter it: beside the lists,
    /// where they are in the cache.
    counts: Vec<u32>,
    limits: Vec<u32>,
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
            lists: Some(Chunks::new(kept + WAITING)),
            kept,
            counts: filled(nodes, 0)?,
            limits: filled(nodes, u32::MAX)?,
            ready: 0,
        })
    }

    /// Bytes of a list that keeps `kept` keys.
    pub(super) fn row_bytes(kept: usize) -> usize {
        size_of::<u64>() * (kept + WAITING)
    }

    /// Whether each node has its list.
    pub(super) fn are_ready(&self) -> bool {
        self.ready == self.counts.len()
    }

    /// Makes some more lists.
    pub(super) fn make_some(&mut self) -> Result<(), OutOfMemory> {
        let Some(lists) = &mut self.lists else { return Ok(()) };
        let end = self.counts.len().min(self.ready + MADE);
        lists.reserve(end)?;
        self.ready = end;
        Ok(())
    }

    pub(super) fn bytes(&self) -> usize {
        self.lists.as_ref().map_or(0, Chunks::bytes) + 8 * self.counts.capacity()
    }

    /// The nearest of `node`, rising, each once, if its list was settled after the last key was offered.
    pub(super) fn of(&self, node: usize) -> &[u64] {
        let list = self.lists.as_ref().map_or(&[][..], |lists| lists.row(node));
        self.counts.get(node).map_or(&[], |count| &list[..*count as usize])
    }

    /// The largest distance that can still enter the list of `node`.
    pub(super) fn limit(&self, node: usize) -> u32 {
        self.limits.get(node).copied().unwrap_or(0)
    }

    /// Offers keys to the list of `node`.
    #[inline(never)]
    pub(super) fn offer(&mut self, node: usize, keys: impl Iterator<Item = u64>) {
        let Self { lists: Some(lists), kept, counts, limits, .. } = self else { return };
        let (list, count) = (lists.row_mut(node), &mut counts[node]);
        for key in keys {
            if *count as usize == list.len() {
                *count = settle(list, *kept, &mut limits[node]);
            }
            list[*count as usize] = key;
            *count += 1;
        }
    }

    /// Settles the list of `node`.
    pub(super) fn settle(&mut self, node: usize) {
        let Self { lists: Some(lists), kept, counts, limits, .. } = self else { return };
        let count = &mut counts[node];
        *count = settle(&mut lists.row_mut(node)[..*count as usize], *kept, &mut limits[node]);
    }
}

/// Brings the `kept` smallest of some keys to the front, rising, each once. Returns how many there are; if
/// others may not enter any more, sets the limit.
#[inline(never)]
fn settle(keys: &mut [u64], kept: usize, limit: &mut u32) -> u32 {
    sort(keys);
    let (mut count, mut last) = (0, None);
    for next in 0..keys.len() {
        let key = keys[next];
        if count == kept {
            break;
        }
        keys[count] = key;
        count += usize::from(last != Some(key));
        last = Some(key);
    }
    if let Some(last) = keys.get(kept - 1).filter(|_| count == kept) {
        *limit = (last >> 32) as u32;
    }
    count as u32
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
        let mut candidates = Candidates::new(3, KEPT).unwrap();
        assert_eq!((candidates.of(0), candidates.limit(0)), (&[][..], u32::MAX));
        lists.iter().for_each(|list| candidates.offer(0, list.iter().copied()));
        lists.iter().rev().for_each(|list| candidates.offer(1, list.iter().copied()));
        // What is beyond the limit need not be offered.
        for list in &lists {
            let limit = u64::from(candidates.limit(2));
            candidates.offer(2, list.iter().copied().filter(|key| key >> 32 <= limit));
        }
        for node in 0..3 {
            candidates.settle(node);
            assert_eq!(candidates.of(node), all);
        }
        assert_eq!(u64::from(candidates.limit(0)), all[KEPT - 1] >> 32);
    }
}
