//! A batch as a job of small steps, all or nothing.
//!
//! ```text
//! begin ─► fill … fill ─► step … step ─► finish      rows are copied behind the committed ones,
//!                 │          │                       checked, coded and linked there; old rows'
//!                 └──────────┴─► abort               links change only in `finish`
//! ```
//!
//! The phases of [`Index::step_batch`], in `steps.rs`:
//!
//! ```text
//! Check     every row is looked at before the work on the first begins (if asked for)
//! Accept    rows are checked, given their ids and scaled; skipped rows close up
//! Train     mean and scale of the codes, where there are none or rows have drifted
//! Code      codes of the new rows, or of all by a new scale
//! Bulk      the rows are linked as a whole, or
//! Link      one by one where they are few; links of old rows are changed in an overlay
//! Ready     only `finish` is left: a short step that cannot fail
//! ```
//!
//! The core has no clock: a step works until it has computed about `budget` distances. Other work
//! counts as the distances it takes the time of.
//!
//! Always true: until `finish`, searches, counts and saved bytes are those from before `begin`;
//! after an error, and after `abort`, they are so for good.

mod steps;
mod whole;

use super::Index;
use crate::batch::{BatchMode, BatchProgress, BatchReport, Skipped};
use crate::config::{MAX_ID, MAX_ROWS, batch_limit};
use crate::distance::sort;
use crate::error::{BatchError, Error, OutOfMemory, VectorFault};
use crate::hnsw::bulk::Bulk;
use crate::hnsw::bulk::partition::Partition;
use crate::hnsw::bulk::sketch::Sketches;
use crate::hnsw::bulk::team::Team;
use crate::hnsw::graph::Links;
use crate::hnsw::overlay::{Overlay, Staged};
use crate::memory::{copied, make_room};
use crate::vectors::codes::Codes;
use crate::vectors::quantizer::{Fit, Training};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Rows are still to come.
    Fill,
    Check {
        next: usize,
    },
    Accept {
        next: usize,
    },
    Train,
    Code {
        next: usize,
    },
    Link,
    Bulk,
    Ready,
}

/// A batch that is not done.
pub(crate) struct Job {
    total: usize,
    mode: BatchMode,
    validate: bool,
    wanted_ids: Option<Vec<u64>>,
    /// The ids that rows will have when they are taken in, rising; empty while nobody asked.
    held_ids: Vec<u64>,
    phase: Phase,
    /// Rows of the input that were given or refused.
    given: usize,
    /// Rows copied behind the committed ones; after `Accept`, rows to be inserted.
    staged: usize,
    /// In skip mode, the place in the input of each staged row.
    origins: Vec<u32>,
    ids: Vec<u64>,
    skipped: Vec<Skipped>,
    /// Rows that were refused before others were looked at, the last first, until they come among `skipped`.
    refused: Vec<Skipped>,
    pub(super) overlay: Overlay,
    training: Option<Box<Training>>,
    /// Codes by a new scale, used in place of the index's when the batch is done.
    pub(super) new_codes: Option<Codes>,
    /// The links of all rows being made as a whole.
    pub(super) bulk: Option<Box<Bulk>>,
    /// The regions with the new rows in them, used in place of the index's when the batch is done.
    new_partition: Option<Partition>,
    new_sketches: Option<Box<Sketches>>,
    /// Who does the work.
    team: Team,
    /// Whether nothing can be done before helpers have answered.
    is_waiting: bool,
    /// Whether what is next is another kind of work than what was done.
    is_changing: bool,
    /// The first node that is linked by this job.
    first_node: usize,
    before: Before,
}

/// What an abort restores.
#[derive(Clone, Copy)]
pub(crate) struct Before {
    pub(crate) next_id: u64,
    pub(crate) nodes: usize,
    pub(crate) upper_rows: usize,
    pub(crate) fit: Fit,
}

