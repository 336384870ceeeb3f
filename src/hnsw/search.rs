//! Finding the nodes nearest to a query by walking the links (Malkov & Yashunin 2016,
//! algorithms 2 and 5).

use super::graph::Links;
use super::pool::Pool;
use super::visited::Visited;
use crate::error::OutOfMemory;
use crate::vectors::{Scorer, score_all};

/// Memory that searches use again and again, so that a warm one allocates nothing.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) pool: Pool,
    visited: Visited,
    fresh: Vec<u32>,
    /// Distances computed since this was last set to 0.
    pub(crate) distances: u64,
}

impl Scratch {
    pub(crate) fn bytes(&self) -> usize {
        self.visited.bytes() + self.pool.bytes()
    }
}

/// Walks down from the entry point to the node nearest to the query on layer `target + 1` (or the
/// top layer): always on to the nearest neighbour, until none is nearer.
pub(crate) fn descend<L: Links>(
    links: &L,
    scorer: &impl Scorer,
    target: usize,
    scratch: &mut Scratch,
) -> Option<(u32, u32)> {
    let (mut node, top) = links.entry()?;
    let mut score = scorer.score(node);
    scratch.distances += 1;
    for layer in (target + 1..=top).rev() {
        loop {
            let neighbours = links.links(node, layer);
            scratch.distances += neighbours.len() as u64;
            let (mut nearest, mut nearest_score) = (node, score);
            score_all(scorer, neighbours, |found, neighbour| {
                if (found, neighbour) < (nearest_score, nearest) {
                    (nearest_score, nearest) = (found, neighbour);
                }
            });
            if nearest == node {
                break;
            }
            (score, node) = (nearest_score, nearest);
        }
    }
    Some((score, node))
}

/// Collects in `scratch.pool` the `ef` nodes nearest to the query on `layer`, from `start` on.
/// `nodes` is the number of nodes in the graph.
pub(crate) fn search_layer<L: Links>(
    links: &L,
    scorer: &impl Scorer,
    start: (u32, u32),
    layer: usize,
    ef: usize,
    nodes: usize,
    scratch: &mut Scratch,
) -> Result<(), OutOfMemory> {
    let Scratch { pool, visited, fresh, distances } = scratch;
    visited.reset(nodes)?;
    pool.reset(ef, nodes)?;
    let (start_score, start_node) = start;
    visited.insert(start_node);
    pool.offer(start_score, start_node);
    while let Some(node) = pool.expand_nearest() {
        fresh.clear();
        for neighbour in links.links(node, layer) {
            if visited.insert(*neighbour) {
                scorer.prefetch(*neighbour);
                fresh.push(*neighbour);
            }
        }
        *distances += fresh.len() as u64;
        score_all(scorer, fresh, |score, neighbour| {
            if pool.wants(score) {
                pool.offer(score, neighbour);
            }
        });
    }
    Ok(())
}
