//! A query: exact where that is faster or the index is small, else through the graph.

use std::sync::PoisonError;

use super::Index;
use crate::config::{DEFAULT_EF, MAX_EF};
use crate::error::{Error, OutOfMemory};
use crate::flat;
use crate::hnsw::search::{Scratch, descend, search_layer};
use crate::vectors::{self, distance_of};

/// A walk of `ef` computes about this many distances for each of them, so an index of fewer than
/// `FLAT_ROWS_PER_EF * ef` rows is searched exactly: every answer right, and no slower.
const FLAT_ROWS_PER_EF: usize = 8;

/// A row found, and how far it is from the query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// The row's id.
    pub id: u64,
    /// Smaller is nearer: squared Euclidean distance, 1 − cosine similarity, or negative inner
    /// product.
    pub distance: f32,
}

/// What a search cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SearchStats {
    /// Distances computed.
    pub distances: u64,
    /// Whether every row was looked at, so that the answer is exact.
    pub exact: bool,
}

/// Memory of one search.
#[derive(Default)]
pub(super) struct Searcher {
    scratch: Scratch,
    query: Vec<f32>,
    found: Vec<(u32, u64)>,
}

/// A query with its settings; made by [`Index::search`].
#[must_use = "a search does nothing until `run` is called"]
pub struct Search<'a> {
    index: &'a Index,
    query: &'a [f32],
    k: usize,
    ef: usize,
    exact: bool,
}

impl Search<'_> {
    /// Candidates kept during the walk, at most 1,048,576. Default 64, and never fewer than `k`.
    /// Larger finds more of the true neighbours and takes longer (`ef` of Malkov & Yashunin 2016,
    /// algorithm 5).
    pub const fn ef(mut self, ef: usize) -> Self {
        self.ef = ef;
        self
    }

    /// Looks at every row.
    pub const fn exact(mut self) -> Self {
        self.exact = true;
        self
    }

    /// The hits, nearest first, equal distances by id; all rows when `k` is larger.
    ///
    /// # Errors
    ///
    /// [`Error::DimensionMismatch`], [`Error::InvalidVector`], [`Error::InvalidArgument`] when `k`
    /// or `ef` is 0 or `ef` too large, [`Error::CapacityExceeded`] when memory runs out.
    pub fn run(self) -> Result<Vec<Hit>, Error> {
        let mut hits = Vec::new();
        self.run_into(&mut hits)?;
        Ok(hits)
    }

    /// Like [`run`](Self::run), into a vector that is used again; then a search allocates nothing.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_into(self, hits: &mut Vec<Hit>) -> Result<SearchStats, Error> {
        hits.clear();
        let index = self.index;
        if self.k == 0 {
            return Err(Error::argument("k", self.k, "an integer of at least 1"));
        }
        if self.ef == 0 || self.ef > MAX_EF {
            return Err(Error::argument("ef", self.ef, format!("an integer from 1 to {MAX_EF}")));
        }
        index.check_vector(self.query)?;
        if index.is_empty() {
            return Ok(SearchStats { distances: 0, exact: true });
        }
        // A lock that a panicking thread left is as good as any: what it guards is only memory.
        let lock = || index.searchers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut searcher = lock().pop().unwrap_or_default();
        let outcome = self.find(&mut searcher).and_then(|stats| {
            let found = searcher.found.iter().take(self.k);
            hits.try_reserve(found.len())?;
            hits.extend(found.map(|(score, id)| Hit { id: *id, distance: distance_of(*score) }));
            Ok(stats)
        });
        lock().push(searcher);
        outcome.map_err(|OutOfMemory| index.full())
    }

    fn find(&self, searcher: &mut Searcher) -> Result<SearchStats, OutOfMemory> {
        let Self { index, k, ef, .. } = *self;
        let Searcher { scratch, query, found } = searcher;
        let k = k.min(index.len);
        let ef = ef.max(k);
        found.clear();
        found.try_reserve(ef.min(index.len))?;
        query.clear();
        query.try_reserve(self.query.len())?;
        query.extend_from_slice(self.query);
        vectors::prepare(index.config.metric, query);
        let scorer = index.vectors.scorer(query);

        let walkable = index.graph.entry_node().is_some() && !self.exact;
        if !walkable || index.len <= ef.saturating_mul(FLAT_ROWS_PER_EF) {
            flat::search(&scorer, &index.ids, index.len, k, found);
            return Ok(SearchStats { distances: index.len as u64, exact: true });
        }
        scratch.distances = 0;
        if let Some(start) = descend(&index.graph, &scorer, 0, scratch) {
            let nodes = index.len;
            search_layer(&index.graph, &scorer, start, 0, ef, nodes, scratch)?;
            found.extend(scratch.pool.found().map(|(score, node)| (score, index.ids.id_of(node))));
            // Equal scores go by id, and hardly ever are ids not in the order of nodes.
            if !found.is_sorted() {
                flat::sort(found);
            }
        }
        Ok(SearchStats { distances: scratch.distances, exact: false })
    }
}

impl Index {
    /// Looks for the `k` rows nearest to `query`.
    pub const fn search<'a>(&'a self, query: &'a [f32], k: usize) -> Search<'a> {
        Search { index: self, query, k, ef: DEFAULT_EF, exact: false }
    }
}
