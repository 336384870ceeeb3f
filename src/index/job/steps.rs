//! What the steps of a batch do, phase by phase.

use super::super::{GRAPH_ROWS, Index};
use super::{Job, Phase, internal};
use crate::config::Metric;
use crate::error::{BatchError, OutOfMemory};
use crate::hnsw::bulk::Bulk;
use crate::hnsw::graph::Links;
use crate::hnsw::insert::{insert, level_of};
use crate::hnsw::overlay::Staged;
use crate::ids::IdError;
use crate::memory::check_headroom;
use crate::vectors::quantizer::Fit;
use crate::vectors::{check, prepare};

/// Distances that checking a row takes the time of.
const CHECK_COST: u64 = 5;
/// Distances that giving a row an id takes the time of, and scaling it where the metric asks for that.
const ACCEPT_COST: u64 = 2;
const PREPARE_COST: u64 = 13;
/// Distances that looking at some rows for the scale of the codes takes the time of.
const TRAIN_COST: u64 = 256;
/// Distances that coding a row takes the time of.
const CODE_COST: u64 = 24;

impl Index {
    // What a phase does is in functions of their own: an engine compiles a hot function as a whole, and with them in it
    // this one took a third of the compiling of a first batch.
    pub(super) fn step(&mut self, job: &mut Job, budget: u64) -> Result<(), BatchError> {
        check_headroom().map_err(|OutOfMemory| self.batch_full(job.total))?;
        let (mut spent, kind) = (0, job.kind());
        job.is_changing = false;
        while spent < budget.max(1) && job.phase != Phase::Ready && !job.is_changing {
            job.is_waiting = false;
            spent += match job.phase {
                Phase::Fill => {
                    if job.given < job.total {
                        return Err(internal("rows of the batch are missing"));
                    }
                    let is_first = job.are_checked_first();
                    job.phase =
                        if is_first { Phase::Check { next: 0 } } else { Phase::Accept { next: 0 } };
                    0
                }
                Phase::Check { next } => self.check_row(job, next)?,
                Phase::Accept { next } => self.accept_row(job, next)?,
                Phase::Train => self.train_codes(job),
                Phase::Code { next } => {
                    self.code_row(job, next).map_err(|OutOfMemory| self.batch_full(job.total))?
                }
                Phase::Link => {
                    self.link_row(job).map_err(|OutOfMemory| self.batch_full(job.total))?
                }
                Phase::Bulk => {
                    self.bulk_unit(job).map_err(|OutOfMemory| self.batch_full(job.total))?
                }
                Phase::Ready => 0,
            };
            if job.is_waiting {
                break;
            }
            job.is_changing = job.kind() != kind;
        }
        self.linking_distances += spent;
        Ok(())
    }

    #[inline(never)]
    fn check_row(&self, job: &mut Job, row: usize) -> Result<u64, BatchError> {
        if row == job.staged {
            job.phase = Phase::Accept { next: 0 };
            return Ok(0);
        }
        check(self.config.metric, self.vectors.row(self.len + row))
            .map_err(|reason| BatchError::InvalidVector { index: job.origin(row), reason })?;
        job.phase = Phase::Check { next: row + 1 };
        Ok(CHECK_COST)
    }

    /// Takes staged row `row` in or skips it. Rows taken in close up to `job.ids.len()`.
    #[inline(never)]
    fn accept_row(&mut self, job: &mut Job, row: usize) -> Result<u64, BatchError> {
        if row == 0 {
            job.refused = std::mem::take(&mut job.skipped);
            job.refused.reverse();
        }
        if row == job.staged {
            job.list_refused(usize::MAX);
            job.staged = job.ids.len();
            (job.wanted_ids, job.held_ids) = (None, Vec::new());
            self.plan_links(job)?;
            return Ok(0);
        }
        job.phase = Phase::Accept { next: row + 1 };
        let index = job.origin(row);
        let is_checked = job.are_checked_first();
        if !is_checked
            && let Err(reason) = check(self.config.metric, self.vectors.row(self.len + row))
        {
            job.refuse(index, BatchError::InvalidVector { index, reason })?;
            return Ok(CHECK_COST);
        }
        let wanted = job.wanted_ids.as_ref().and_then(|ids| ids.get(index).copied());
        match self.ids.assign(wanted) {
            Ok(id) => {
                let place = self.len + job.ids.len();
                if place != self.len + row {
                    self.vectors.copy_row(self.len + row, place);
                }
                prepare(self.config.metric, self.vectors.row_mut(place));
                job.ids.push(id);
            }
            Err(IdError::Taken(id)) => job.refuse(index, BatchError::DuplicateId { index, id })?,
            Err(IdError::Full) => return Err(self.batch_full(job.total)),
        }
        let checking = if is_checked { 0 } else { CHECK_COST };
        let preparing = if self.config.metric == Metric::Cosine { PREPARE_COST } else { 0 };
        Ok(ACCEPT_COST + checking + preparing)
    }

