//! The nearest nodes found so far for each point of a layer.
//!
//! Always true of a point's list: at most [`KEPT`] keys, rising, none twice. A key is
//! `distance << 32 | node`; distances are exact, so a pair met in two cells has the same key and is
//! recognised by it.

use crate::error::OutOfMemory;
use crate::vectors::chunks::Chunks;

/// Candidates kept for each point: three times the links of a node, so that selection can choose.
pub(super) const KEPT: usize = 48;

pub(super) struct Candidates {
    keys: Chunks<u64>,
    counts: Vec<u8>,
    merged: Vec<u64>,
}

impl Default for Candidates {
    fn default() -> Self {
        Self { keys: Chunks::new(KEPT), counts: Vec::new(), merged: Vec::new() }
    }
}

impl Candidates {
    pub(super) fn new(points: usize) -> Result<Self, OutOfMemory> {
        let mut candidates = Self { counts: super::filled(points, 0)?, ..Self::default() };
        candidates.keys.reserve(points)?;
        candidates.merged.try_reserve_exact(2 * KEPT)?;
        Ok(candidates)
    }

    pub(super) fn bytes(&self) -> usize {
        self.keys.bytes() + self.counts.capacity()
    }

    pub(super) fn of(&self, point: usize) -> &[u64] {
        match self.counts.get(point) {
            Some(count) => &self.keys.row(point)[..usize::from(*count)],
            None => &[],
        }
    }

    /// The largest distance that can still enter the list of `point`.
    pub(super) fn limit(&self, point: usize) -> u32 {
        match self.of(point) {
            keys if keys.len() == KEPT => keys.last().map_or(u32::MAX, |key| (key >> 32) as u32),
            _ => u32::MAX,
        }
    }

    /// Merges rising keys into the list of `point`.
    pub(super) fn merge(&mut self, point: usize, found: &[u64]) {
        let mut merged = std::mem::take(&mut self.merged);
        merged.clear();
        let mut known = self.of(point).iter().copied().peekable();
        let mut found = found.iter().copied().peekable();
        while merged.len() < KEPT {
            let key = match (known.peek(), found.peek()) {
                (Some(a), Some(b)) if a == b => {
                    found.next();
                    known.next()
                }
                (Some(a), Some(b)) if b < a => found.next(),
                (Some(_), _) => known.next(),
                (None, _) => found.next(),
            };
            let Some(key) = key else { break };
            merged.push(key);
        }
        self.keys.row_mut(point)[..merged.len()].copy_from_slice(&merged);
        self.counts[point] = merged.len() as u8;
        self.merged = merged;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Rng;

    #[test]
    fn the_smallest_keys_are_kept_once_each_in_whatever_order_they_come() {
        let mut rng = Rng(1);
        let lists: Vec<Vec<u64>> = (0..20)
            .map(|_| {
                let mut keys: Vec<u64> = (0..10).map(|_| rng.next() % 120).collect();
                keys.sort_unstable();
                keys.dedup();
                keys
            })
            .collect();
        let mut all = lists.concat();
        all.sort_unstable();
        all.dedup();
        all.truncate(KEPT);
        let mut candidates = Candidates::new(2).unwrap();
        lists.iter().for_each(|list| candidates.merge(0, list));
        lists.iter().rev().for_each(|list| candidates.merge(1, list));
        assert_eq!(candidates.of(0), all);
        assert_eq!(candidates.of(1), all);
    }
}
