//! Rows of equal length in chunks that never move and never double.
//!
//! A growing `Vec` needs its old and its new memory at once; an index of 1.5 GB would need 3 GB
//! to grow. Here growing adds one chunk of about 1 MiB and moves nothing.
//!
//! Always true:
//! - every chunk starts at a multiple of 64 bytes, so rows of 16 floats share no cache line;
//! - a row lies in one chunk; the rows of a chunk lie one after another.

use std::marker::PhantomData;

use bytemuck::{Pod, Zeroable};

use crate::error::OutOfMemory;

/// Bytes of a chunk, unless one row needs more. Small enough that the unused part of the last
/// chunk does not matter, large enough that an index of 1 GB has only a thousand.
const CHUNK_BYTES: usize = 1 << 20;

/// One cache line; chunks are made of lines to be aligned.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// Rows of `stride` values of `T`, numbered from 0. Which rows hold something, the owner knows.
pub(crate) struct Chunks<T> {
    /// Each has memory for all of its rows, and is as long as they are ready.
    lines: Vec<Vec<Line>>,
    /// Rows that were zeroed: those there will be are not, because a hundred rows need not pay for a chunk.
    ready: usize,
    stride: usize,
    /// A chunk has `1 << shift` rows, so that a row is found by shifting.
    shift: u32,
    values: PhantomData<T>,
}

impl<T: Pod> Chunks<T> {
    pub(crate) fn new(stride: usize) -> Self {
        let row_bytes = (stride * size_of::<T>()).max(1);
        let shift = (CHUNK_BYTES / row_bytes).max(1).ilog2();
        Self { lines: Vec::new(), ready: 0, stride, shift, values: PhantomData }
    }

    /// Rows there is memory for.
    pub(crate) fn capacity(&self) -> usize {
        self.lines.len() << self.shift
    }

    /// Bytes of a row.
    pub(crate) fn row_bytes(&self) -> usize {
        self.stride * size_of::<T>()
    }

    /// Bytes allocated.
    pub(crate) fn bytes(&self) -> usize {
        self.lines.iter().map(|chunk| chunk.capacity() * size_of::<Line>()).sum()
    }

    /// Makes room for rows `0..rows`, zeroed where new. On an error the rows there are stay.
    pub(crate) fn reserve(&mut self, rows: usize) -> Result<(), OutOfMemory> {
        let row_bytes = self.row_bytes();
        let lines = (row_bytes << self.shift).div_ceil(size_of::<Line>());
        while self.capacity() < rows {
            let mut chunk = Vec::new();
            chunk.try_reserve_exact(lines)?;
            self.lines.try_reserve(1)?;
            self.lines.push(chunk);
        }
        while self.ready < rows {
            let chunk = self.ready >> self.shift;
            let end = ((chunk + 1) << self.shift).min(rows);
            let used = (row_bytes * (end - (chunk << self.shift))).div_ceil(size_of::<Line>());
            self.lines[chunk].resize(used, Line::zeroed());
            self.ready = end;
        }
        Ok(())
    }

    /// Gives back the chunks that hold none of the rows `0..rows`.
    pub(crate) fn shrink(&mut self, rows: usize) {
        self.lines.truncate(rows.div_ceil(1 << self.shift));
        self.ready = self.ready.min(self.capacity());
    }

    #[inline]
    pub(crate) fn row(&self, row: usize) -> &[T] {
        let (chunk, start) = self.place(row);
        &bytemuck::cast_slice(&self.lines[chunk])[start..start + self.stride]
    }

    #[inline]
    pub(crate) fn row_mut(&mut self, row: usize) -> &mut [T] {
        let (chunk, start) = self.place(row);
        &mut bytemuck::cast_slice_mut(&mut self.lines[chunk])[start..start + self.stride]
    }

    /// Calls `visit` with the rows `first..first + rows` in pieces that lie in one chunk each.
    pub(crate) fn pieces_mut(
        &mut self,
        first: usize,
        rows: usize,
        mut visit: impl FnMut(&mut [T]),
    ) {
        let mut row = first;
        while row < first + rows {
            let (chunk, start) = self.place(row);
            let chunk_end = ((row >> self.shift) + 1) << self.shift;
            let end = chunk_end.min(first + rows);
            let values = (end - row) * self.stride;
            visit(&mut bytemuck::cast_slice_mut(&mut self.lines[chunk])[start..start + values]);
            row = end;
        }
    }

    /// Copies row `from` over row `to`.
    pub(crate) fn copy_row(&mut self, from: usize, to: usize) {
        let ((from_chunk, from_start), (to_chunk, to_start)) = (self.place(from), self.place(to));
        if from_chunk == to_chunk {
            let values: &mut [T] = bytemuck::cast_slice_mut(&mut self.lines[from_chunk]);
            values.copy_within(from_start..from_start + self.stride, to_start);
        } else if let Ok([source, target]) = self.lines.get_disjoint_mut([from_chunk, to_chunk]) {
            let source: &[T] = &bytemuck::cast_slice(source)[from_start..from_start + self.stride];
            let target: &mut [T] = bytemuck::cast_slice_mut(target);
            target[to_start..to_start + self.stride].copy_from_slice(source);
        }
    }

    #[inline]
    fn place(&self, row: usize) -> (usize, usize) {
        (row >> self.shift, (row & ((1 << self.shift) - 1)) * self.stride)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_their_place_while_chunks_are_added() {
        let mut rows = Chunks::<u32>::new(5000); // 20,000 bytes: 32 rows a chunk
        rows.reserve(10).unwrap();
        assert_eq!((rows.capacity(), rows.bytes()), (32, 640_000));
        rows.row_mut(9).fill(7);
        let before = rows.row(9).as_ptr();
        rows.reserve(1000).unwrap();
        assert_eq!(rows.row(9).as_ptr(), before);
        assert!(rows.row(9).iter().all(|value| *value == 7));
        assert!(rows.row(999).iter().all(|value| *value == 0));
        assert_eq!(rows.row(32).as_ptr() as usize % 64, 0);
        rows.shrink(33);
        assert_eq!(rows.capacity(), 64);
        rows.reserve(65).unwrap();
        assert_eq!((rows.row(64)[4999], rows.row(9)[0]), (0, 7));
    }

    #[test]
    fn pieces_cover_the_rows_once_and_in_order() {
        let mut rows = Chunks::<u32>::new(5000);
        rows.reserve(100).unwrap();
        let mut next = 0;
        rows.pieces_mut(30, 70, |piece| {
            for row in piece.chunks_exact_mut(5000) {
                row.fill(next);
                next += 1;
            }
        });
        assert_eq!(next, 70);
        for row in 30..100 {
            assert_eq!(rows.row(row)[4999], row as u32 - 30);
        }
        rows.copy_row(99, 31);
        rows.copy_row(33, 34);
        assert_eq!((rows.row(31)[0], rows.row(34)[0]), (69, 3));
    }

    #[test]
    fn a_row_larger_than_a_chunk_gets_a_chunk_of_its_own() {
        let mut rows = Chunks::<u8>::new(3 << 20);
        rows.reserve(2).unwrap();
        rows.row_mut(1)[3 * (1 << 20) - 1] = 1;
        assert_eq!(rows.capacity(), 2);
    }

    #[test]
    fn memory_that_does_not_exist_is_an_error_and_changes_nothing() {
        let mut rows = Chunks::<f32>::new(isize::MAX as usize / 4);
        assert_eq!(rows.reserve(1), Err(OutOfMemory));
        assert_eq!(rows.capacity(), 0);
    }
}
