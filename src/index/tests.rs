//! Laws of the index that need a look inside: the graph's rules, bytes before and after.

use proptest::prelude::*;

use super::*;
use crate::batch::{BatchInsertable, BatchMode, BatchOptions, Rows};
use crate::config::batch_limit;
use crate::error::{BatchError, VectorFault};
use crate::tests::Rng;

pub(super) fn empty(dimensions: usize, metric: Metric) -> Index {
    Index::builder(dimensions).metric(metric).m(8).ef_construction(64).seed(7).build().unwrap()
}

fn filled(rows: usize, dimensions: usize, metric: Metric) -> Index {
    let values = Rng(rows as u64).clustered(rows, dimensions, 12);
    let mut index = empty(dimensions, metric);
    values.chunks(dimensions).for_each(|row| {
        index.insert(row).unwrap();
    });
    index
}

/// The share of the true 10 nearest that a walk with `ef` finds, over 200 queries near the rows.
pub(super) fn recall(index: &Index, ef: usize, seed: u64) -> f64 {
    let mut rng = Rng(seed);
    let mut found = 0;
    for _ in 0..200 {
        let id = rng.next() % index.len() as u64;
        let mut query = index.get(id).unwrap().to_vec();
        query.iter_mut().for_each(|x| *x += 0.1 * rng.float());
        let truth = index.search(&query, 10).exact().run().unwrap();
        let hits = index.search(&query, 10).ef(ef).run().unwrap();
        found += hits.iter().filter(|hit| truth.iter().any(|t| t.id == hit.id)).count();
    }
    f64::from(found as u32) / 2000.0
}

#[test]
fn inserted_rows_obey_the_rules_of_the_graph_and_are_found() {
    for metric in [Metric::L2, Metric::Cosine, Metric::Dot] {
        let index = filled(3000, 24, metric);
        assert_eq!(index.validate(), Ok(()));
        let recall = recall(&index, 64, 1);
        // The inner product is no distance: a few long rows are near to everything.
        let floor = if metric == Metric::Dot { 0.9 } else { 0.95 };
        assert!(recall > floor, "{metric:?}: {recall}");
    }
}

#[test]
fn the_graph_begins_with_the_row_that_makes_it_worth_while() {
    let mut index = filled(GRAPH_ROWS - 1, 5, Metric::L2);
    assert_eq!((index.graph.len(), index.validate()), (0, Ok(())));
    index.insert(&[0.5; 5]).unwrap();
    assert_eq!((index.graph.len(), index.validate()), (GRAPH_ROWS, Ok(())));
}

#[test]
fn small_batches_give_the_index_that_one_by_one_inserts_give() {
    // Into an index with a graph a batch of this size is linked row by row, as inserts are.
    let mut one_by_one = filled(GRAPH_ROWS, 16, Metric::Cosine);
    let mut batch = Index::from_bytes(&one_by_one.to_bytes().unwrap()).unwrap();
    let values = Rng(5).clustered(20, 16, 4);
    values.chunks(16).for_each(|row| {
        one_by_one.insert(row).unwrap();
    });
    let report = batch.insert_batch(Rows::flat(&values), BatchOptions::new()).unwrap();
    assert_eq!(report.ids, (GRAPH_ROWS as u64..GRAPH_ROWS as u64 + 20).collect::<Vec<_>>());
    assert!(one_by_one.to_bytes().unwrap() == batch.to_bytes().unwrap());
}

#[test]
fn batches_into_empty_and_filled_indexes_have_the_recall_of_one_by_one_inserts() {
    for metric in [Metric::L2, Metric::Cosine, Metric::Dot] {
        let values = Rng(11).clustered(4400, 24, 20);
        let mut index = empty(24, metric);
        let mut rest = values.as_slice();
        // The last are small enough to go to the cells that there are.
        for rows in [1700, 1700, 400, 300, 300] {
            let part;
            (part, rest) = rest.split_at(rows * 24);
            index.insert_batch(Rows::flat(part), BatchOptions::new()).unwrap();
            assert_eq!(index.validate(), Ok(()));
        }
        assert_eq!(index.len(), 4400);
        let mut one_by_one = empty(24, metric);
        values.chunks(24).for_each(|row| {
            one_by_one.insert(row).unwrap();
        });
        let (batch, single) = (recall(&index, 48, 2), recall(&one_by_one, 48, 2));
        assert!(batch > single - 0.02, "{metric:?}: {batch} against {single}");
    }
}

