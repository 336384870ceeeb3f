//! `EdgeVec` as one of the contenders of `bench/rivals`, in a process of its own: what
//! `bench/rivals/measure.mjs` measures, by the same rules, on one thread.

use std::fs;

use anyhow::Result;
use edgevec::{DEFAULT_EF_CONSTRUCTION, DEFAULT_M, Index};
use serde_json::{Value, json};

use crate::build::{Time, Way, timed};
use crate::data::{DataSet, TOP, found};

const EFS: [usize; 13] = [10, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512];
/// A sweep ends at this recall, or when two more steps of `ef` raise it by less than that.
const ENOUGH: f64 = 0.999;
const RISE: f64 = 0.001;
/// All queries are asked so often, and until that takes so long; the fastest pass counts.
const PASSES: usize = 3;
const TIMED_MS: f64 = 200.0;
/// Every so many-th row is searched for, with so many candidates that a way to it is found.
const PROBE_EVERY: usize = 100;
const PROBE_EF: usize = 512;
/// Queries whose answers are compared after loading, and their candidates.
const COMPARED: usize = 50;
const COMPARED_EF: usize = 64;

/// Measures all of it and prints one line.
pub(crate) fn run(data: &DataSet, way: Way) -> Result<()> {
    let before = resident_bytes();
    let (index, build) = way.build(data)?;
    let resident = before.zip(resident_bytes()).map(|(before, after)| after.saturating_sub(before));
    let line = json!({
        "facts": {
            "name": "EdgeVec", "version": env!("CARGO_PKG_VERSION"), "runs": "native", "engine": "Rust",
        },
        "backend": edgevec::backend(),
        "parameters": {
            "index": "HNSW", "element": "f32", "m": DEFAULT_M, "efConstruction": DEFAULT_EF_CONSTRUCTION,
            "metric": if data.meta.metric == "l2" { "squared L2" } else { &data.meta.metric }, "note": "links by 7-bit codes",
        },
        "cpuMs": build.cpu_ms,
        "wallMs": build.wall_ms,
        "holdMs": build.wall_ms,
        "rssBytes": resident,
        "stored": index.len(),
        "points": sweep(&index, data)?,
        "probe": probe(&index, data)?,
        "saved": saved(&index, data)?,
    });
    println!("{line}");
    Ok(())
}

/// The ids of the nearest rows.
fn search(index: &Index, query: &[f32], k: usize, ef: usize) -> Result<Vec<u64>> {
    Ok(index.search(query, k).ef(ef).run()?.into_iter().map(|hit| hit.id).collect())
}

fn sweep(index: &Index, data: &DataSet) -> Result<Vec<Value>> {
    let mut points = Vec::new();
    let mut recalls: Vec<f64> = Vec::new();
    let mut hits = Vec::new();
    for ef in EFS {
        let mut ask_all = || -> Result<usize> {
            let mut matched = 0;
            for (query, truth) in data.each_query() {
                index.search(query, TOP).ef(ef).run_into(&mut hits)?;
                matched += found(&hits, truth);
            }
            Ok(matched)
        };
        let recall = ask_all()? as f64 / data.truth.len() as f64;
        let mut passes: Vec<Time> = Vec::new();
        while passes.len() < PASSES
            || passes.iter().map(|pass| pass.wall_ms).sum::<f64>() < TIMED_MS
        {
            passes.push(timed(&mut ask_all)?.1);
        }
        let fastest = |of: fn(&Time) -> f64| passes.iter().map(of).fold(f64::INFINITY, f64::min);
        let us = |ms: f64| ms * 1e3 / data.meta.queries as f64;
        points.push(json!({
            "ef": ef,
            "recall": recall,
            "cpuUs": us(fastest(|pass| pass.cpu_ms)),
            "wallUs": us(fastest(|pass| pass.wall_ms)),
        }));
        let before = recalls.len().checked_sub(2).map(|place| recalls[place]);
        recalls.push(recall);
        if recall >= ENOUGH || before.is_some_and(|before| recall - before < RISE) {
            break;
        }
    }
    Ok(points)
}

/// How many of the rows asked for are the nearest to themselves; a copy of a row is as near.
fn probe(index: &Index, data: &DataSet) -> Result<Value> {
    let rows: Vec<_> = data.rows.chunks(data.meta.dimensions).collect();
    let (mut asked, mut found) = (0, 0);
    for row in rows.iter().step_by(PROBE_EVERY) {
        let hits = search(index, row, 1, PROBE_EF)?;
        asked += 1;
        found += usize::from(hits.first().is_some_and(|id| rows.get(*id as usize) == Some(row)));
    }
    Ok(json!({ "asked": asked, "found": found }))
}

/// Saves, loads what was saved, and compares answers.
fn saved(index: &Index, data: &DataSet) -> Result<Value> {
    let bytes = index.to_bytes()?;
    let loaded = Index::from_bytes(&bytes)?;
    let (mut asked, mut same) = (0, 0);
    for (query, _) in data.each_query().take(COMPARED) {
        let answers = [index, &loaded].map(|index| search(index, query, TOP, COMPARED_EF));
        let [before, after] = answers;
        asked += 1;
        same += usize::from(before? == after?);
    }
    Ok(json!({ "bytes": bytes.len(), "asked": asked, "same": same }))
}

/// Memory of this process that is really there; none where the system does not say.
fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}
