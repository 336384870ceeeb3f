//! The same rows give the same index, to the bit, on every platform: this file's expectations are
//! checked natively with whatever instructions there are, and in WebAssembly with and without SIMD.

#![allow(clippy::unwrap_used)] // Helpers outside of test functions, too.

mod common;

use edgevec::{BatchInsertable, BatchOptions, Index, Metric, Rows};
use xxhash_rust::xxh3::xxh3_64;

fn build(metric: Metric, batches: bool) -> Index {
    let dimensions = 37; // no multiple of any vector register
    let values = common::clustered(42, 3000, dimensions, 25);
    let mut index =
        Index::builder(dimensions).metric(metric).m(8).ef_construction(60).seed(3).build().unwrap();
    if batches {
        for part in values.chunks(1100 * dimensions) {
            index.insert_batch(Rows::flat(part), BatchOptions::new()).unwrap();
        }
    } else {
        values.chunks(dimensions).for_each(|row| {
            index.insert(row).unwrap();
        });
    }
    index
}

#[test]
fn bytes_are_the_same_on_every_platform() {
    let expected = [
        (Metric::L2, false, 0x67c9_3efc_c56a_c6a5),
        (Metric::L2, true, 0x14cb_3353_d48f_5a58),
        (Metric::Cosine, false, 0x9f1e_ea6b_2fd5_6f18),
        (Metric::Cosine, true, 0xbe3c_e64f_2447_e4c7),
        (Metric::Dot, false, 0xf180_b231_e229_56ea),
        (Metric::Dot, true, 0xa135_234d_fed5_a53d),
    ];
    let found = expected.map(|(metric, batches, _)| {
        (metric, batches, xxh3_64(&build(metric, batches).to_bytes().unwrap()))
    });
    assert_eq!(found, expected, "{found:#x?}");
}

#[test]
fn an_index_built_by_sketches_is_the_same_on_every_platform() {
    const ROWS: usize = 20_400;
    const AXES: usize = 30;
    let dimensions = 224;
    let along = common::clustered(6, ROWS, AXES, 40);
    let axes = common::clustered(7, AXES, dimensions, AXES);
    let mut values = common::clustered(8, ROWS, dimensions, 1);
    for (row, along) in values.chunks_mut(dimensions).zip(along.chunks(AXES)) {
        for (part, axis) in along.iter().zip(axes.chunks(dimensions)) {
            row.iter_mut().zip(axis).for_each(|(x, axis)| *x += part * axis);
        }
    }
    let mut index = Index::builder(dimensions).m(8).seed(3).build().unwrap();
    let (first, second) = values.split_at((ROWS - 300) * dimensions);
    for part in [first, second] {
        index.insert_batch(Rows::flat(part), BatchOptions::new()).unwrap();
    }
    let found = xxh3_64(&index.to_bytes().unwrap());
    assert_eq!(found, 0xd8f1_470a_4f99_8316, "{found:#x}");
}

#[test]
fn the_seed_changes_the_graph_and_nothing_else() {
    let values = common::clustered(1, 600, 8, 5);
    let bytes = |seed: u64| {
        let mut index = Index::builder(8).seed(seed).build().unwrap();
        index.insert_batch(Rows::flat(&values), BatchOptions::new()).unwrap();
        index.to_bytes().unwrap()
    };
    assert_eq!(bytes(1), bytes(1));
    assert_ne!(bytes(1), bytes(2));
}
