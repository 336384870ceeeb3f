//! A vector database that lives inside the program that uses it.
//!
//! An [`Index`] holds vectors and finds those nearest to a query: exactly while it is small,
//! through an HNSW graph when it is large. Many rows are inserted in one call, all or nothing:
//!
//! ```
//! use edgevec::{BatchInsertable, BatchOptions, Index, Metric, Rows};
//!
//! let mut index = Index::builder(2).metric(Metric::Cosine).build()?;
//! let rows = [1.0, 0.0, 0.0, 1.0, -1.0, 0.0];
//! let report = index.insert_batch(Rows::flat(&rows), BatchOptions::new())?;
//! assert_eq!(report.ids, [0, 1, 2]);
//!
//! let hits = index.search(&[2.0, 0.1], 1).run()?;
//! assert_eq!(hits[0].id, 0);
//!
//! let bytes = index.to_bytes()?;
//! assert_eq!(Index::from_bytes(&bytes)?.len(), 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! In every metric a smaller distance is nearer; hits come nearest first, equal ones by id. No
//! call panics, whatever its arguments, and no bytes make [`Index::from_bytes`] panic.

// Tests compare floats to the bit, and name their cases in tables.
#![cfg_attr(test, allow(clippy::float_cmp, clippy::type_complexity))]

mod batch;
mod config;
mod distance;
mod error;
mod flat;
mod hnsw;
mod ids;
mod index;
mod memory;
mod persist;
mod vectors;

#[cfg(test)]
mod tests;

/// The README's sample of Rust is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use batch::{
    BatchInsertable, BatchMode, BatchOptions, BatchProgress, BatchReport, Rows, Skipped,
};
pub use config::{
    Builder, DEFAULT_EF, DEFAULT_EF_CONSTRUCTION, DEFAULT_M, MAX_DIMENSIONS, MAX_EF, MAX_ID, MAX_M,
    MAX_ROWS, Metric, batch_limit,
};
pub use distance::backend;
pub use error::{BatchError, Error, VectorFault};
pub use hnsw::bulk::share::Helper;
pub use index::{Hit, Index, Search, SearchStats};