impl Job {
    pub(super) fn bytes(&self) -> usize {
        self.overlay.bytes()
            + self.training.as_ref().map_or(0, |training| training.bytes())
            + self.new_codes.as_ref().map_or(0, Codes::bytes)
            + self.bulk.as_ref().map_or(0, |bulk| bulk.bytes())
            + self.new_partition.as_ref().map_or(0, Partition::bytes)
            + self.new_sketches.as_ref().map_or(0, |sketches| sketches.bytes())
            + 8 * (self.ids.capacity() + self.held_ids.capacity())
            + 8 * self.wanted_ids.as_ref().map_or(0, Vec::capacity)
            + 4 * self.origins.capacity()
    }

    /// The parts of the index that the batch has changed already, as they were.
    pub(crate) const fn before(&self) -> Before {
        self.before
    }

    /// What kind of work is next.
    fn kind(&self) -> impl PartialEq + use<> {
        (std::mem::discriminant(&self.phase), self.bulk.as_ref().map(|bulk| bulk.kind()))
    }

    /// Whether all rows are checked before the first is accepted.
    fn are_checked_first(&self) -> bool {
        self.validate && self.mode == BatchMode::Strict
    }

    /// How many rows have codes that will not change, those of the index before included, if helpers may have them.
    pub(super) fn final_codes(&self, committed: usize) -> Option<usize> {
        match self.phase {
            // By a new scale rows are coded once; with the one before it may turn out that they need a new one.
            Phase::Code { next } => self.new_codes.is_some().then_some(next),
            Phase::Bulk => Some(committed + self.staged),
            _ => None,
        }
    }

    /// The ids that others must not take: those that the rows will have, rising. A row that was taken
    /// in or left out needs none to be held.
    pub(super) fn held_ids(&mut self) -> Result<&[u64], OutOfMemory> {
        if self.held_ids.is_empty()
            && let Some(ids) = &self.wanted_ids
        {
            self.held_ids = copied(ids)?;
            sort(&mut self.held_ids);
        }
        Ok(&self.held_ids)
    }

    /// The place in the input of staged row `row`.
    fn origin(&self, row: usize) -> usize {
        self.origins.get(row).map_or(row, |origin| *origin as usize)
    }
}

impl Index {
    /// Announces a batch of `rows` rows, 1 to [`batch_limit`], with `ids` for each row or chosen
    /// by the index. The rows follow by [`fill_batch`](Self::fill_batch).
    ///
    /// # Errors
    ///
    /// [`BatchError::EmptyBatch`], [`BatchError::CapacityExceeded`],
    /// [`BatchError::InvalidVector`] when an id is not below 2^53 or their number is not that of
    /// the rows, and [`BatchError::InternalError`] when a batch is pending.
    pub fn begin_batch(
        &mut self,
        rows: usize,
        ids: Option<&[u64]>,
        mode: BatchMode,
        validate: bool,
    ) -> Result<(), BatchError> {
        if self.job.is_some() {
            return Err(internal("a batch is pending"));
        }
        let room = batch_limit(self.config.dimensions).min(MAX_ROWS - self.len);
        if rows == 0 {
            return Err(BatchError::EmptyBatch);
        }
        if rows > room {
            return Err(BatchError::CapacityExceeded { current: rows, max: room });
        }
        if let Some(ids) = ids {
            check_ids(ids, rows)?;
        }
        while !self.drain_queued(u64::MAX).map_err(Self::batch_error)? {}
        let kept = self.vectors.row_bytes() + self.codes.row_bytes() + self.graph.row_bytes();
        make_room(rows * kept + Bulk::working_bytes(&self.config, rows, self.len + rows));
        let prepared = self.prepare_job(rows, ids, mode, validate);
        self.job = Some(prepared.map_err(|OutOfMemory| self.batch_full(rows))?);
        Ok(())
    }

