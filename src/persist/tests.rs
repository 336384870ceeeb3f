//! Bytes that are an index come back as it; bytes that are not are an error.

use super::format::checksum;
use crate::batch::{BatchInsertable, BatchOptions, Rows};
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
fn a_count_that_promises_too_much_asks_for_no_memory() {
    let mut bytes = sample(1, Metric::L2, false).to_bytes().unwrap();
    bytes.truncate(bytes.len() - 8);
    bytes[40..48].copy_from_slice(&u64::MAX.to_le_bytes()); // rows
    let sum = checksum(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    let error = Index::from_bytes(&bytes).unwrap_err();
    assert!(matches!(error, Error::Corrupt { offset: 56, .. }), "{error}");
}
