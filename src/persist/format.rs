//! The fixed part of the file format; `docs/architecture/FILE_FORMAT.md` describes all of it.

/// The first bytes of every file. Like PNG's, it shows when a transfer changed line ends or cut
/// the eighth bit.
pub(super) const MAGIC: [u8; 8] = *b"\x89EVEC\r\n\x1a";
/// The version this release writes, and the only one so far.
pub(super) const VERSION: u32 = 1;
/// Bytes of the checksum at the end.
pub(super) const CHECKSUM: usize = 8;

/// Ids are stored; else each is its row's number.
pub(super) const HAS_IDS: u32 = 1;
/// There is a quantizer and a graph.
pub(super) const HAS_GRAPH: u32 = 2;
/// There is a partition.
pub(super) const HAS_CELLS: u32 = 4;
/// Set in the number of a child that is a split.
pub(super) const SPLIT: u32 = 1 << 31;

/// XXH3 with 64 bits over everything before it.
pub(super) fn checksum(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytes)
}