    /// Decides, when the rows are known, what is to be coded and linked.
    fn plan_links(&self, job: &mut Job) -> Result<(), BatchError> {
        let rows = self.len + job.staged;
        job.phase = if job.staged == 0 || rows < GRAPH_ROWS {
            Phase::Ready
        } else if self.graph.len() == 0 {
            return self.begin_training(job).map_err(|OutOfMemory| self.batch_full(job.total));
        } else {
            Phase::Code { next: self.len }
        };
        Ok(())
    }

    /// Begins to set a new scale from the old rows and the new.
    fn begin_training(&self, job: &mut Job) -> Result<(), OutOfMemory> {
        job.training = Some(Box::new(self.codes.train(self.len + job.staged)?));
        job.phase = Phase::Train;
        Ok(())
    }

    /// Looks at some rows for the new scale.
    fn train_codes(&self, job: &mut Job) -> u64 {
        if let Some(quantizer) = job.training.as_mut().and_then(|it| it.step(&self.vectors)) {
            job.training = None;
            job.new_codes = Some(self.codes.coded_by(quantizer));
            job.phase = Phase::Code { next: 0 };
        }
        TRAIN_COST
    }

    #[inline(never)]
    fn code_row(&mut self, job: &mut Job, row: usize) -> Result<u64, OutOfMemory> {
        let rows = self.len + job.staged;
        if row < rows {
            let codes = job.new_codes.as_mut().unwrap_or(&mut self.codes);
            codes.reserve(row + 1)?;
            codes.encode(row, self.vectors.row(row));
            job.phase = Phase::Code { next: row + 1 };
            return Ok(CODE_COST);
        }
        if let Some(codes) = &mut job.new_codes {
            codes.set_fit(Fit::default());
        } else if self.codes.has_drifted() {
            self.begin_training(job)?;
            return Ok(0);
        }
        let before = self.graph.len();
        if !Bulk::pays(&self.partition, before, rows) {
            job.phase = Phase::Link;
            return Ok(0);
        }
        let partition = self.partition.try_clone()?;
        // Those of codes by another scale are of no use.
        let sketches = self.sketches.take().filter(|_| job.new_codes.is_none());
        let bulk = Bulk::new(partition, sketches, before, rows, &self.config);
        job.bulk = Some(Box::new(bulk));
        job.phase = Phase::Bulk;
        Ok(0)
    }

    #[inline(never)]
    fn bulk_unit(&mut self, job: &mut Job) -> Result<u64, OutOfMemory> {
        let codes = job.new_codes.as_ref().unwrap_or(&self.codes);
        let mut staged = Staged { graph: &mut self.graph, overlay: &mut job.overlay };
        let Some(bulk) = &mut job.bulk else { return Ok(0) };
        let cost = bulk.step(&mut staged, codes, &job.team)?;
        job.is_waiting = cost == 0;
        if bulk.is_done() {
            if let Some(bulk) = job.bulk.take() {
                let (partition, sketches) = bulk.into_parts();
                (job.new_partition, job.new_sketches) = (Some(partition), sketches);
            }
            job.phase = Phase::Ready;
        }
        Ok(cost)
    }

    #[inline(never)]
    fn link_row(&mut self, job: &mut Job) -> Result<u64, OutOfMemory> {
        let node = self.graph.len();
        if node == self.len + job.staged {
            job.phase = Phase::Ready;
            return Ok(0);
        }
        self.scratch.search.distances = 0;
        let codes = job.new_codes.as_ref().unwrap_or(&self.codes);
        let level = level_of(self.config.seed, node, self.config.m);
        let mut staged = Staged { graph: &mut self.graph, overlay: &mut job.overlay };
        insert(&mut staged, codes, level, self.config.ef_construction, &mut self.scratch)?;
        Ok(self.scratch.search.distances.max(1))
    }
}