/// Runs a batch in small steps and stops it after `steps` of them.
fn interrupt(index: &mut Index, values: &[f32], steps: usize) -> bool {
    let dimensions = index.dimensions();
    let rows = values.len() / dimensions;
    index.begin_batch(rows, None, BatchMode::Strict, true).unwrap();
    let mut source = values;
    index
        .fill_batch(rows, &mut |piece| {
            let (now, later) = source.split_at(piece.len());
            piece.copy_from_slice(now);
            source = later;
        })
        .unwrap();
    let mut ready = false;
    for _ in 0..steps {
        ready = index.step_batch(500).unwrap().ready;
    }
    index.abort_batch();
    ready
}

#[test]
fn an_abort_at_any_step_leaves_the_bytes_of_the_index_unchanged() {
    for (before, added) in [(0, 400), (100, 200), (200, 400), (900, 150)] {
        let mut index = filled(before, 12, Metric::Cosine);
        let bytes = index.to_bytes().unwrap();
        let values = Rng(77).clustered(added, 12, 3);
        let mut steps = 0;
        while !interrupt(&mut index, &values, steps) {
            assert!(index.to_bytes().unwrap() == bytes, "{before} + {added}, step {steps}");
            assert_eq!(index.validate(), Ok(()));
            steps = steps * 5 / 4 + 1;
        }
        assert!(index.to_bytes().unwrap() == bytes, "{before} + {added}, ready");
        let report = index.insert_batch(Rows::flat(&values), BatchOptions::new()).unwrap();
        assert_eq!(report.ids[0], before as u64, "ids of an aborted batch are free again");
        assert_eq!(index.validate(), Ok(()));
    }
}

#[test]
fn a_pending_batch_is_seen_by_nobody() {
    let mut index = filled(700, 12, Metric::L2);
    let values = Rng(3).clustered(300, 12, 2);
    let query: Vec<f32> = values[..12].to_vec();
    let (bytes, hits) = (index.to_bytes().unwrap(), index.search(&query, 700).run().unwrap());
    index.begin_batch(300, None, BatchMode::Strict, true).unwrap();
    index.copy_rows(&values).unwrap();
    let mut last = 0;
    loop {
        let progress = index.step_batch(2000).unwrap();
        assert!(progress.done >= last && progress.done <= progress.total);
        last = progress.done;
        assert_eq!((index.len(), index.contains(700), index.get(700)), (700, false, None));
        assert_eq!(index.search(&query, 700).run().unwrap(), hits);
        assert_eq!(index.to_bytes().unwrap(), bytes);
        if progress.ready {
            assert_eq!(progress.done, 300);
            break;
        }
    }
    index.finish_batch().unwrap();
    assert_eq!(index.search(&query, 1).run().unwrap()[0].id, 700);
}

#[test]
fn rows_inserted_during_a_batch_keep_their_ids_whether_it_ends_or_not() {
    for finish in [true, false] {
        let mut index = filled(300, 6, Metric::L2);
        let values = Rng(3).clustered(50, 6, 2);
        index.begin_batch(50, None, BatchMode::Strict, true).unwrap();
        index.copy_rows(&values).unwrap();
        let early = index.insert(&[9.0; 6]).unwrap();
        while !index.step_batch(300).unwrap().ready {}
        index.insert_with_id(5000, &[8.0; 6]).unwrap();
        assert_eq!(index.insert_with_id(early, &[1.0; 6]).unwrap_err().code(), "DUPLICATE_ID");
        assert_eq!(index.insert(&[1.0; 5]).unwrap_err().code(), "DIMENSION_MISMATCH");
        if finish {
            let report = index.finish_batch().unwrap();
            assert_eq!(report.ids.len(), 50);
            assert!(!report.ids.contains(&early));
        } else {
            index.abort_batch();
        }
        assert!(!index.contains(early));
        while !index.drain_queued(1).unwrap() {}
        assert_eq!(index.len(), if finish { 352 } else { 302 });
        assert_eq!(index.get(early), Some([9.0; 6].as_slice()));
        assert_eq!(index.search(&[8.0; 6], 1).run().unwrap()[0].id, 5000);
        assert_eq!(index.validate(), Ok(()));
        let read = Index::from_bytes(&index.to_bytes().unwrap()).unwrap();
        assert_eq!(read.get(5000), Some([8.0; 6].as_slice()));
    }
}

