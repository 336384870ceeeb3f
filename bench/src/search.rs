//! What comes after building, natively: searches at each recall, and an index to bytes and back.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use edgevec::{DEFAULT_EF, Hit, Index};
use serde::Serialize;

use crate::build::{Time, Way, timed};
use crate::data::{DataSet, TOP, found};
use crate::line::print;

/// As in `bench/js/workloads.js`: from the least that finds ten rows to far beyond recall 0.99.
const EFS: [usize; 10] = [10, 16, 24, 32, 48, 64, 96, 128, 192, 256];
/// Queries that a loaded index must answer as the one that was saved.
const COMPARED: usize = 100;

/// All queries at one `ef`.
#[derive(Serialize)]
struct Point {
    ef: usize,
    recall: f64,
    times: Vec<Time>,
}

#[derive(Serialize)]
struct Search {
    graphs: BTreeMap<&'static str, Vec<Point>>,
}

/// Searches the graph of a loop and that of a batch in turn.
pub(crate) fn run(data: &DataSet, rounds: usize) -> Result<()> {
    let mut graphs = Vec::new();
    for (name, way) in [("loop", Way::Loop), ("batch", Way::Batch)] {
        eprintln!("  {}, {} rows: {name} to be searched", data.meta.set, data.meta.rows);
        let points = EFS.map(|ef| Point { ef, recall: 0.0, times: Vec::new() });
        graphs.push((name, way.build(data)?.0, Vec::from(points)));
    }
    for _ in 0..rounds {
        for (_, index, points) in &mut graphs {
            for point in points {
                let (answers, time) = timed(|| answers(index, data, point.ef, usize::MAX))?;
                point.times.push(time);
                point.recall = recall(&answers, data);
            }
        }
        graphs.reverse();
    }
    let graphs = graphs.into_iter().map(|(name, _, points)| (name, points)).collect();
    print(data, "search", Search { graphs })
}

/// The hits of the first `count` queries.
fn answers(index: &Index, data: &DataSet, ef: usize, count: usize) -> Result<Vec<Vec<Hit>>> {
    let search = |(query, _)| Ok(index.search(query, TOP).ef(ef).run()?);
    data.each_query().take(count).map(search).collect()
}

/// Of the true neighbours of all queries, the share that is among the hits.
fn recall(answers: &[Vec<Hit>], data: &DataSet) -> f64 {
    let matched =
        answers.iter().zip(data.each_query()).map(|(hits, (_, truth))| found(hits, truth));
    matched.sum::<usize>() as f64 / data.truth.len() as f64
}

#[derive(Serialize)]
struct Saved {
    bytes: usize,
    times: BTreeMap<&'static str, Vec<Time>>,
}

/// Saves and loads; what comes back must answer as what was saved.
pub(crate) fn save(data: &DataSet, rounds: usize) -> Result<()> {
    let (index, _) = Way::Batch.build(data)?;
    let before = answers(&index, data, DEFAULT_EF, COMPARED)?;
    let mut result = Saved { bytes: 0, times: BTreeMap::new() };
    for _ in 0..rounds {
        let (bytes, time) = timed(|| Ok(index.to_bytes()?))?;
        result.times.entry("save").or_default().push(time);
        let (loaded, time) = timed(|| Ok(Index::from_bytes(&bytes)?))?;
        result.times.entry("load").or_default().push(time);
        if answers(&loaded, data, DEFAULT_EF, COMPARED)? != before {
            bail!("{}: the loaded index answers otherwise than the saved one", data.meta.set);
        }
        result.bytes = bytes.len();
    }
    print(data, "save", result)
}