    fn prepare_job(
        &self,
        total: usize,
        ids: Option<&[u64]>,
        mode: BatchMode,
        validate: bool,
    ) -> Result<Box<Job>, OutOfMemory> {
        let wanted_ids = ids.map(copied).transpose()?;
        let mut origins = Vec::new();
        if mode == BatchMode::Skip {
            origins.try_reserve_exact(total)?;
        }
        let mut given_ids = Vec::new();
        given_ids.try_reserve_exact(total)?;
        let before = Before {
            next_id: self.ids.next(),
            nodes: self.graph.len(),
            upper_rows: self.graph.upper_rows(),
            fit: self.codes.fit(),
        };
        Ok(Box::new(Job {
            total,
            mode,
            validate,
            wanted_ids,
            held_ids: Vec::new(),
            phase: Phase::Fill,
            given: 0,
            staged: 0,
            origins,
            ids: given_ids,
            skipped: Vec::new(),
            refused: Vec::new(),
            overlay: Overlay::new(&self.graph)?,
            training: None,
            new_codes: None,
            bulk: None,
            new_partition: None,
            new_sketches: None,
            team: Team::default(),
            is_waiting: false,
            is_changing: false,
            first_node: self.graph.len(),
            before,
        }))
    }

    /// Takes the next `rows` rows of the pending batch. `copy` is called with consecutive pieces
    /// of the index's memory, whole rows each, and writes the rows there: the only copy made.
    ///
    /// # Errors
    ///
    /// [`BatchError::CapacityExceeded`] when memory runs out, [`BatchError::InternalError`] when
    /// no batch is waiting for that many rows. The batch is then aborted.
    pub fn fill_batch(
        &mut self,
        rows: usize,
        copy: &mut dyn FnMut(&mut [f32]),
    ) -> Result<(), BatchError> {
        let outcome = self.fill(rows, copy);
        self.abort_on_error(outcome)
    }

    fn fill(&mut self, rows: usize, copy: &mut dyn FnMut(&mut [f32])) -> Result<(), BatchError> {
        let first = self.len;
        let job = filling(self.job.as_deref_mut())?;
        if rows > job.total - job.given {
            return Err(internal("more rows than the batch was begun with"));
        }
        let place = first + job.staged;
        if self.vectors.reserve(place + rows).is_err() {
            let max = self.vectors.capacity();
            return Err(BatchError::CapacityExceeded { current: first + job.total, max });
        }
        self.vectors.pieces_mut(place, rows, |piece| copy(piece));
        if job.mode == BatchMode::Skip {
            job.origins.extend(job.given as u32..(job.given + rows) as u32);
        }
        job.given += rows;
        job.staged += rows;
        Ok(())
    }

    /// Says that the next row of the pending batch has `actual` components, which is the wrong
    /// number: the batch is rejected, or the row is skipped.
    ///
    /// # Errors
    ///
    /// [`BatchError::DimensionMismatch`] in strict mode, [`BatchError::InternalError`] when no
    /// batch is waiting for rows. The batch is then aborted.
    pub fn refuse_row(&mut self, actual: usize) -> Result<(), BatchError> {
        let expected = self.config.dimensions;
        let outcome = filling(self.job.as_deref_mut()).and_then(|job| {
            if job.given == job.total {
                return Err(internal("more rows than the batch was begun with"));
            }
            let index = job.given;
            let error = BatchError::DimensionMismatch { index, expected, actual };
            job.given += 1;
            job.refuse(index, error)
        });
        self.abort_on_error(outcome)
    }

    /// Advances the pending batch by about `budget` distance computations, at least by a row.
    ///
    /// # Errors
    ///
    /// Why the batch is rejected; it is then aborted. [`BatchError::InternalError`] when rows are
    /// missing or no batch is pending.
    pub fn step_batch(&mut self, budget: u64) -> Result<BatchProgress, BatchError> {
        let Some(mut job) = self.job.take() else {
            return Err(internal("no batch is pending"));
        };
        let outcome = self.step(&mut job, budget);
        let progress = job.progress(self.graph.len(), self.len);
        self.job = Some(job);
        self.abort_on_error(outcome)?;
        Ok(progress)
    }

    /// Commits a batch whose last step said `ready`. Its rows are then found by searches.
    ///
    /// # Errors
    ///
    /// [`BatchError::InternalError`] when the batch is not ready; nothing changes then.
    pub fn finish_batch(&mut self) -> Result<BatchReport, BatchError> {
        let ready = self.job.take_if(|job| job.phase == Phase::Ready);
        let Some(mut job) = ready else {
            return Err(internal("no batch is ready to be finished"));
        };
        Staged { graph: &mut self.graph, overlay: &mut job.overlay }.commit();
        if let Some(codes) = job.new_codes.take() {
            self.codes = codes;
            self.sketches = None;
        }
        if let Some(partition) = job.new_partition.take() {
            self.partition = partition;
            self.sketches = job.new_sketches.take();
        }
        self.len += job.staged;
        let Job { ids, total, skipped, .. } = *job;
        Ok(BatchReport { inserted: ids.len(), total, ids, skipped, cancelled: false })
    }

