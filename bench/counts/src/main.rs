//! Exact counts of what the core does with the committed sample: a line `value name` for each.
//!
//! It is compiled to WebAssembly, as the core ships, and run on one thread: kernels, tiles and graphs are
//! then the same on every machine, and so are the counts. `cargo xtask test` compares them with those
//! in `bench/counts.json`.

mod allocations;

use std::error::Error;

use allocations::counted;
use edgevec::{BatchInsertable, BatchOptions, Index, Metric, Rows};

static CODES: &[u8] = include_bytes!("../../../data/wordnet-10k/vectors.i8");
static SCALES: &[u8] = include_bytes!("../../../data/wordnet-10k/scales.f32");

const DIMENSIONS: usize = 384;
const ROWS: usize = 2000;
/// Rows behind those inserted, to search with.
const QUERIES: usize = 200;
const TOP: usize = 10;
const EFS: [usize; 2] = [16, 64];

/// Rows `from` to `to` of the sample, one after another.
fn rows(from: usize, to: usize) -> Vec<f32> {
    let scales = SCALES.as_chunks().0[from..to].iter().map(|bytes| f32::from_le_bytes(*bytes));
    let codes = CODES[from * DIMENSIONS..to * DIMENSIONS].chunks_exact(DIMENSIONS);
    let row = |(codes, scale): (&[u8], f32)| {
        let value = move |code: &u8| f32::from(code.cast_signed()) * scale;
        codes.iter().map(value).collect::<Vec<_>>()
    };
    codes.zip(scales).flat_map(row).collect()
}

fn new_index() -> Result<Index, edgevec::Error> {
    Index::builder(DIMENSIONS).metric(Metric::Cosine).build()
}

fn line(value: impl std::fmt::Display, name: &str) {
    println!("{value} {name}");
}

fn main() -> Result<(), Box<dyn Error>> {
    let (stored, queries) = (rows(0, ROWS), rows(ROWS, ROWS + QUERIES));
    let mut loop_built = new_index()?;
    let (outcome, allocated) = counted(|| {
        stored.chunks_exact(DIMENSIONS).try_for_each(|row| loop_built.insert(row).map(|_| ()))
    });
    outcome?;
    line(loop_built.linking_distances(), &format!("distances of {ROWS} inserts"));
    line(allocated.calls, &format!("allocations of {ROWS} inserts"));
    line(allocated.peak_bytes, &format!("bytes allocated at most by {ROWS} inserts"));

    let mut batch_built = new_index()?;
    let (outcome, allocated) = counted(|| {
        batch_built.insert_batch(Rows::flat(&stored), BatchOptions::new().threads(1)).map(|_| ())
    });
    outcome?;
    line(batch_built.linking_distances(), &format!("distances of a batch of {ROWS}"));
    line(allocated.calls, &format!("allocations of a batch of {ROWS}"));
    line(allocated.peak_bytes, &format!("bytes allocated at most by a batch of {ROWS}"));
    line(batch_built.to_bytes()?.len(), &format!("bytes of a saved index of {ROWS}"));

    attach(&stored)?;
    for (name, index) in [("a loop-built", &loop_built), ("a batch-built", &batch_built)] {
        for ef in EFS {
            search(name, index, &queries, ef)?;
        }
    }
    Ok(())
}

/// The second half of the rows into an index that has the first.
fn attach(stored: &[f32]) -> Result<(), Box<dyn Error>> {
    let (old, new) = stored.split_at(stored.len() / 2);
    let mut index = new_index()?;
    index.insert_batch(Rows::flat(old), BatchOptions::new().threads(1))?;
    let before = index.linking_distances();
    index.insert_batch(Rows::flat(new), BatchOptions::new().threads(1))?;
    let half = ROWS / 2;
    let name = format!("distances of a batch of {half} into an index of {half}");
    line(index.linking_distances() - before, &name);
    Ok(())
}

/// All queries: what they cost, and what they find.
fn search(name: &str, index: &Index, queries: &[f32], ef: usize) -> Result<(), Box<dyn Error>> {
    let (mut hits, mut truth) = (Vec::new(), Vec::new());
    let (mut distances, mut found) = (0, 0);
    // A first time, because the first search makes the memory that the others use.
    for is_first in [true, false] {
        let mut calls = 0;
        for query in queries.chunks_exact(DIMENSIONS) {
            index.search(query, TOP).exact().run_into(&mut truth)?;
            let search = || index.search(query, TOP).ef(ef).run_into(&mut hits);
            let (stats, allocated) = counted(search);
            calls += allocated.calls;
            if !is_first {
                distances += stats?.distances;
                found += hits.iter().filter(|hit| truth.iter().any(|t| t.id == hit.id)).count();
            }
        }
        if !is_first {
            line(calls, &format!("allocations of {QUERIES} searches in {name} index, ef {ef}"));
        }
    }
    line(distances, &format!("distances of {QUERIES} searches in {name} index, ef {ef}"));
    line(found, &format!("of {} true neighbours found in {name} index, ef {ef}", QUERIES * TOP));
    Ok(())
}
