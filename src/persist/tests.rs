//! Bytes that are an index come back as it; bytes that are not are an error.

use super::format::{HAS_CELLS, checksum};
use crate::batch::{BatchInsertable, BatchOptions, Rows};
use crate::hnsw::bulk::partition::Child;
use crate::tests::Rng;
use crate::{Error, Index, Metric};

fn sample(rows: usize, metric: Metric, ids: bool) -> Index {
    let values = Rng(1).clustered(rows, 6, 4);
    let mut index = Index::builder(6).metric(metric).m(4).ef_construction(32).build().unwrap();
    let ids: Option<Vec<u64>> = ids.then(|| (0..rows as u64).map(|i| 1000 - i).collect());
    let mut options = BatchOptions::new();
    if let Some(ids) = &ids {
        options = options.ids(ids);
    }
    index.insert_batch(Rows::flat(&values), options).unwrap();
    index
}

#[test]
fn an_index_comes_back_as_it_was() {
    for metric in [Metric::L2, Metric::Cosine, Metric::Dot] {
        for (rows, ids) in [(1, false), (200, true), (600, false), (600, true)] {
            let index = sample(rows, metric, ids);
            let bytes = index.to_bytes().unwrap();
            let read = Index::from_bytes(&bytes).unwrap();
            assert!(read.to_bytes().unwrap() == bytes, "{metric:?} {rows} {ids}");
            let query = Rng(9).vector(6);
            assert_eq!(
                read.search(&query, 20).run().unwrap(),
                index.search(&query, 20).run().unwrap()
            );
        }
    }
    let empty = Index::builder(3).build().unwrap();
    assert_eq!(Index::from_bytes(&empty.to_bytes().unwrap()).unwrap().len(), 0);
}

/// An index of one batch whose rows fill several cells. Half of the rows are equal, so that there
/// are splits below the first.
fn of_cells() -> Index {
    let mut values = Rng(3).clustered(3000, 6, 40);
    for row in values.chunks_mut(6).step_by(2) {
        row.fill(0.25);
    }
    let mut index = Index::builder(6).metric(Metric::L2).m(4).ef_construction(32).build().unwrap();
    index.insert_batch(Rows::flat(&values), BatchOptions::new()).unwrap();
    let splits = &index.partition.splits;
    assert!(splits.iter().any(|split| split.children.iter().any(|c| matches!(c, Child::Split(_)))));
    index
}

#[test]
fn a_batch_attached_after_loading_gives_the_bytes_of_one_attached_without() {
    let mut index = of_cells();
    let bytes = index.to_bytes().unwrap();
    let mut read = Index::from_bytes(&bytes).unwrap();
    assert!(read.partition == index.partition);
    assert!(read.to_bytes().unwrap() == bytes);

    // Twice, with rows between that are in no cell when the second batch comes.
    for seed in [5, 6] {
        let batch = Rng(seed).clustered(400, 6, 9);
        for index in [&mut index, &mut read] {
            index.insert_batch(Rows::flat(&batch), BatchOptions::new()).unwrap();
            assert_eq!(index.partition.nodes, index.len(), "it was attached as a whole");
            for row in batch.chunks(6).take(7) {
                index.insert(row).unwrap();
            }
        }
        assert!(read.to_bytes().unwrap() == index.to_bytes().unwrap(), "seed {seed}");
        read = Index::from_bytes(&read.to_bytes().unwrap()).unwrap();
    }
}

#[test]
fn flags_say_what_is_stored() {
    let flags = |index: &Index| index.to_bytes().unwrap()[12];
    assert_eq!(flags(&Index::builder(6).build().unwrap()), 0);
    assert_eq!(flags(&sample(200, Metric::L2, true)), 1);
    assert_eq!(flags(&sample(600, Metric::L2, false)), 2 + 4);
    assert_eq!(flags(&sample(600, Metric::L2, true)), 1 + 2 + 4);
    // Rows that came one by one are in no cells; ids that are the rows' numbers are not stored.
    let mut index = Index::builder(6).build().unwrap();
    for (id, row) in Rng(2).vector(6 * 300).chunks(6).enumerate() {
        index.insert_with_id(id as u64, row).unwrap();
    }
    assert_eq!(flags(&index), 2);
}

