//! What helpers and threads do to a batch: nothing but the time it takes.

use super::tests::{empty, recall};
use super::*;
use crate::batch::{BatchInsertable, BatchMode, BatchOptions, Rows};
use crate::hnsw::bulk::share::Helper;
use crate::tests::Rng;

/// A batch driven to its end with helpers, of which some answer nonsense or not at all.
fn with_helpers(index: &mut Index, values: &[f32], helpers: usize, faults: u64) {
    let rows = values.len() / index.dimensions();
    index.begin_batch(rows, None, BatchMode::Strict, true).unwrap();
    index.copy_rows(values).unwrap();
    let mut rng = Rng(faults);
    let make = || Helper::new(index.dimensions(), index.metric(), index.m()).unwrap();
    let mut helpers: Vec<_> = (0..helpers).map(|_| make()).collect();
    let mut loaded = 0;
    let mut calls = 0;
    loop {
        calls += 1;
        assert!(calls < 100_000, "the batch comes to no end");
        let progress = index.step_batch(3000).unwrap();
        if progress.ready {
            break;
        }
        let parts = index.shared_parts();
        assert!(parts >= loaded, "parts do not become fewer");
        for helper in &mut helpers {
            for first in (loaded..parts).step_by(700) {
                let bytes = index.batch_parts(first, 700.min(parts - first)).unwrap();
                assert!(bytes.len() <= 8 + (parts - first) * (index.dimensions() + 128));
                helper.load(&bytes).unwrap();
            }
        }
        loaded = parts;
        let mut answers = Vec::new();
        for helper in &mut helpers {
            let Some(units) = index.give_units() else { break };
            let answer = helper.work(&units).unwrap();
            match if faults == 0 { 9 } else { rng.next() % 12 } {
                0 => {} // it died
                1 => {
                    // Any word may be anything: the answer is refused, or does no harm.
                    let mut wrong = answer.clone();
                    let place = rng.next() as usize % wrong.len();
                    wrong[place] = rng.next() as u32;
                    let _ = index.accept_units(&wrong).unwrap();
                    let _ = index.accept_units(&answer[..answer.len() / 2]).unwrap();
                }
                2 => answers.insert(0, answer),
                _ => answers.push(answer),
            }
        }
        for answer in answers {
            let accepted = index.accept_units(&answer).unwrap();
            assert!(accepted || faults > 0);
            assert!(!index.accept_units(&answer).unwrap(), "an answer counts once");
        }
        if progress.waiting && faults > 0 {
            index.take_back_units().unwrap();
        }
    }
    index.finish_batch().unwrap();
    assert_eq!(index.validate(), Ok(()));
}

#[test]
fn the_result_is_the_same_whoever_does_the_work() {
    for metric in [Metric::L2, Metric::Dot] {
        let values = Rng(21).clustered(3000, 24, 30);
        let (first, second) = values.split_at(2400 * 24);
        let mut alone = empty(24, metric);
        for part in [first, second] {
            alone.insert_batch(Rows::flat(part), BatchOptions::new().threads(1)).unwrap();
        }
        let expected = alone.to_bytes().unwrap();
        for threads in [2, 4] {
            let mut index = empty(24, metric);
            for part in [first, second] {
                let options = BatchOptions::new().threads(threads);
                index.insert_batch(Rows::flat(part), options).unwrap();
            }
            assert!(index.to_bytes().unwrap() == expected, "{threads} threads");
        }
        for helpers in [0, 1, 2, 4] {
            let mut index = empty(24, metric);
            with_helpers(&mut index, first, helpers, 0);
            with_helpers(&mut index, second, helpers, 0);
            assert!(index.to_bytes().unwrap() == expected, "{helpers} helpers");
        }
    }
}

#[test]
fn progress_is_even_where_helpers_do_nearly_all() {
    const ROWS: usize = 6000;
    let values = Rng(24).clustered(ROWS, 24, 1);
    let mut index = empty(24, Metric::L2);
    index.begin_batch(ROWS, None, BatchMode::Strict, true).unwrap();
    index.copy_rows(&values).unwrap();
    let mut helper = Helper::new(24, Metric::L2, index.m()).unwrap();
    let (mut done, mut loaded) = (0, 0);
    loop {
        let progress = index.step_batch(1).unwrap();
        let more = progress.done - done;
        assert!(more * 20 <= ROWS, "{more} of {ROWS} rows at once, after {done}");
        done = progress.done;
        if progress.ready {
            break;
        }
        helper.load(&index.batch_parts(loaded, ROWS).unwrap()).unwrap();
        loaded = index.shared_parts();
        if let Some(units) = index.give_units() {
            let answer = helper.work(&units).unwrap();
            assert!(index.accept_units(&answer).unwrap());
        }
    }
    index.finish_batch().unwrap();
}

#[test]
fn helpers_that_fail_do_no_harm() {
    let values = Rng(22).clustered(2600, 12, 30);
    for faults in 1..6 {
        let mut index = empty(12, Metric::L2);
        with_helpers(&mut index, &values, 3, faults);
        assert_eq!(index.len(), 2600);
        assert!(recall(&index, 96, 5) > 0.95, "{faults}");
    }
}