#[test]
fn each_error_of_a_batch_names_its_row_and_leaves_the_index_unchanged() {
    let mut index = filled(300, 3, Metric::Cosine);
    index.insert_with_id(900, &[1.0, 2.0, 3.0]).unwrap();
    let bytes = index.to_bytes().unwrap();
    let good = [1.0, 0.0, 0.0];
    let fault = |component, value| VectorFault::NotFinite { component, value };
    let cases: [(&[&[f32]], &[u64], BatchError); 7] = [
        (&[], &[], BatchError::EmptyBatch),
        (
            &[&good, &good[..2]],
            &[1000, 1001],
            BatchError::DimensionMismatch { index: 1, expected: 3, actual: 2 },
        ),
        (&[&good, &good], &[1000, 900], BatchError::DuplicateId { index: 1, id: 900 }),
        (&[&good, &good], &[1000, 1000], BatchError::DuplicateId { index: 1, id: 1000 }),
        (
            &[&good, &[0.0, f32::NAN, 0.0]],
            &[1000, 1001],
            BatchError::InvalidVector { index: 1, reason: fault(1, "NaN") },
        ),
        (
            &[&[0.0, 0.0, 0.0]],
            &[1000],
            BatchError::InvalidVector { index: 0, reason: VectorFault::Zero },
        ),
        (
            &[&good, &good],
            &[1000],
            BatchError::InvalidVector {
                index: 1,
                reason: VectorFault::IdCount { ids: 1, rows: 2 },
            },
        ),
    ];
    for validate in [true, false] {
        for (rows, ids, expected) in &cases {
            let options = BatchOptions::new().ids(ids).validate(validate);
            let error = index.insert_batch(Rows::each(rows), options).unwrap_err();
            assert_eq!(error, *expected);
            assert_eq!(index.to_bytes().unwrap(), bytes, "{expected}");
        }
    }
    let error = index.insert_batch(Rows::flat(&[1.0; 7]), BatchOptions::new()).unwrap_err();
    assert_eq!(error, BatchError::DimensionMismatch { index: 2, expected: 3, actual: 1 });
    let too_many = batch_limit(3) + 1;
    let error = index.begin_batch(too_many, None, BatchMode::Strict, true).unwrap_err();
    let max = batch_limit(3);
    assert_eq!(error, BatchError::CapacityExceeded { current: too_many, max });
    assert_eq!(index.to_bytes().unwrap(), bytes);
}

#[test]
fn skip_mode_leaves_out_bad_rows_and_names_them() {
    let mut index = filled(300, 3, Metric::Cosine);
    let (a, b) = ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]);
    let rows: [&[f32]; 6] = [&a[..1], &a, &[f32::NAN; 3], &b, &a, &[0.0; 3]];
    for validate in [true, false] {
        let first = index.len() as u64 + 1000;
        let ids = [first, first + 1, first + 2, 5, first + 1, first + 3];
        let options = BatchOptions::new().ids(&ids).mode(BatchMode::Skip).validate(validate);
        let report = index.insert_batch(Rows::each(&rows), options).unwrap();
        let skipped: Vec<_> = report.skipped.iter().map(|s| (s.index, s.error.code())).collect();
        assert_eq!((report.inserted, report.total), (1, 6));
        assert_eq!(report.ids, [first + 1]);
        let codes = [
            (0, "DIMENSION_MISMATCH"),
            (2, "INVALID_VECTOR"),
            (3, "DUPLICATE_ID"),
            (4, "DUPLICATE_ID"),
            (5, "INVALID_VECTOR"),
        ];
        assert_eq!(skipped, codes);
        assert_eq!(index.get(first + 1), Some(a.as_slice()));
        assert_eq!(index.validate(), Ok(()));
    }
    let bad: [&[f32]; 2] = [&a[..1], &[f32::NAN; 3]];
    let options = BatchOptions::new().mode(BatchMode::Skip);
    let report = index.insert_batch(Rows::each(&bad), options).unwrap();
    assert_eq!((report.inserted, report.skipped.len()), (0, 2));
}