    /// Drops the pending batch, if there is one: the index is as it was before.
    pub fn abort_batch(&mut self) {
        let Some(mut job) = self.job.take() else { return };
        Staged { graph: &mut self.graph, overlay: &mut job.overlay }.abort();
        self.ids.truncate(self.len, job.before.next_id);
        self.vectors.shrink(self.len);
        self.codes.shrink(self.len);
        self.codes.set_fit(job.before.fit);
        // Sketches are made anew if need be; those that follow from the rows there are are kept.
        let made = job.bulk.take().and_then(|bulk| bulk.into_parts().1);
        let made = job.new_sketches.take().or(made).filter(|_| job.new_codes.is_none());
        if let Some(mut sketches) = made.filter(|made| made.drawn_from() <= self.len) {
            sketches.shrink(self.len);
            self.sketches = Some(sketches);
        }
    }

    pub(super) fn abort_on_error<T>(
        &mut self,
        outcome: Result<T, BatchError>,
    ) -> Result<T, BatchError> {
        if outcome.is_err() {
            self.abort_batch();
        }
        outcome
    }

    pub(super) fn batch_full(&self, rows: usize) -> BatchError {
        BatchError::CapacityExceeded { current: self.len + rows, max: self.len }
    }

    fn batch_error(error: Error) -> BatchError {
        match error {
            Error::CapacityExceeded { current, max } => {
                BatchError::CapacityExceeded { current, max }
            }
            other => internal(&other.to_string()),
        }
    }
}

impl Job {
    /// Skips a row, or rejects the batch.
    fn refuse(&mut self, index: usize, error: BatchError) -> Result<(), BatchError> {
        if self.mode == BatchMode::Strict {
            return Err(error);
        }
        self.list_refused(index);
        self.skipped.push(Skipped { index, error });
        Ok(())
    }

    /// Moves the rows refused earlier that come before `index` to the list.
    fn list_refused(&mut self, index: usize) {
        while let Some(refused) = self.refused.pop_if(|refused| refused.index < index) {
            self.skipped.push(refused);
        }
    }

    /// Rows done: the share of the nodes that are linked.
    fn progress(&self, nodes: usize, committed: usize) -> BatchProgress {
        let total = self.total;
        let ready = self.phase == Phase::Ready;
        let done = match self.phase {
            Phase::Ready => total,
            Phase::Link => {
                let (linked, all) =
                    (nodes - self.first_node, committed + self.staged - self.first_node);
                // Never all before the phase is over.
                (total as u64 * linked as u64 / all as u64) as usize
            }
            Phase::Bulk => {
                let thousandths = self.bulk.as_ref().map_or(0, |bulk| bulk.thousandths());
                (total as u64 * thousandths / 1000) as usize
            }
            _ => 0,
        };
        BatchProgress { done, total, ready, waiting: self.is_waiting, changing: self.is_changing }
    }
}

fn check_ids(ids: &[u64], rows: usize) -> Result<(), BatchError> {
    if ids.len() != rows {
        let (index, reason) = (ids.len().min(rows), VectorFault::IdCount { ids: ids.len(), rows });
        return Err(BatchError::InvalidVector { index, reason });
    }
    match ids.iter().enumerate().find(|(_, id)| **id > MAX_ID) {
        None => Ok(()),
        Some((index, id)) => {
            Err(BatchError::InvalidVector { index, reason: VectorFault::IdTooLarge { id: *id } })
        }
    }
}

fn filling(job: Option<&mut Job>) -> Result<&mut Job, BatchError> {
    job.filter(|job| job.phase == Phase::Fill)
        .ok_or_else(|| internal("no batch is waiting for rows"))
}

pub(super) fn internal(message: &str) -> BatchError {
    BatchError::InternalError { message: message.into() }
}