#[test]
fn a_helper_refuses_what_is_not_for_it() {
    let mut helper = Helper::new(7, Metric::Cosine, 8).unwrap();
    assert_eq!(Helper::new(0, Metric::L2, 8).unwrap_err().code(), "INVALID_ARGUMENT");
    // How many dimensions sketches have, how many rows of codes come, and those with their terms, sketches behind them.
    let row = |code: u8, term: u32| -> Vec<u8> {
        [vec![code; 42], vec![0; 18], term.to_le_bytes().to_vec()].concat()
    };
    let portion = |dimensions: u32, row: &[u8], coded: u32, sketched: usize| -> Vec<u8> {
        let header = [dimensions.to_le_bytes(), coded.to_le_bytes()].concat();
        [header, row.repeat(coded as usize + sketched)].concat()
    };
    let sound = row(126, 42 * 126 * 126);
    for bytes in [
        vec![1; 3],
        portion(0, &sound[1..], 1, 0),
        portion(0, &row(127, 42 * 127 * 127), 1, 0),
        portion(0, &row(126, 42 * 126 * 126 - 1), 1, 0),
        portion(0, &row(126, u32::MAX), 1, 0),
        portion(0, &sound, 0, 1),
        portion(8, &sound, 0, 1),
        portion(u32::MAX, &sound, 0, 1),
        [&[0; 4][..], &[255; 4], &sound].concat(),
    ] {
        let message = format!("{:?}", &bytes[..bytes.len().min(50)]);
        assert_eq!(helper.load(&bytes).unwrap_err().code(), "INVALID_ARGUMENT", "{message}");
    }
    helper.load(&[]).unwrap();
    helper.load(&portion(7, &sound, 40, 0)).unwrap();
    let mut rng = Rng(5);
    for kind in 0..14 {
        if kind == 7 {
            // Fewer sketches than rows: the others are none that units can be about.
            helper.load(&portion(7, &sound, 0, 30)).unwrap();
            let other = helper.load(&portion(6, &sound, 0, 1));
            assert_eq!(other.unwrap_err().code(), "INVALID_ARGUMENT");
        }
        for _ in 0..3000 {
            let len = rng.next() as usize % 40;
            let top = [3, 41, 1 << 32][rng.next() as usize % 3];
            let mut units: Vec<u32> = (0..len + 3).map(|_| (rng.next() % top) as u32).collect();
            units[0] = kind % 7;
            let _ = helper.work(&units);
        }
    }
}

#[test]
fn sketched_rows_give_the_same_result_whoever_does_the_work_and_whatever_was_before() {
    const DIMENSIONS: usize = 224;
    const FIRST: usize = 20_400;
    for metric in [Metric::L2, Metric::Dot] {
        let mut values = Rng(23).along_axes(FIRST + 600, DIMENSIONS, 40, 0.1);
        if metric == Metric::Dot {
            values.iter_mut().step_by(DIMENSIONS).for_each(|x| *x += 2.0);
        }
        let (first, second) = values.split_at(FIRST * DIMENSIONS);
        let add = |index: &mut Index, part: &[f32], threads: usize| {
            let options = BatchOptions::new().threads(threads);
            index.insert_batch(Rows::flat(part), options).unwrap();
        };
        let mut alone = empty(DIMENSIONS, metric);
        add(&mut alone, first, 1);
        assert_eq!(alone.validate(), Ok(()), "{metric:?}");
        let before = alone.to_bytes().unwrap();
        assert!(alone.sketches.as_ref().is_some_and(|sketches| sketches.bytes() > FIRST * 112));
        add(&mut alone, second, 1);
        assert_eq!(alone.validate(), Ok(()));
        let expected = alone.to_bytes().unwrap();
        let (floor, recall) =
            (if metric == Metric::Dot { 0.85 } else { 0.95 }, recall(&alone, 128, 3));
        assert!(recall > floor, "{metric:?}: {recall}");

        if metric == Metric::Dot {
            let mut index = empty(DIMENSIONS, metric);
            with_helpers(&mut index, first, 1, 0);
            assert!(index.to_bytes().unwrap() == before, "a helper");
            continue;
        }
        let mut index = empty(DIMENSIONS, metric);
        add(&mut index, first, 2);
        with_helpers(&mut index, second, 2, 0);
        assert!(index.to_bytes().unwrap() == expected, "threads, then helpers");
        with_helpers(&mut empty(DIMENSIONS, metric), first, 2, 7);

        // Sketches are not stored, and an abort may come when there are some, or none yet.
        let mut index = Index::from_bytes(&before).unwrap();
        assert!(index.sketches.is_none());
        for (part, budget) in [(second, 1), (second, 100_000), (&values[..], 600_000)] {
            let rows = part.len() / DIMENSIONS;
            index.begin_batch(rows, None, BatchMode::Strict, true).unwrap();
            index.copy_rows(part).unwrap();
            assert!(!index.step_batch(budget).unwrap().ready);
            index.abort_batch();
            assert!(index.to_bytes().unwrap() == before);
        }
        add(&mut index, second, 1);
        assert!(index.to_bytes().unwrap() == expected, "loaded, after batches that were aborted");

        // Rows far away, which are linked one by one, set a new scale.
        let scale = index.codes.quantizer.as_ref().map(|quantizer| quantizer.scale);
        let far: Vec<f32> = second[..30 * DIMENSIONS].iter().map(|x| 40.0 * x).collect();
        add(&mut index, &far, 1);
        assert_ne!(index.codes.quantizer.as_ref().map(|quantizer| quantizer.scale), scale);
        let mut read = Index::from_bytes(&index.to_bytes().unwrap()).unwrap();
        for index in [&mut index, &mut read] {
            add(index, second, 1);
        }
        assert!(index.to_bytes().unwrap() == read.to_bytes().unwrap(), "after a new scale");
    }
}