#[test]
fn progress_never_falls_ends_at_the_total_and_a_cancel_changes_nothing() {
    let mut index = filled(400, 16, Metric::L2);
    let bytes = index.to_bytes().unwrap();
    let values = Rng(4).clustered(6000, 16, 5);
    let mut calls = 0;
    let mut cancel = || {
        calls += 1;
        calls == 4
    };
    let options = BatchOptions::new().cancel(&mut cancel);
    let report = index.insert_batch(Rows::flat(&values), options).unwrap();
    assert_eq!((report.cancelled, report.inserted, report.total), (true, 0, 6000));
    assert!(index.to_bytes().unwrap() == bytes);

    let mut seen = Vec::new();
    let mut on_progress = |progress: crate::BatchProgress| seen.push(progress.done);
    let options = BatchOptions::new().on_progress(&mut on_progress);
    index.insert_batch(Rows::flat(&values), options).unwrap();
    assert!(seen.len() > 5 && seen.is_sorted(), "{seen:?}");
    assert_eq!(seen.last(), Some(&6000));
    assert!(seen[seen.len() - 2] < 6000, "6000 only when the rows are in: {seen:?}");
}

#[test]
fn rows_far_from_the_first_are_found_too() {
    // The first rows set the scale; what follows lies elsewhere, wider, and then much narrower.
    let mut rng = Rng(8);
    for (factor, offset) in [(1.0, 30.0), (20.0, 0.0), (0.02, 0.1)] {
        let mut index = empty(16, Metric::L2);
        for _ in 0..GRAPH_ROWS + 10 {
            index.insert(&rng.vector(16)).unwrap();
        }
        let first = index.len();
        for _ in 0..1500 {
            let row: Vec<_> = rng.vector(16).iter().map(|x| x * factor + offset).collect();
            index.insert(&row).unwrap();
        }
        assert_eq!(index.validate(), Ok(()));
        let mut found = 0;
        for id in (first..index.len()).step_by(7) {
            let query = index.get(id as u64).unwrap().to_vec();
            let hits = index.search(&query, 1).run().unwrap();
            found += usize::from(hits[0].id == id as u64);
        }
        let asked = (first..index.len()).step_by(7).count();
        assert!(found * 100 >= asked * 97, "{factor} {offset}: {found} of {asked}");
    }
}

#[test]
fn layers_above_are_linked_too_where_they_are_too_large_to_be_compared() {
    // Of so many rows some 15,000 are above layer 0.
    const ROWS: usize = 30_000;
    let values = Rng(5).clustered(ROWS + 300, 4, 40);
    let mut index = Index::builder(4).m(2).ef_construction(40).seed(7).build().unwrap();
    for part in [&values[..ROWS * 4], &values[ROWS * 4..]] {
        index.insert_batch(Rows::flat(part), BatchOptions::new()).unwrap();
        assert_eq!(index.validate(), Ok(()));
        let entry = index.graph.entry().map_or(0, |(entry, _)| entry);
        let is_above = |node: &u32| index.graph.level(*node) > 0;
        for node in (0..index.graph.len() as u32).filter(is_above) {
            let links = index.graph.links(node, 1).len();
            assert!(links > 0 || node == entry || node == 0, "node {node} has no links above");
        }
    }
}

/// How many nodes no walk along the links of layer 0 comes to.
fn unreached(index: &Index) -> usize {
    let mut reached = vec![false; index.graph.len()];
    let mut waiting = Vec::from_iter(index.graph.entry().map(|(entry, _)| entry));
    while let Some(node) = waiting.pop() {
        if !std::mem::replace(&mut reached[node as usize], true) {
            waiting.extend_from_slice(index.graph.links(node, 0));
        }
    }
    reached.iter().filter(|reached| !**reached).count()
}

