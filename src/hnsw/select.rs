//! Choosing which candidates a node links to (Malkov & Yashunin 2016, algorithm 4).

use crate::vectors::{Space, of_key, score_all};

/// How far apart links must lead.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Diversity {
    /// A candidate is kept if it is nearer to the node than to every one kept before it.
    Strict,
    /// The same with the distances between candidates counted 1/20 longer (the α of Vamana,
    /// Subramanya et al. 2019, section 2.3, on squared distances). Buys recall at the same `ef` with
    /// more links; measured not to change the distances computed at the same recall.
    Relaxed,
}

/// Keeps at most `limit` of `candidates` (keys, nearest first) in `kept`: each one that
/// is nearer to the node being linked than to every one kept before it. Links then lead in
/// different directions instead of into one cluster. Returns the distances computed.
///
/// Like hnswlib, keeps all when they are fewer than `limit`, and does not fill up with candidates
/// that were passed over.
#[inline(never)]
pub(crate) fn select<S: Space>(
    space: &S,
    candidates: &[u64],
    limit: usize,
    diversity: Diversity,
    kept: &mut Vec<u32>,
) -> u64 {
    kept.clear();
    if candidates.len() < limit {
        kept.extend(candidates.iter().map(|key| of_key(*key).1));
        return 0;
    }
    // A factor means something only where 0 is the distance of equal rows.
    let is_relaxed = diversity == Diversity::Relaxed && space.are_distances();
    let mut distances = 0;
    for (score, node) in candidates.iter().map(|key| of_key(*key)) {
        if kept.len() >= limit {
            break;
        }
        let least = if is_relaxed { score - score / 21 } else { score };
        let scorer = space.scorer(node);
        let mut apart = true;
        for four in kept.chunks(4) {
            score_all(&scorer, four, |other, _| apart &= other >= least);
            distances += four.len() as u64;
            if !apart {
                break;
            }
        }
        if apart {
            kept.push(node);
        }
    }
    distances
}
