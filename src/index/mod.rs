//! The type users hold; the only one that knows all the others.
//!
//! ```text
//! mod.rs      create, insert one row, read rows back
//! search.rs   a query: exact on small indexes, through the graph on large ones
//! job/        a batch as a job of small steps, all or nothing
//! share.rs    what of a batch others can do
//! ```
//!
//! Always true between calls:
//! - rows `0..len` are committed: found by searches, counted, saved. What lies behind them belongs
//!   to a batch that is not done and is seen by nobody;
//! - the graph holds no node while `len` is below [`GRAPH_ROWS`], then every committed row;
//! - a row with a node has codes by the quantizer of the moment;
//! - the nodes that are in cells come before those that are not.

mod job;
mod search;
mod share;
#[cfg(test)]
mod share_tests;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Mutex;

use crate::config::{Builder, Config, MAX_ID, MAX_ROWS, Metric};
use crate::error::{Error, OutOfMemory};
use crate::hnsw::bulk::partition::Partition;
use crate::hnsw::bulk::sketch::Sketches;
use crate::hnsw::graph::{Graph, Links};
use crate::hnsw::insert::{InsertScratch, insert, level_of};
use crate::ids::{IdError, Ids};
use crate::vectors::codes::Codes;
use crate::vectors::{self, Vectors};

use job::Job;
use search::Searcher;
pub use search::{Hit, Search, SearchStats};

/// Rows from which on there is a graph. Below, an exact search is faster than a walk, and the
/// codes' scale would rest on too few rows.
pub(crate) const GRAPH_ROWS: usize = 256;

/// Vectors that can be searched for those nearest to a query.
///
/// ```
/// use edgevec::{Index, Metric};
///
/// let mut index = Index::builder(3).metric(Metric::L2).build()?;
/// let near = index.insert(&[0.0, 0.0, 1.0])?;
/// let far = index.insert(&[5.0, 0.0, 0.0])?;
///
/// let hits = index.search(&[0.0, 0.0, 1.5], 2).run()?;
/// assert_eq!((hits[0].id, hits[1].id), (near, far));
/// assert_eq!(hits[0].distance, 0.25); // squared Euclidean
/// # Ok::<(), edgevec::Error>(())
/// ```
pub struct Index {
    pub(crate) config: Config,
    pub(crate) len: usize,
    pub(crate) vectors: Vectors,
    pub(crate) codes: Codes,
    pub(crate) ids: Ids,
    pub(crate) graph: Graph,
    /// The regions that batches compare rows in; rows inserted one by one are not in it yet.
    pub(crate) partition: Partition,
    /// What rows are compared by in its cells; made when a batch needs them.
    sketches: Option<Box<Sketches>>,
    scratch: InsertScratch,
    /// Memory of searches that are not running; each takes one and puts it back.
    searchers: Mutex<Vec<Searcher>>,
    pub(crate) job: Option<Box<Job>>,
    /// Rows inserted while a batch ran, with the ids they were given.
    queued: VecDeque<(u64, Vec<f32>)>,
    /// Distances computed so far to link rows.
    linking_distances: u64,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Index")
            .field("len", &self.len)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl Index {
    /// Starts the description of an index for vectors of `dimensions` components, 1 to
    /// [`MAX_DIMENSIONS`](crate::MAX_DIMENSIONS).
    pub const fn builder(dimensions: usize) -> Builder {
        Builder::new(dimensions)
    }

    pub(crate) fn new(config: Config) -> Self {
        Self {
            config,
            len: 0,
            vectors: Vectors::new(config.dimensions, config.metric),
            codes: Codes::new(config.dimensions, config.metric),
            ids: Ids::default(),
            graph: Graph::new(config.m),
            partition: Partition::default(),
            sketches: None,
            scratch: InsertScratch::default(),
            searchers: Mutex::default(),
            job: None,
            queued: VecDeque::new(),
            linking_distances: 0,
        }
    }

    /// Rows that searches can find.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no row.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Components of each vector.
    #[must_use]
    pub const fn dimensions(&self) -> usize {
        self.config.dimensions
    }

    /// How distances are computed.
    #[must_use]
    pub const fn metric(&self) -> Metric {
        self.config.metric
    }

    /// Links per node, as the index was created.
    #[must_use]
    pub const fn m(&self) -> usize {
        self.config.m
    }

    /// Candidates looked at when a row is linked, as the index was created.
    #[must_use]
    pub const fn ef_construction(&self) -> usize {
        self.config.ef_construction
    }

    /// Distances computed so far to link rows, since the index was made or read. A batch counts its
    /// other work as the distances it takes the time of.
    #[must_use]
    pub const fn linking_distances(&self) -> u64 {
        self.linking_distances
    }

    /// Bytes allocated for rows, codes, links and ids, and by a batch that is running.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.vectors.bytes()
            + self.codes.bytes()
            + self.ids.bytes()
            + self.graph.bytes()
            + self.partition.bytes()
            + self.sketches.as_ref().map_or(0, |sketches| sketches.bytes())
            + self.scratch.search.bytes()
            + self.job.as_ref().map_or(0, |job| job.bytes())
    }