#[test]
fn every_node_of_layer_0_is_reached_however_few_links_there_are() {
    const ROWS: usize = 3000;
    for m in [2, 3, 4, 16] {
        for clusters in [1, 40, ROWS] {
            let values = Rng(6).clustered(ROWS, 6, clusters);
            for part in [ROWS, ROWS / 3, 100] {
                let builder = Index::builder(6).m(m).ef_construction(40).seed(7);
                let mut index = builder.build().unwrap();
                for part in values.chunks(part * 6) {
                    index.insert_batch(Rows::flat(part), BatchOptions::new()).unwrap();
                }
                // After small batches not all links are walked along: nodes that link only to each other stay unseen.
                // Of these rows inserted one by one some 70 are not reached.
                let most = if m == 2 && part == 100 { 5 } else { 0 };
                let unreached = unreached(&index);
                assert!(
                    unreached <= most,
                    "{unreached}: m {m}, {clusters} clusters, parts of {part}"
                );
            }
        }
    }
}

#[test]
fn equal_rows_outliers_and_constant_dimensions_do_no_harm() {
    let mut index = empty(9, Metric::L2);
    index.insert_batch(Rows::flat(&vec![0.5; 9 * 2000]), BatchOptions::new()).unwrap();
    assert_eq!(index.validate(), Ok(()));
    let hits = index.search(&[0.5; 9], 2000).run().unwrap();
    assert!(hits.iter().map(|hit| hit.id).eq(0..2000), "ties go by id");

    let mut values = Rng(1).clustered(2000, 9, 10);
    values.chunks_mut(9).for_each(|row| row[4] = 0.0);
    values[9 * 77] = 1e30;
    let mut index = empty(9, Metric::L2);
    index.insert_batch(Rows::flat(&values), BatchOptions::new()).unwrap();
    assert_eq!(index.validate(), Ok(()));
    assert!(recall(&index, 64, 3) > 0.9, "{}", recall(&index, 64, 3));
}

#[test]
fn k_and_ef_may_be_anything() {
    let index = filled(1000, 4, Metric::L2);
    let query = [0.1; 4];
    assert_eq!(index.search(&query, usize::MAX).run().unwrap().len(), 1000);
    assert_eq!(index.search(&query, 1000).ef(1).run().unwrap().len(), 1000);
    assert_eq!(index.search(&query, 3).ef(1).run().unwrap().len(), 3);
    assert_eq!(index.search(&query, 0).run().unwrap_err().code(), "INVALID_ARGUMENT");
    assert_eq!(index.search(&query, 1).ef(0).run().unwrap_err().code(), "INVALID_ARGUMENT");
    assert_eq!(index.search(&query[..3], 1).run().unwrap_err().code(), "DIMENSION_MISMATCH");
    assert_eq!(index.search(&[f32::NAN; 4], 1).run().unwrap_err().code(), "INVALID_VECTOR");
    assert!(empty(4, Metric::L2).search(&query, 5).run().unwrap().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is inserted, in whatever portions: sizes add up, each row finds itself, saved and
    /// read it answers the same and goes on the same.
    #[test]
    fn portions_of_any_size_give_a_sound_index(
        seed in 0u64..1000,
        dimensions in 1usize..20,
        portions in prop::collection::vec(1usize..400, 1..6),
    ) {
        let mut rng = Rng(seed);
        let mut index = empty(dimensions, Metric::L2);
        let mut rows = 0;
        for (i, portion) in portions.iter().enumerate() {
            let values = rng.clustered(*portion, dimensions, 5);
            if i % 2 == 0 {
                index.insert_batch(Rows::flat(&values), BatchOptions::new()).unwrap();
            } else {
                for row in values.chunks(dimensions) {
                    index.insert(row).unwrap();
                }
            }
            rows += portion;
            prop_assert_eq!(index.len(), rows);
            prop_assert_eq!(index.validate(), Ok(()));
        }
        let bytes = index.to_bytes().unwrap();
        let mut read = Index::from_bytes(&bytes).unwrap();
        let row = rng.vector(dimensions);
        prop_assert_eq!(read.insert(&row).unwrap(), index.insert(&row).unwrap());
        prop_assert_eq!(read.to_bytes().unwrap(), index.to_bytes().unwrap());
        let hits = index.search(&row, 3).run().unwrap();
        prop_assert_eq!(hits[0].distance, 0.0);
        prop_assert_eq!(read.search(&row, 3).run().unwrap(), hits);
    }
}
