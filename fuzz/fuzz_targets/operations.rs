//! Inserts, batches, aborts and saves in any order, against a plain list of the rows.
#![no_main]

use edgevec::{BatchMode, Index, Metric};
use libfuzzer_sys::fuzz_target;

const DIMENSIONS: usize = 3;

fn row(bytes: &[u8]) -> [f32; DIMENSIONS] {
    std::array::from_fn(|i| f32::from(bytes.get(i).copied().unwrap_or(1)) - 100.0)
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut index) =
        Index::builder(DIMENSIONS).metric(Metric::L2).m(3).ef_construction(8).build()
    else {
        return;
    };
    let mut rows: Vec<[f32; DIMENSIONS]> = Vec::new();
    for operation in bytes.chunks(4) {
        let (kind, data) = (operation[0], &operation[1..]);
        match kind % 5 {
            0 | 1 => {
                // Many inserts at once, so that small inputs reach the graph.
                for i in 0..=kind / 5 {
                    let mut row = row(data);
                    row[0] += f32::from(i) * 0.37;
                    assert_eq!(index.insert(&row), Ok(rows.len() as u64));
                    rows.push(row);
                }
            }
            2 | 3 => {
                let count = usize::from(kind / 5) + 1;
                let before = index.to_bytes();
                let made: Vec<_> = (0..count)
                    .map(|i| {
                        let mut row = row(data);
                        row[1] -= i as f32 * 0.21;
                        row
                    })
                    .collect();
                assert!(index.begin_batch(count, None, BatchMode::Strict, true).is_ok());
                let mut values = made.iter().flatten();
                let fill = index.fill_batch(count, &mut |piece| {
                    piece.iter_mut().zip(&mut values).for_each(|(x, value)| *x = *value);
                });
                assert!(fill.is_ok());
                let mut left = data.first().copied().unwrap_or(0);
                let finished = loop {
                    if kind % 5 == 3 && left == 0 {
                        break false;
                    }
                    left = left.saturating_sub(1);
                    if index.step_batch(50).is_ok_and(|progress| progress.ready) {
                        break kind % 5 == 2 || left > 0;
                    }
                };
                if finished {
                    assert_eq!(index.finish_batch().map(|report| report.inserted), Ok(count));
                    rows.extend(made);
                } else {
                    index.abort_batch();
                    assert_eq!(index.to_bytes(), before);
                }
            }
            _ => {
                let Ok(bytes) = index.to_bytes() else { return };
                match Index::from_bytes(&bytes) {
                    Ok(read) => index = read,
                    Err(error) => panic!("{error}"),
                }
            }
        }
    }
    assert_eq!(index.len(), rows.len());
    for (id, row) in rows.iter().enumerate().step_by(17) {
        assert_eq!(index.get(id as u64), Some(row.as_slice()));
        let hits = index.search(row, 1).exact().run();
        assert!(hits.is_ok_and(|hits| hits[0].distance == 0.0));
    }
});
