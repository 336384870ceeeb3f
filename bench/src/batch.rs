//! A batch against loops of `insert`, natively: into an empty index and into a full one; the same batch
//! twice; and the memory that a batch takes.

use std::collections::BTreeMap;

use anyhow::Result;
use edgevec::{BatchMode, DEFAULT_EF};
use serde::Serialize;

use crate::build::{Time, Way, timed};
use crate::data::{DataSet, Meta};
use crate::line::print;
use crate::quality::sweep;

/// Rows of a batch into a full index.
const ATTACHED: usize = 1000;
/// Distances of one step while memory is watched: small enough to see a peak.
const STEP: u64 = 1_000_000;

/// Measures all of it; a line each.
pub(crate) fn run(data: &DataSet, rounds: usize, attach_to: &[usize]) -> Result<()> {
    build(data, rounds)?;
    for before in attach_to {
        attach(data, *before, rounds)?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Noise {
    times: BTreeMap<&'static str, Vec<Time>>,
}

/// A/A: the same batch twice in each round, so that what two equal series differ by is known.
pub(crate) fn noise(data: &DataSet, rounds: usize) -> Result<()> {
    let mut result = Noise { times: BTreeMap::new() };
    for _ in 0..rounds {
        for name in ["batch", "batchAgain"] {
            let (_, time) = Way::Batch.build(data)?;
            result.times.entry(name).or_default().push(time);
        }
    }
    print(data, "noise", result)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Build {
    /// Times of each round; `batchAgain` is the same as `batch`, and shows the noise.
    times: BTreeMap<&'static str, Vec<Time>>,
    ef: usize,
    recall: BTreeMap<&'static str, f64>,
}

fn build(data: &DataSet, rounds: usize) -> Result<()> {
    let mut result = Build { times: BTreeMap::new(), ef: DEFAULT_EF, recall: BTreeMap::new() };
    let mut ways = [
        ("loop", Way::Loop),
        ("batch", Way::Batch),
        ("f32Loop", Way::F32Loop),
        ("batchAgain", Way::Batch),
    ];
    for round in 0..rounds {
        for (name, way) in ways {
            let Meta { set, rows, .. } = &data.meta;
            eprint!("  {set}, {rows} rows, round {} of {rounds}: {name} ", round + 1);
            let (index, time) = way.build(data)?;
            eprintln!("{:.0} ms", time.cpu_ms);
            result.times.entry(name).or_default().push(time);
            if round == 0 {
                result.recall.insert(name, sweep(&index, data, &[DEFAULT_EF])?[0].recall);
            }
        }
        ways.reverse();
    }
    print(data, "build", result)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Attach {
    before: usize,
    attached: usize,
    times: BTreeMap<&'static str, Vec<Time>>,
}

/// Fills an index, then inserts small portions in turn by a batch and by a loop.
fn attach(data: &DataSet, before: usize, rounds: usize) -> Result<()> {
    let dimensions = data.meta.dimensions;
    let (old, new) = data.rows.split_at(before * dimensions);
    let mut index = data.builder().build()?;
    Way::Batch.insert(&mut index, old)?;
    let mut result = Attach { before, attached: ATTACHED, times: BTreeMap::new() };
    let ways = [("batch", Way::Batch), ("loop", Way::Loop)];
    let portions = new.chunks_exact(ATTACHED * dimensions).take(2 * rounds);
    for ((name, way), rows) in ways.into_iter().cycle().zip(portions) {
        let ((), time) = timed(|| way.insert(&mut index, rows))?;
        result.times.entry(name).or_default().push(time);
    }
    print(data, "attach", result)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Memory {
    finished_bytes: usize,
    peak_bytes: usize,
}

/// What is allocated at most during a batch, and when it is over.
pub(crate) fn memory(data: &DataSet) -> Result<()> {
    let mut index = data.builder().build()?;
    index.begin_batch(data.meta.rows, None, BatchMode::Strict, true)?;
    let mut left = &data.rows[..];
    index.fill_batch(data.meta.rows, &mut |piece: &mut [f32]| {
        let (filled, rest) = left.split_at(piece.len());
        piece.copy_from_slice(filled);
        left = rest;
    })?;
    let mut peak_bytes = index.memory_bytes();
    while !index.step_batch(STEP)?.ready {
        peak_bytes = peak_bytes.max(index.memory_bytes());
    }
    peak_bytes = peak_bytes.max(index.memory_bytes());
    index.finish_batch()?;
    print(data, "memory", Memory { finished_bytes: index.memory_bytes(), peak_bytes })
}
