//! What a graph is worth: how many distances a search computes to reach a recall.

use anyhow::Result;
use edgevec::Index;

use crate::data::{DataSet, TOP};

/// Recall and cost of the searches with one `ef`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    pub(crate) ef: usize,
    pub(crate) recall: f64,
    /// Distances computed, on average over the queries.
    pub(crate) distances: f64,
}

const EFS: [usize; 22] = [
    10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 256, 320, 448, 640,
];

/// Searches with every query at rising `ef`, until recall is beyond `enough`.
pub(crate) fn sweep(index: &Index, data: &DataSet, enough: f64) -> Result<Vec<Point>> {
    let mut points = Vec::new();
    let mut hits = Vec::new();
    for ef in EFS {
        let (mut found, mut distances) = (0, 0);
        for (query, truth) in data.queries.chunks(data.dimensions).zip(&data.truth) {
            let stats = index.search(query, TOP).ef(ef).run_into(&mut hits)?;
            distances += stats.distances;
            found += hits.iter().filter(|hit| truth.contains(&hit.id)).count();
        }
        let queries = data.truth.len() as f64;
        let recall = found as f64 / (queries * TOP as f64);
        points.push(Point { ef, recall, distances: distances as f64 / queries });
        if recall >= enough {
            break;
        }
    }
    Ok(points)
}

/// Distances at a recall, between the two points around it; none where it was not reached.
pub(crate) fn distances_at(points: &[Point], recall: f64) -> Option<f64> {
    let after = points.iter().position(|point| point.recall >= recall)?;
    let high = points[after];
    let Some(low) = after.checked_sub(1).map(|before| points[before]) else {
        return Some(high.distances);
    };
    let share = (recall - low.recall) / (high.recall - low.recall);
    Some(low.distances + share * (high.distances - low.distances))
}
