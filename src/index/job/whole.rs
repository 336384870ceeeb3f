//! A batch in one call, for Rust.

use super::super::Index;
use crate::batch::{BatchInsertable, BatchOptions, BatchReport, Rows};
use crate::error::BatchError;
use crate::hnsw::bulk::team::Team;

/// Distances between two calls of the caller's progress closure in [`BatchInsertable`]: some
/// milliseconds.
const PROGRESS_DISTANCES: u64 = 100_000;

impl BatchInsertable for Index {
    fn insert_batch(
        &mut self,
        rows: Rows<'_>,
        options: BatchOptions<'_>,
    ) -> Result<BatchReport, BatchError> {
        let dimensions = self.config.dimensions;
        let BatchOptions { ids, mode, skip_validation, threads, mut on_progress, mut cancel } =
            options;
        let total = rows.len(dimensions);
        if let Rows::Flat(values) = rows {
            let actual = values.len() % dimensions;
            if actual != 0 {
                let (index, expected) = (total - 1, dimensions);
                return Err(BatchError::DimensionMismatch { index, expected, actual });
            }
        }
        self.begin_batch(total, ids, mode, !skip_validation)?;
        if let Some(job) = &mut self.job {
            job.team = Team::new(threads);
        }
        match rows {
            Rows::Flat(values) => self.copy_rows(values)?,
            Rows::Each(rows) => {
                for row in rows {
                    if row.len() == dimensions {
                        self.copy_rows(row)?;
                    } else {
                        self.refuse_row(row.len())?;
                    }
                }
            }
        }
        loop {
            if cancel.as_mut().is_some_and(|cancel| cancel()) {
                self.abort_batch();
                return Ok(BatchReport { total, cancelled: true, ..BatchReport::default() });
            }
            let progress = self.step_batch(PROGRESS_DISTANCES)?;
            if progress.ready {
                let report = self.finish_batch()?;
                if let Some(on_progress) = &mut on_progress {
                    on_progress(progress);
                }
                return Ok(report);
            }
            if let Some(on_progress) = &mut on_progress {
                on_progress(progress);
            }
        }
    }
}

impl Index {
    pub(in crate::index) fn copy_rows(&mut self, mut values: &[f32]) -> Result<(), BatchError> {
        self.fill_batch(values.len() / self.config.dimensions, &mut |piece| {
            if let Some((now, later)) = values.split_at_checked(piece.len()) {
                piece.copy_from_slice(now);
                values = later;
            }
        })
    }
}
