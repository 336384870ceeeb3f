//! Exact search: every row is looked at. Small indexes use it, and tests trust it.

use std::collections::BinaryHeap;

use crate::ids::Ids;
use crate::vectors::{Scorer, score_all};

/// Collects in `found` the `k` rows of `0..rows` with the smallest score, nearest first, equal
/// scores by id. `k` is at least 1 and at most `rows`.
pub(crate) fn search(
    scorer: &impl Scorer,
    ids: &Ids,
    rows: usize,
    k: usize,
    found: &mut Vec<(u32, u64)>,
) {
    found.clear();
    // The heap takes over the vector's memory and gives it back, so nothing is allocated.
    let mut nearest = BinaryHeap::from(std::mem::take(found));
    let mut worst = u32::MAX;
    let mut offer = |score: u32, node: u32| {
        if nearest.len() < k {
            nearest.push((score, ids.id_of(node)));
        } else if score <= worst {
            let hit = (score, ids.id_of(node));
            if nearest.peek().is_some_and(|last| hit < *last) {
                nearest.pop();
                nearest.push(hit);
            }
        }
        if nearest.len() == k {
            worst = nearest.peek().map_or(u32::MAX, |last| last.0);
        }
    };
    let mut node = 0u32;
    while (node as usize) < rows {
        let end = (node as usize + 64).min(rows) as u32;
        let mut block = [0u32; 64];
        for (place, number) in block.iter_mut().zip(node..end) {
            *place = number;
        }
        score_all(scorer, &block[..(end - node) as usize], &mut offer);
        node = end;
    }
    *found = nearest.into_vec();
    sort(found);
}

/// Sorts what was found: nearest first, equal scores by id. Nothing is allocated.
#[inline(never)]
pub(crate) fn sort(found: &mut Vec<(u32, u64)>) {
    *found = BinaryHeap::from(std::mem::take(found)).into_sorted_vec();
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Listed(Vec<u32>);

    impl Scorer for Listed {
        fn score(&self, node: u32) -> u32 {
            self.0[node as usize]
        }
        fn score4(&self, nodes: [u32; 4]) -> [u32; 4] {
            nodes.map(|node| self.score(node))
        }
        fn prefetch(&self, _: u32) {}
    }

    #[test]
    fn finds_what_sorting_everything_finds() {
        let mut state = 1u32;
        let scores: Vec<u32> = (0..333)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state >> 28 // many equal scores
            })
            .collect();
        let mut ids = Ids::default();
        for node in 0..333u64 {
            ids.assign(Some(1000 - node)).unwrap(); // ids fall while nodes rise
        }
        let mut all: Vec<_> =
            scores.iter().zip(0..).map(|(score, node)| (*score, ids.id_of(node))).collect();
        all.sort_unstable();
        let mut found = Vec::new();
        for k in [1, 2, 10, 100, 332, 333] {
            search(&Listed(scores.clone()), &ids, 333, k, &mut found);
            assert_eq!(found, all[..k], "k {k}");
        }
    }
}
