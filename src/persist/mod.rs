//! Indexes as bytes: one versioned, checksummed format, the same on 32 and 64 bit.
//!
//! ```text
//! format.rs   what the bytes mean          write.rs   Index::to_bytes
//! docs/architecture/FILE_FORMAT.md         read.rs    Index::from_bytes
//! ```
//!
//! Who stores the bytes is the caller's affair. Codes are not stored: they follow from the vectors
//! and the quantizer, and coding takes no longer than reading.

mod format;
mod read;
#[cfg(test)]
mod tests;
mod write;
