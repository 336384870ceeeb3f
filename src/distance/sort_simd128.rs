//! Sorting keys in WebAssembly with SIMD128, by a network: no branch depends on the data.
//!
//! What is sorted are words: of a key the upper bits of its score, as many as matter, and the place it had.
//! Words are four columns of lines; the order goes down the first column, then down the next. Most comparators are
//! between words of one column, four at once. Keys that are equal so far are put right by insertion.
//!
//! Source: bitonic sorting (Batcher 1968), all comparators in one direction.

#[allow(clippy::wildcard_imports, reason = "intrinsics have long names and are many")]
use std::arch::wasm32::*;

use super::simd128::load;

/// Fewer keys are sorted by insertion alone, and so are more, in gaps.
const LEAST: usize = 17;
const MOST: usize = 256;
/// Bits of a word for the place.
const PLACE_BITS: u32 = MOST.ilog2();
/// Gaps of Shell's sort (Ciura 2001), for lists that are rarely so long.
const GAPS: [usize; 10] = [3937, 1750, 701, 301, 132, 57, 23, 10, 4, 1];

type Line = [u32; 4];

/// Sorts keys.
#[inline(never)]
pub(crate) fn sort(keys: &mut [u64]) {
    let gaps = match keys.len() {
        LEAST..=128 => by_words(keys, &mut [0; 128], &mut [[u32::MAX; 4]; 32]),
        129..=MOST => by_words(keys, &mut [0; MOST], &mut [[u32::MAX; 4]; MOST / 4]),
        _ => &GAPS[..],
    };
    for gap in gaps {
        for next in *gap..keys.len() {
            let (key, mut place) = (keys[next], next);
            while place >= *gap && keys[place - gap] > key {
                keys[place] = keys[place - gap];
                place -= gap;
            }
            keys[place] = key;
        }
    }
}

/// Sorts keys by their words. There is room for them twice. Returns the gaps that are left.
#[inline(never)]
fn by_words(keys: &mut [u64], before: &mut [u64], lines: &mut [Line]) -> &'static [usize] {
    let bits = keys.iter().fold(0, |bits, key| bits | key >> 32);
    let shift = 64 - (bits << PLACE_BITS).leading_zeros().min(32);
    let lines = &mut lines[..keys.len().next_power_of_two() / 4];
    before[..keys.len()].copy_from_slice(keys);
    for (place, (word, key)) in lines.as_flattened_mut().iter_mut().zip(&*keys).enumerate() {
        *word = ((key >> shift) as u32) << PLACE_BITS | place as u32;
    }
    network(lines);
    let (mut last, mut is_sorted) = (0, true);
    for (column, keys) in keys.chunks_mut(lines.len()).enumerate() {
        for (key, line) in keys.iter_mut().zip(&*lines) {
            *key = before[line[column] as usize & (before.len() - 1)];
            is_sorted &= last <= *key;
            last = *key;
        }
    }
    &GAPS[if is_sorted { GAPS.len() } else { GAPS.len() - 1 }..]
}

#[inline]
fn store(line: &mut Line, words: v128) {
    // SAFETY: the line is 16 writable bytes, and `v128_store` asks for no alignment.
    unsafe { v128_store(line.as_mut_ptr().cast(), words) };
}

/// The smaller words and the larger ones.
#[inline]
fn apart(a: v128, b: v128) -> (v128, v128) {
    (u32x4_min(a, b), u32x4_max(a, b))
}

/// Sorts a power of two of lines, at least eight.
#[inline]
fn network(lines: &mut [Line]) {
    eights(lines, |lines| {
        *lines = compared(*lines, [(0, 1), (2, 3), (4, 5), (6, 7)]);
        *lines = compared(*lines, [(0, 3), (1, 2), (4, 7), (5, 6)]);
        *lines = compared(*lines, [(0, 1), (2, 3), (4, 5), (6, 7)]);
        *lines = compared(*lines, [(0, 7), (1, 6), (2, 5), (3, 4)]);
        *lines = compared(*lines, [(0, 2), (1, 3), (4, 6), (5, 7)]);
        *lines = compared(*lines, [(0, 1), (2, 3), (4, 5), (6, 7)]);
    });
    let mut size = 8;
    while size < lines.len() {
        size *= 2;
        mirrored(lines, size, |b| b, |low, high| (low, high));
        merge(lines, size / 2);
    }
    // Columns 0 with 1 and 2 with 3.
    mirrored(
        lines,
        size,
        |b| u32x4_shuffle::<1, 0, 3, 2>(b, b),
        |low, high| {
            (u32x4_shuffle::<0, 5, 2, 7>(low, high), u32x4_shuffle::<1, 4, 3, 6>(low, high))
        },
    );
    merge(lines, size);
    // Columns 0 with 3 and 1 with 2; then 0 with 1 and 2 with 3.
    mirrored(
        lines,
        size,
        |b| u32x4_shuffle::<3, 2, 1, 0>(b, b),
        |low, high| {
            (u32x4_shuffle::<0, 1, 6, 7>(low, high), u32x4_shuffle::<3, 2, 5, 4>(low, high))
        },
    );
    for line in &mut *lines {
        let words = load(line);
        let (low, high) = apart(words, u32x4_shuffle::<1, 0, 3, 2>(words, words));
        store(line, u32x4_shuffle::<0, 5, 2, 7>(low, high));
    }
    merge(lines, size);
}

/// Compares the first of every `size` lines with the last, the second with the last but one, and so on; `turn` brings
/// a word of the later line to where its partner is, and `back` both to where they belong.
#[inline]
fn mirrored(
    lines: &mut [Line],
    size: usize,
    turn: impl Fn(v128) -> v128,
    back: impl Fn(v128, v128) -> (v128, v128),
) {
    for lines in lines.chunks_exact_mut(size) {
        let (first, last) = lines.split_at_mut(size / 2);
        for (a, b) in first.iter_mut().zip(last.iter_mut().rev()) {
            let (low, high) = apart(load(a), turn(load(b)));
            let (low, high) = back(low, high);
            store(a, low);
            store(b, high);
        }
    }
}

/// Compares some lines with some others.
#[inline]
fn compared(mut lines: [v128; 8], pairs: [(usize, usize); 4]) -> [v128; 8] {
    for (a, b) in pairs {
        (lines[a], lines[b]) = apart(lines[a], lines[b]);
    }
    lines
}

/// Changes every eight lines.
#[inline]
fn eights(lines: &mut [Line], change: impl Fn(&mut [v128; 8])) {
    for lines in lines.as_chunks_mut::<8>().0 {
        let mut words = lines.each_ref().map(load);
        change(&mut words);
        lines.iter_mut().zip(words).for_each(|(line, words)| store(line, words));
    }
}

/// Sorts every `size` lines, at least eight, whose words rise and then fall.
#[inline(never)]
fn merge(lines: &mut [Line], mut size: usize) {
    while size > 8 {
        for lines in lines.chunks_exact_mut(size) {
            let (first, last) = lines.split_at_mut(size / 2);
            for (a, b) in first.iter_mut().zip(last) {
                let (low, high) = apart(load(a), load(b));
                store(a, low);
                store(b, high);
            }
        }
        size /= 2;
    }
    // The last steps in registers.
    eights(lines, |lines| {
        *lines = compared(*lines, [(0, 4), (1, 5), (2, 6), (3, 7)]);
        *lines = compared(*lines, [(0, 2), (1, 3), (4, 6), (5, 7)]);
        *lines = compared(*lines, [(0, 1), (2, 3), (4, 5), (6, 7)]);
    });
}
