//! Every row is found by search, however rows are clustered and however they came in.

#![allow(clippy::unwrap_used)] // Helpers outside of test functions, too.

mod common;

use edgevec::{BatchInsertable, BatchOptions, Index, Metric, Rows};

/// How many rows a search for each does not find, at the default `ef`.
fn missed(index: &Index) -> usize {
    let is_missed = |id: &u64| {
        let query = index.get(*id).unwrap().to_vec();
        let hit = index.search(&query, 1).run().unwrap()[0];
        hit.id != *id && hit.distance > 1e-6
    };
    (0..index.len() as u64).filter(is_missed).count()
}

#[test]
fn rows_of_clusters_of_any_size_and_dimension_are_found() {
    // More than the 512 rows, from which on the default `ef` walks the graph instead of comparing all.
    const ROWS: usize = 2400;
    for metric in [Metric::L2, Metric::Cosine] {
        for (dimensions, clusters) in [(2, 10), (2, 300), (3, 50), (16, 240), (16, 48), (128, 120)]
        {
            let values = common::clustered(5, ROWS, dimensions, clusters);
            for part in [1, ROWS / 3, ROWS] {
                let mut index = Index::builder(dimensions).metric(metric).build().unwrap();
                for part in values.chunks(part * dimensions) {
                    index.insert_batch(Rows::flat(part), BatchOptions::new()).unwrap();
                }
                let missed = missed(&index);
                assert_eq!(missed, 0, "{metric:?} {dimensions} {clusters} in parts of {part}");
            }
        }
    }
}

#[test]
fn rows_of_one_dimension_are_found() {
    let values: Vec<f32> =
        (0..5000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32).collect();
    for part in [1, 5000] {
        let mut index = Index::builder(1).metric(Metric::L2).build().unwrap();
        for part in values.chunks(part) {
            index.insert_batch(Rows::flat(part), BatchOptions::new()).unwrap();
        }
        assert_eq!(missed(&index), 0, "in parts of {part}");
    }
}

#[test]
fn rows_that_drift_on_and_on_are_found() {
    let values: Vec<f32> = (0..3000u16).flat_map(|i| [f32::from(i), -5.0, 0.0, 0.0]).collect();
    for part in [1, 40, 1000] {
        let mut index = Index::builder(4).metric(Metric::L2).build().unwrap();
        for part in values.chunks(part * 4) {
            index.insert_batch(Rows::flat(part), BatchOptions::new()).unwrap();
        }
        assert_eq!(missed(&index), 0, "in parts of {part}");
    }
}
