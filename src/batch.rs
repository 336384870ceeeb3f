//! What a batch is: the rows, how they are to be inserted, and what came of it.
//!
//! [`BatchInsertable::insert_batch`] inserts many rows in one call, all or nothing. Behind it is
//! a job that can be advanced in steps ([`Index::begin_batch`](crate::Index::begin_batch) and
//! what follows it), for callers that must not block: the binding to JavaScript drives it between
//! the frames of a page.

use crate::error::BatchError;

/// The rows of a batch, borrowed.
#[derive(Debug, Clone, Copy)]
pub enum Rows<'a> {
    /// Rows one after another; the length must be a multiple of the dimensions.
    Flat(&'a [f32]),
    /// One slice a row.
    Each(&'a [&'a [f32]]),
}

impl<'a> Rows<'a> {
    /// Rows one after another in one slice.
    #[must_use]
    pub const fn flat(values: &'a [f32]) -> Self {
        Self::Flat(values)
    }

    /// One slice a row.
    #[must_use]
    pub const fn each(rows: &'a [&'a [f32]]) -> Self {
        Self::Each(rows)
    }

    /// How many rows of `dimensions` components there are, a last incomplete one included.
    #[must_use]
    pub const fn len(&self, dimensions: usize) -> usize {
        match self {
            Self::Flat(values) => values.len().div_ceil(dimensions),
            Self::Each(rows) => rows.len(),
        }
    }

    /// Whether there is no row.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        match self {
            Self::Flat(values) => values.is_empty(),
            Self::Each(rows) => rows.is_empty(),
        }
    }
}

/// What happens to a batch that holds a bad row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BatchMode {
    /// One bad row rejects the batch; the index stays as it was.
    #[default]
    Strict,
    /// Bad rows are left out and reported.
    Skip,
}

impl BatchMode {
    /// The mode called `name`: `strict` or `skip`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "strict" => Some(Self::Strict),
            "skip" => Some(Self::Skip),
            _ => None,
        }
    }
}

/// How far a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchProgress {
    /// Rows done; never falls and ends at `total`.
    pub done: usize,
    /// Rows given.
    pub total: usize,
    /// Whether the batch can be finished: only committing it is left.
    pub ready: bool,
    /// Whether nothing can be done before helpers have answered
    /// ([`Index::accept_units`](crate::Index::accept_units)).
    pub waiting: bool,
    /// Whether the next step is of another kind of work, which may take more time or less for each distance; a step
    /// ends before that.
    pub changing: bool,
}

/// A row that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Which row, counted from 0.
    pub index: usize,
    /// Why.
    pub error: BatchError,
}

/// What came of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BatchReport {
    /// Rows inserted; 0 when the batch was cancelled.
    pub inserted: usize,
    /// Rows given. Unless cancelled, `inserted + skipped.len()`.
    pub total: usize,
    /// The ids of the inserted rows, in the order of the input.
    pub ids: Vec<u64>,
    /// Rows left out in [`BatchMode::Skip`], in the order of the input.
    pub skipped: Vec<Skipped>,
    /// Whether the caller stopped the batch; the index is then as it was.
    pub cancelled: bool,
}

/// How a batch is to be inserted.
#[derive(Default)]
pub struct BatchOptions<'a> {
    pub(crate) ids: Option<&'a [u64]>,
    pub(crate) mode: BatchMode,
    pub(crate) skip_validation: bool,
    pub(crate) threads: usize,
    pub(crate) on_progress: Option<&'a mut dyn FnMut(BatchProgress)>,
    pub(crate) cancel: Option<&'a mut dyn FnMut() -> bool>,
}

impl<'a> BatchOptions<'a> {
    /// Ids chosen by the index, strict, all rows checked first.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An id for each row, below 2^53. Without them the index gives the next free ones.
    #[must_use]
    pub const fn ids(mut self, ids: &'a [u64]) -> Self {
        self.ids = Some(ids);
        self
    }

    /// What happens to bad rows. Default: [`BatchMode::Strict`].
    #[must_use]
    pub const fn mode(mut self, mode: BatchMode) -> Self {
        self.mode = mode;
        self
    }

    /// Whether every row is checked before the work on the first begins. Default true. With false
    /// a bad row is found, and refused, when its turn comes.
    #[must_use]
    pub const fn validate(mut self, validate: bool) -> Self {
        self.skip_validation = !validate;
        self
    }

    /// Threads that link the rows; 0 (default) for as many as the machine has, 1 for the one that
    /// calls. The result is the same. Without the feature `parallel` it is always 1.
    #[must_use]
    pub const fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Called after each slice of work, and once more with `done == total` when the rows are in.
    #[must_use]
    pub fn on_progress(mut self, on_progress: &'a mut dyn FnMut(BatchProgress)) -> Self {
        self.on_progress = Some(on_progress);
        self
    }

    /// Asked before each slice of work; true stops the batch and leaves the index as it was.
    #[must_use]
    pub fn cancel(mut self, cancel: &'a mut dyn FnMut() -> bool) -> Self {
        self.cancel = Some(cancel);
        self
    }
}

/// A store that takes many rows in one call.
pub trait BatchInsertable {
    /// Inserts `rows`, all or nothing: on an error, and when cancelled, the store is as it was.
    /// In [`BatchMode::Skip`] bad rows are left out and named in the report instead.
    ///
    /// The rows are copied; nothing of them is kept.
    ///
    /// # Errors
    ///
    /// [`BatchError`], whose variants name the row, the value and the limit.
    fn insert_batch(
        &mut self,
        rows: Rows<'_>,
        options: BatchOptions<'_>,
    ) -> Result<BatchReport, BatchError>;
}
