//! What of a pending batch others can do, in instances that share no memory with this one.
//!
//! ```text
//! step_batch … until there are units ─► batch_codes ─► Helper::load    once for each helper
//! give_units ─► Helper::work ─► accept_units                           again and again
//! step_batch                                                           between, as always
//! ```
//!
//! The owner of the index goes on calling `step_batch`, which does what nobody was given. Whatever
//! helpers answer, and whether they do, the result is the same.

use super::Index;
use super::job::{Job, internal};
use crate::error::{BatchError, OutOfMemory, check_headroom};
use crate::hnsw::bulk::Bulk;
use crate::hnsw::bulk::share::portion;
use crate::hnsw::overlay::Staged;
use crate::vectors::codes::Codes;

impl Index {
    /// The build of the pending batch, when it is there, with what it works on.
    fn build(&mut self) -> Option<(&mut Bulk, Staged<'_>, &Codes)> {
        let Job { bulk, overlay, new_codes, .. } = self.job.as_deref_mut()?;
        let staged = Staged { graph: &mut self.graph, overlay };
        Some((bulk.as_deref_mut()?, staged, new_codes.as_ref().unwrap_or(&self.codes)))
    }

    /// Rows of the pending batch and of the index together, when helpers can be given their codes:
    /// from when rows are coded until they are linked.
    #[must_use]
    pub fn shared_rows(&self) -> Option<usize> {
        let job = self.job.as_deref()?;
        job.bulk.as_ref().filter(|bulk| bulk.can_be_shared()).map(|_| self.len + job.staged())
    }

    /// The codes of `rows` rows from `first` on, and their sketches where there are any, for
    /// [`Helper::load`](crate::Helper::load); empty when there are no such rows.
    ///
    /// # Errors
    ///
    /// [`BatchError::CapacityExceeded`] when memory runs out.
    pub fn batch_codes(&self, first: usize, rows: usize) -> Result<Vec<u8>, BatchError> {
        let Some(shared) = self.shared_rows() else { return Ok(Vec::new()) };
        let job = self.job.as_ref();
        let codes = job.and_then(|job| job.new_codes.as_ref()).unwrap_or(&self.codes);
        let sketches = job.and_then(|job| job.bulk.as_ref()).and_then(|bulk| bulk.sketches());
        let first = first.min(shared);
        let bytes = portion(codes, sketches, first..first + rows.min(shared - first));
        bytes.map_err(|OutOfMemory| self.batch_full(rows))
    }

    /// Units of the pending batch for [`Helper::work`](crate::Helper::work), some milliseconds of
    /// work. None while there are none to give, or no memory to write them down.
    pub fn give_units(&mut self) -> Option<Vec<u32>> {
        check_headroom().ok()?;
        let (bulk, staged, codes) = self.build()?;
        bulk.give(&staged, codes)
    }

    /// Takes in what a helper made of units. False when nobody was given these units (any more) or
    /// the answer is not sound; nothing changes then.
    ///
    /// # Errors
    ///
    /// [`BatchError::CapacityExceeded`] when memory runs out; the batch is then aborted.
    pub fn accept_units(&mut self, answer: &[u32]) -> Result<bool, BatchError> {
        let rows = self.len;
        let Some((bulk, mut staged, _)) = self.build() else { return Ok(false) };
        let accepted = check_headroom().and_then(|()| bulk.accept(answer, &mut staged));
        let full = |_| BatchError::CapacityExceeded { current: rows, max: rows };
        self.abort_on_error(accepted.map_err(full))
    }

    /// Takes back all units that were given away and not answered: they are given again, or done by
    /// [`step_batch`](Self::step_batch).
    ///
    /// # Errors
    ///
    /// [`BatchError::InternalError`] when no batch is pending.
    pub fn take_back_units(&mut self) -> Result<(), BatchError> {
        if self.job.is_none() {
            return Err(internal("no batch is pending"));
        }
        if let Some((bulk, ..)) = self.build() {
            bulk.take_back();
        }
        Ok(())
    }
}
