//! One way of filling an index, timed.

use std::time::Instant;

use anyhow::Result;
use cpu_time::ProcessTime;
use edgevec::{BatchInsertable, BatchOptions, Index, Rows};
use serde::Serialize;

use crate::data::DataSet;

/// How long something took.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Time {
    pub(crate) cpu_ms: f64,
    pub(crate) wall_ms: f64,
}

/// Does something and says how long it took.
pub(crate) fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, Time)> {
    let (cpu, wall) = (ProcessTime::now(), Instant::now());
    let outcome = work()?;
    let cpu_ms = cpu.elapsed().as_secs_f64() * 1e3;
    Ok((outcome, Time { cpu_ms, wall_ms: wall.elapsed().as_secs_f64() * 1e3 }))
}

/// A way of filling an index.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Way {
    /// `insert` row by row; links are chosen by 7-bit codes.
    Loop,
    /// The same, but links are chosen by f32 distances.
    F32Loop,
    /// `insert_batch`, on one thread.
    Batch,
}

impl Way {
    /// Fills an empty index with all rows.
    pub(crate) fn build(self, data: &DataSet) -> Result<(Index, Time)> {
        self.build_by(data, 0)
    }

    /// The same with a seed of its own.
    pub(crate) fn build_by(self, data: &DataSet, seed: u64) -> Result<(Index, Time)> {
        let builder = data.builder().seed(seed);
        let builder = if self == Self::F32Loop { builder.links_by_f32() } else { builder };
        let mut index = builder.build()?;
        let ((), time) = timed(|| self.insert(&mut index, &data.rows))?;
        Ok((index, time))
    }

    /// Inserts rows that lie one after another.
    pub(crate) fn insert(self, index: &mut Index, rows: &[f32]) -> Result<()> {
        if self == Self::Batch {
            index.insert_batch(Rows::flat(rows), BatchOptions::new().threads(1))?;
        } else {
            for row in rows.chunks(index.dimensions()) {
                index.insert(row)?;
            }
        }
        Ok(())
    }
}