    /// Whether a row has this id.
    #[must_use]
    pub fn contains(&self, id: u64) -> bool {
        self.node_of(id).is_some()
    }

    /// The vector with this id, as it is stored: of length 1 under [`Metric::Cosine`].
    #[must_use]
    pub fn get(&self, id: u64) -> Option<&[f32]> {
        self.node_of(id).map(|node| self.vectors.row(node as usize))
    }

    fn node_of(&self, id: u64) -> Option<u32> {
        self.ids.node_of(id).filter(|node| (*node as usize) < self.len)
    }

    /// Inserts one vector and returns the id it was given: the next free one, from 0 on.
    ///
    /// While a batch is pending the row gets its id at once and its place when the batch is done.
    ///
    /// # Errors
    ///
    /// [`Error::DimensionMismatch`], [`Error::InvalidVector`] or [`Error::CapacityExceeded`]; the
    /// index is then as it was.
    pub fn insert(&mut self, vector: &[f32]) -> Result<u64, Error> {
        self.insert_row(None, vector)
    }

    /// Inserts one vector under an id of the caller, below 2^53.
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert), and [`Error::DuplicateId`] or [`Error::InvalidArgument`].
    pub fn insert_with_id(&mut self, id: u64, vector: &[f32]) -> Result<(), Error> {
        check_id(id)?;
        self.insert_row(Some(id), vector).map(|_| ())
    }

    fn insert_row(&mut self, wanted: Option<u64>, vector: &[f32]) -> Result<u64, Error> {
        self.check_vector(vector)?;
        if self.job.is_some() {
            return self.queue(wanted, vector);
        }
        while !self.drain_queued(u64::MAX)? {}
        self.make_room()?;
        let before = self.ids.next();
        let id = self.ids.assign(wanted).map_err(|error| self.id_error(error))?;
        self.place(vector).inspect_err(|_| self.ids.truncate(self.len, before))?;
        Ok(id)
    }

    /// Makes room for one more row.
    fn make_room(&mut self) -> Result<(), Error> {
        let rows = self.len + 1;
        if rows > MAX_ROWS {
            return Err(Error::CapacityExceeded { current: rows, max: MAX_ROWS });
        }
        self.vectors.reserve(rows).map_err(|_| self.full())
    }

    /// Stores a checked vector as row `len`, whose id and room are there, and links it.
    fn place(&mut self, vector: &[f32]) -> Result<(), Error> {
        let row = self.vectors.row_mut(self.len);
        row.copy_from_slice(vector);
        vectors::prepare(self.config.metric, row);
        let (nodes, upper_rows) = (self.graph.len(), self.graph.upper_rows());
        let entry = self.graph.entry_node();
        if self.link_last().is_err() {
            self.graph.truncate(nodes, upper_rows);
            self.graph.set_entry_node(entry);
            return Err(self.full());
        }
        self.len += 1;
        Ok(())
    }

    /// Links row `len`; with the row that makes a graph worth while, all rows.
    ///
    /// Memory can run out only before the first link to a new node is made, so forgetting the
    /// new nodes undoes it.
    fn link_last(&mut self) -> Result<(), OutOfMemory> {
        let rows = self.len + 1;
        if rows < GRAPH_ROWS {
            return Ok(());
        }
        if self.graph.len() == self.len {
            self.codes.reserve(rows)?;
            self.codes.encode(self.len, self.vectors.row(self.len));
            if self.codes.has_drifted() {
                self.code_anew(rows)?;
            }
        } else {
            self.code_anew(rows)?;
        }
        let before = self.scratch.search.distances;
        for node in self.graph.len()..rows {
            self.graph.reserve(node + 1)?;
            let level = level_of(self.config.seed, node, self.config.m);
            let ef_construction = self.config.ef_construction;
            let (graph, scratch) = (&mut self.graph, &mut self.scratch);
            #[cfg(feature = "f32-links")]
            if self.config.links_by_f32 {
                insert(graph, &self.vectors, level, ef_construction, scratch)?;
                continue;
            }
            insert(graph, &self.codes, level, ef_construction, scratch)?;
        }
        self.linking_distances += self.scratch.search.distances - before;
        Ok(())
    }

    /// Sets the scale of the codes from the rows there are and codes all of them.
    fn code_anew(&mut self, rows: usize) -> Result<(), OutOfMemory> {
        let mut codes = self.codes.trained(&self.vectors, rows)?;
        codes.reserve(rows)?;
        self.codes = codes;
        self.sketches = None;
        self.code_rows(rows);
        Ok(())
    }

    /// Codes the rows `0..rows` by the quantizer there is, which learns nothing from them.
    pub(crate) fn code_rows(&mut self, rows: usize) {
        let fit = self.codes.fit();
        for row in 0..rows {
            self.codes.encode(row, self.vectors.row(row));
        }
        self.codes.set_fit(fit);
    }

    fn queue(&mut self, wanted: Option<u64>, vector: &[f32]) -> Result<u64, Error> {
        let mut row = Vec::new();
        if row.try_reserve_exact(vector.len()).is_err() || self.queued.try_reserve(1).is_err() {
            return Err(self.full());
        }
        let full = self.full();
        let held = self.job.as_deref_mut().map_or(Ok(&[][..]), Job::held_ids);
        let held = held.map_err(|OutOfMemory| full)?;
        let id = self.ids.take(wanted, held).map_err(|error| self.id_error(error))?;
        row.extend_from_slice(vector);
        self.queued.push_back((id, row));
        Ok(id)
    }

    /// Gives rows that were inserted during a batch their place, until about `budget` distances
    /// were computed. Returns whether none is left. Rows wait on while a batch is pending.
    ///
    /// # Errors
    ///
    /// [`Error::CapacityExceeded`]; the rows without a place stay queued.
    pub fn drain_queued(&mut self, budget: u64) -> Result<bool, Error> {
        if self.job.is_some() {
            return Ok(self.queued.is_empty());
        }
        self.scratch.search.distances = 0;
        while let Some((id, vector)) = self.queued.pop_front() {
            let room = self.ids.reserve_one().map_err(|_| self.full());
            let placed = room.and_then(|()| self.make_room()).and_then(|()| self.place(&vector));
            if let Err(error) = placed {
                self.queued.push_front((id, vector));
                return Err(error);
            }
            self.ids.bind(id);
            if self.scratch.search.distances >= budget {
                break;
            }
        }
        Ok(self.queued.is_empty())
    }

    fn check_vector(&self, vector: &[f32]) -> Result<(), Error> {
        let expected = self.config.dimensions;
        if vector.len() != expected {
            return Err(Error::DimensionMismatch { expected, actual: vector.len() });
        }
        vectors::check(self.config.metric, vector).map_err(|reason| Error::InvalidVector { reason })
    }

    fn id_error(&self, error: IdError) -> Error {
        match error {
            IdError::Taken(id) => Error::DuplicateId { id },
            IdError::Full => self.full(),
        }
    }

    /// The error for memory that ran out: as many rows fit as there are.
    fn full(&self) -> Error {
        Error::CapacityExceeded { current: self.len + 1, max: self.len }
    }

    /// Says which invariant is broken, if one is; for tests and for files read.
    pub(crate) fn validate(&self) -> Result<(), String> {
        let expected = if self.len < GRAPH_ROWS { 0 } else { self.len };
        if self.graph.len() != expected {
            return Err(format!("{} nodes for {} rows", self.graph.len(), self.len));
        }
        if self.partition.nodes > self.graph.len() {
            return Err(format!("{} nodes in cells of {}", self.partition.nodes, self.graph.len()));
        }
        self.graph.validate()?;
        self.partition.validate()
    }
}

/// Ids must be exact in JavaScript.
fn check_id(id: u64) -> Result<(), Error> {
    if id <= MAX_ID {
        return Ok(());
    }
    Err(Error::argument("id", id, format!("an integer from 0 to {MAX_ID}")))
}
