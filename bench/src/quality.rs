//! What a graph is worth: how many distances, and how much time, a search takes to reach a recall.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use edgevec::Index;
use serde::{Deserialize, Serialize};

use crate::build::{Way, timed};
use crate::data::{DataSet, Meta, TOP, found};
use crate::line::print;
use crate::rival;

/// Recall and cost of the searches with one `ef`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Point {
    pub(crate) ef: usize,
    pub(crate) recall: f64,
    /// Distances computed, on average over the queries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) distances: Option<f64>,
    /// CPU time, on average over the queries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) search_cpu_us: Option<f64>,
}

/// Recall is counted at these, densely enough to interpolate between them.
const EFS: [usize; 23] = [
    10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 256, 320, 448, 640,
    896,
];
/// Searches are timed at these.
const TIMED_EFS: [usize; 5] = [16, 32, 64, 128, 256];

/// Everything about the graphs of one library and one way of building.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Graph {
    build_cpu_ms: Vec<f64>,
    /// How many seeds it was built with: one in each round. By chance one graph needs some percent more distances
    /// than the next.
    seeds: usize,
    /// Recall and distances, means of the seeds.
    points: Vec<Point>,
    /// CPU time of a search, by `ef`, of each round.
    search_cpu_us: BTreeMap<usize, Vec<f64>>,
}

impl Graph {
    /// Takes in what searches of a graph with another seed came to.
    fn add_points(&mut self, points: Vec<Point>) {
        self.seeds += 1;
        if self.points.is_empty() {
            self.points = points;
            return;
        }
        let share = 1.0 / self.seeds as f64;
        for (mean, point) in self.points.iter_mut().zip(points) {
            mean.recall += (point.recall - mean.recall) * share;
            if let (Some(mean), Some(distances)) = (&mut mean.distances, point.distances) {
                *mean += (distances - *mean) * share;
            }
        }
    }

    fn add_times(&mut self, build_cpu_ms: f64, points: &[Point]) {
        self.build_cpu_ms.push(build_cpu_ms);
        for point in points {
            self.search_cpu_us.entry(point.ef).or_default().extend(point.search_cpu_us);
        }
    }
}

#[derive(Serialize)]
struct Quality {
    graphs: BTreeMap<&'static str, Graph>,
}

/// Builds and searches all graphs, in rounds, and prints one line.
pub(crate) fn run(data: &DataSet, rounds: usize, hnswlib: Option<&Path>) -> Result<()> {
    let mut graphs: BTreeMap<&'static str, Graph> = BTreeMap::new();
    let mut names = vec!["loop", "batch"];
    names.extend(hnswlib.map(|_| "hnswlib"));
    for round in 0..rounds {
        for name in &names {
            let Meta { set, rows, .. } = &data.meta;
            eprintln!("  {set}, {rows} rows, round {} of {rounds}: {name}", round + 1);
            let graph = graphs.entry(name).or_default();
            if let (&"hnswlib", Some(program)) = (name, hnswlib) {
                // Its seed is one.
                let counted = if round == 0 { &EFS[..] } else { &[] };
                let outcome = rival::run(program, data, &TIMED_EFS, counted)?;
                let (timed, counted) = outcome.points.split_at(TIMED_EFS.len());
                graph.add_times(outcome.build_cpu_ms, timed);
                if round == 0 {
                    graph.add_points(counted.to_vec());
                }
                continue;
            }
            let way = if *name == "loop" { Way::Loop } else { Way::Batch };
            let (index, time) = way.build_by(data, round as u64)?;
            graph.add_times(time.cpu_ms, &sweep(&index, data, &TIMED_EFS)?);
            let mut points = sweep(&index, data, &EFS)?;
            // Times are by round.
            points.iter_mut().for_each(|point| point.search_cpu_us = None);
            graph.add_points(points);
        }
        // What was built first in one round is built last in the next.
        names.reverse();
    }
    print(data, "quality", Quality { graphs })
}

/// Searches with every query at each `ef`.
pub(crate) fn sweep(index: &Index, data: &DataSet, efs: &[usize]) -> Result<Vec<Point>> {
    let mut points = Vec::new();
    let mut hits = Vec::new();
    for ef in efs {
        let (mut matched, mut distances) = (0, 0);
        let ((), time) = timed(|| {
            for (query, truth) in data.each_query() {
                distances += index.search(query, TOP).ef(*ef).run_into(&mut hits)?.distances;
                matched += found(&hits, truth);
            }
            Ok(())
        })?;
        let queries = data.meta.queries as f64;
        points.push(Point {
            ef: *ef,
            recall: matched as f64 / data.truth.len() as f64,
            distances: Some(distances as f64 / queries),
            search_cpu_us: Some(time.cpu_ms * 1e3 / queries),
        });
    }
    Ok(points)
}
