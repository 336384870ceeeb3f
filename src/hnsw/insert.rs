//! Linking one node into the graph (Malkov & Yashunin 2016, algorithm 1).

use super::graph::{Links, TOP_LEVEL};
use super::search::{Scratch, descend, search_layer};
use super::select::{Diversity, select};
use crate::error::OutOfMemory;
use crate::vectors::{Space, key, of_key, rank};

/// Memory for linking, used again for each node.
#[derive(Default)]
pub(crate) struct InsertScratch {
    pub(crate) search: Scratch,
    candidates: Vec<u64>,
    chosen: Vec<u32>,
    changed: Vec<u32>,
}

/// The highest layer of a node: `l` with a chance of `m^-l` (the paper's `mL = 1 / ln m`).
///
/// Drawn in integers from the seed and the node's number alone, so it is the same on every
/// platform and in whatever order nodes are made.
pub(crate) fn level_of(seed: u64, node: usize, m: usize) -> usize {
    let mut state = seed ^ (node as u64).wrapping_mul(0xd134_2543_de82_ef95);
    let mut level = 0;
    while level < TOP_LEVEL {
        // SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators").
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        // The upper 32 bits, scaled to 0..m: 0 has a chance of 1 in m.
        if ((bits >> 32) * m as u64) >> 32 != 0 {
            break;
        }
        level += 1;
    }
    level
}

/// Adds the next node, whose row is there, and links it both ways. On an error the graph may
/// hold the node with some of its links; the caller undoes or forgets it.
pub(crate) fn insert<L: Links, S: Space>(
    links: &mut L,
    space: &S,
    level: usize,
    ef_construction: usize,
    scratch: &mut InsertScratch,
) -> Result<(), OutOfMemory> {
    let node = links.add_node(level)?;
    link_layers(links, space, node, (level, 0), ef_construction, &[], scratch)
}

/// Links a node, which is there, both ways on the layers `level` down to `lowest`. Its candidates on the lowest
/// are `near`, nearest first; where there are none, they are searched for.
pub(crate) fn link_layers<L: Links, S: Space>(
    links: &mut L,
    space: &S,
    node: u32,
    (level, lowest): (usize, usize),
    ef_construction: usize,
    near: &[u64],
    scratch: &mut InsertScratch,
) -> Result<(), OutOfMemory> {
    let Some((_, top)) = links.entry() else {
        links.set_entry(node);
        return Ok(());
    };
    let scorer = space.scorer(node);
    let mut start = (0, node);
    if near.is_empty() || level > lowest {
        let Some(found) = descend(links, &scorer, level, &mut scratch.search) else {
            return Ok(());
        };
        start = found;
    }
    let m = links.capacity(1);
    for layer in (lowest..=level.min(top)).rev() {
        let nodes = links.len();
        let InsertScratch { search, candidates, chosen, .. } = scratch;
        candidates.clear();
        if layer == lowest && !near.is_empty() {
            candidates.extend_from_slice(near);
        } else {
            search_layer(links, &scorer, start, layer, ef_construction, nodes, search)?;
            candidates.extend(search.pool.found().map(|(score, node)| key(score, node)));
        }
        start = candidates.first().map_or(start, |nearest| of_key(*nearest));
        search.distances += select(space, candidates, m, Diversity::Strict, chosen);
        links.set_links(node, layer, chosen)?;
        for i in 0..scratch.chosen.len() {
            let neighbour = scratch.chosen[i];
            link_back(links, space, neighbour, node, layer, scratch)?;
        }
    }
    if level > top {
        links.set_entry(node);
    }
    Ok(())
}

/// Adds a link from `neighbour` to `node`; where there is no room, chooses again among all.
fn link_back<L: Links, S: Space>(
    links: &mut L,
    space: &S,
    neighbour: u32,
    node: u32,
    layer: usize,
    scratch: &mut InsertScratch,
) -> Result<(), OutOfMemory> {
    let limit = links.capacity(layer);
    let InsertScratch { search, candidates, changed, .. } = scratch;
    changed.clear();
    changed.extend_from_slice(links.links(neighbour, layer));
    changed.push(node);
    if changed.len() > limit {
        rank(space, neighbour, changed, candidates);
        search.distances += changed.len() as u64;
        search.distances += select(space, candidates, limit, Diversity::Strict, changed);
    }
    links.set_links(neighbour, layer, changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_fall_off_by_a_factor_of_m() {
        for m in [2, 5, 16] {
            let mut counts = [0u32; TOP_LEVEL + 1];
            for node in 0..100_000 {
                counts[level_of(9, node, m)] += 1;
            }
            let above = |level: usize| f64::from(counts[level..].iter().sum::<u32>());
            for level in 0..3 {
                let ratio = above(level) / above(level + 1);
                // A thousand nodes or so are left on the third layer: within 5 standard errors.
                let error = 5.0 * m as f64 / above(level + 1).sqrt();
                assert!((ratio - m as f64).abs() < error, "m {m}, layer {level}: {ratio}");
            }
        }
        let other = (0..1000).filter(|node| level_of(1, *node, 4) != level_of(2, *node, 4)).count();
        assert!(other > 100, "the seed must matter");
    }
}
