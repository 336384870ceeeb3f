//! What of a pending batch others can do, in instances that share no memory with this one.
//!
//! ```text
//! step_batch ─► batch_parts ─► Helper::load                            once for each helper
//! give_units ─► Helper::work ─► accept_units                           again and again
//! step_batch                                                           between, as always
//! ```
//!
//! The owner of the index goes on calling `step_batch`, which does what nobody was given. Whatever
//! helpers answer, and whether they do, the result is the same.

use super::Index;
use super::job::{Job, internal};
use crate::error::{BatchError, OutOfMemory};
use crate::hnsw::bulk::Bulk;
use crate::hnsw::bulk::share::Parts;
use crate::hnsw::overlay::Staged;
use crate::memory::check_headroom;
use crate::vectors::codes::Codes;

impl Index {
    /// The build of the pending batch, when it is there, with what it works on.
    fn build(&mut self) -> Option<(&mut Bulk, Staged<'_>, &Codes)> {
        let Job { bulk, overlay, new_codes, .. } = self.job.as_deref_mut()?;
        let staged = Staged { graph: &mut self.graph, overlay };
        Some((bulk.as_deref_mut()?, staged, new_codes.as_ref().unwrap_or(&self.codes)))
    }

    /// What helpers can be given, if there is anything: from when the codes of rows are final until they are linked.
    fn parts(&self) -> Option<Parts<'_>> {
        let job = self.job.as_deref()?;
        let coded = job.final_codes(self.len)?;
        let codes = job.new_codes.as_ref().unwrap_or(&self.codes);
        let sketches = job.bulk.as_ref().and_then(|bulk| bulk.shared_sketches());
        Some(Parts { codes, coded, sketches })
    }

    /// How many parts helpers can be given: one for the codes of each row of the index and the pending batch
    /// and then, where there are any, one for the sketch of each. They become more as rows are coded.
    #[must_use]
    pub fn shared_parts(&self) -> usize {
        self.parts().map_or(0, |parts| parts.len())
    }

    /// The `count` parts from `first` on for [`Helper::load`](crate::Helper::load), or those that there are; empty
    /// when there are none. A part takes at most as many bytes as a row has dimensions and 128 more, and all of them 8.
    ///
    /// # Errors
    ///
    /// [`BatchError::CapacityExceeded`] when memory runs out.
    pub fn batch_parts(&self, first: usize, count: usize) -> Result<Vec<u8>, BatchError> {
        let Some(parts) = self.parts() else { return Ok(Vec::new()) };
        let first = first.min(parts.len());
        let bytes = parts.write(first..first + count.min(parts.len() - first));
        bytes.map_err(|OutOfMemory| self.batch_full(count))
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
