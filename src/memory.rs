//! Memory that may run out: tables are made here by calls that say so.

use std::ops::Range;

use crate::error::OutOfMemory;

/// A vector of `len` times `value`.
pub(crate) fn filled<T: Clone>(len: usize, value: T) -> Result<Vec<T>, OutOfMemory> {
    let mut values = Vec::new();
    values.try_reserve_exact(len)?;
    values.resize(len, value);
    Ok(values)
}

/// A copy of some values.
pub(crate) fn copied<T: Copy>(values: &[T]) -> Result<Vec<T>, OutOfMemory> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(values.len())?;
    copy.extend_from_slice(values);
    Ok(copy)
}

/// Some numbers as nodes.
pub(crate) fn numbers(range: Range<usize>) -> Result<Vec<u32>, OutOfMemory> {
    let mut numbers = filled(range.len(), 0u32)?;
    numbers.iter_mut().zip(range).for_each(|(place, number)| *place = number as u32);
    Ok(numbers)
}

/// Memory that a piece of work may take for small things, whose allocation cannot report a failure.
const HEADROOM: usize = 1 << 19;

/// Makes sure before a piece of work that there is memory for its small things.
pub(crate) fn check_headroom() -> Result<(), OutOfMemory> {
    let mut room = Vec::<u8>::new();
    room.try_reserve_exact(HEADROOM)?;
    // Memory that nobody looks at would not be asked for.
    std::hint::black_box(&mut room);
    Ok(())
}

/// Memory that is asked for at once.
const PIECE: usize = 16 << 20;

/// Asks for memory that will be needed, in large pieces, and gives it back to the allocator, to be taken in small
/// ones. An engine takes each growth of a module's memory for a reason to collect garbage: where 60,000 rows of 384
/// dimensions made it grow by a megabyte at a time, Node 24 collected 33 times, for 7 % of the CPU time of a first batch.
///
/// Where there is not so much memory, whoever needs it will notice.
pub(crate) fn make_room(bytes: usize) {
    if !cfg!(target_family = "wasm") || bytes < PIECE {
        return;
    }
    let mut pieces = Vec::<Vec<u8>>::new();
    for start in (0..bytes).step_by(PIECE) {
        let mut piece = Vec::new();
        let size = PIECE.min(bytes - start);
        if piece.try_reserve_exact(size).is_err() || pieces.try_reserve(1).is_err() {
            break;
        }
        pieces.push(piece);
    }
    // As above.
    std::hint::black_box(&mut pieces);
}