#[test]
fn every_changed_byte_and_every_cut_is_noticed() {
    let bytes = sample(300, Metric::L2, true).to_bytes().unwrap();
    for at in (0..bytes.len()).step_by(3) {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        let error = Index::from_bytes(&changed).unwrap_err();
        assert_eq!(error.code(), "CORRUPT", "byte {at}");
    }
    for len in (0..bytes.len()).step_by(97) {
        assert!(matches!(Index::from_bytes(&bytes[..len]), Err(Error::Corrupt { .. })), "{len}");
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert!(Index::from_bytes(&longer).is_err());
}

/// A forger can make the checksum match: what he changed must still not break the index.
#[test]
fn changes_behind_a_right_checksum_never_panic_and_never_break_the_rules() {
    let bytes = sample(300, Metric::Cosine, true).to_bytes().unwrap();
    let mut rng = Rng(4);
    let mut refused = 0;
    for _ in 0..4000 {
        let mut forged = bytes[..bytes.len() - 8].to_vec();
        for _ in 0..=rng.next() % 3 {
            let at = rng.next() as usize % forged.len();
            forged[at] = rng.next() as u8;
        }
        if rng.next().is_multiple_of(4) {
            forged.truncate(rng.next() as usize % forged.len());
        }
        let sum = checksum(&forged);
        forged.extend_from_slice(&sum.to_le_bytes());
        match Index::from_bytes(&forged) {
            Err(_) => refused += 1,
            Ok(mut index) => {
                assert_eq!(index.validate(), Ok(()));
                index.insert(&[0.5; 6]).ok();
                index.search(&[1.0; 6], 5).run().unwrap();
            }
        }
    }
    assert!(refused > 1000, "{refused}");
}

#[test]
fn forged_cells_are_refused_or_do_no_harm() {
    let index = of_cells();
    let bytes = index.to_bytes().unwrap();
    let body = bytes.len() - 8;
    let with_sum = |mut forged: Vec<u8>| {
        let sum = checksum(&forged);
        forged.extend_from_slice(&sum.to_le_bytes());
        forged
    };
    // The cells are what is last: how many bytes they take shows a file without them.
    let mut without = bytes[..body].to_vec();
    without[12] &= !(HAS_CELLS as u8);
    let Err(Error::Corrupt { offset: cells, .. }) = Index::from_bytes(&with_sum(without)) else {
        panic!("the cells are there, though no flag says so");
    };
    let cells = cells as usize;
    let mut rng = Rng(8);
    let (mut refused, mut accepted) = (0, 0);
    for _ in 0..300 {
        let mut forged = bytes[..body].to_vec();
        // Small numbers often, and often among the first: those of the splits.
        let span = if rng.next().is_multiple_of(2) { 400 } else { body - cells };
        let at = cells + rng.next() as usize % (span / 4) * 4;
        let top = [2, 40, 3000, 1 << 32][rng.next() as usize % 4];
        let word = (rng.next() % top) as u32;
        forged[at..at + 4].copy_from_slice(&word.to_le_bytes());
        match Index::from_bytes(&with_sum(forged)) {
            Err(error) => {
                assert_eq!(error.code(), "CORRUPT");
                refused += 1;
            }
            Ok(mut index) => {
                let batch = Rng(9).clustered(300, 6, 5);
                index.insert_batch(Rows::flat(&batch), BatchOptions::new()).unwrap();
                assert_eq!(index.validate(), Ok(()));
                accepted += 1;
            }
        }
    }
    assert!(refused > 50 && accepted > 20, "{refused} refused, {accepted} accepted");
}

#[test]
fn a_count_that_promises_too_much_asks_for_no_memory() {
    let mut bytes = sample(1, Metric::L2, false).to_bytes().unwrap();
    bytes.truncate(bytes.len() - 8);
    bytes[40..48].copy_from_slice(&u64::MAX.to_le_bytes()); // rows
    let sum = checksum(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    let error = Index::from_bytes(&bytes).unwrap_err();
    assert!(matches!(error, Error::Corrupt { offset: 56, .. }), "{error}");
}
