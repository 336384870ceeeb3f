//! The HNSW graph (Malkov & Yashunin 2016, arXiv:1603.09320).
//!
//! ```text
//! graph.rs    which node knows which          overlay.rs  the same, with changes kept aside
//! visited.rs  nodes met       pool.rs  nodes found          (what one search remembers)
//! search.rs   algorithms 2 and 5: the way to the nearest
//! select.rs   algorithm 4: which links to keep
//! insert.rs   algorithm 1: linking one node
//! bulk/       linking many nodes as a whole, by regions
//! ```
//!
//! Nothing here knows vectors: search and construction see scores (`vectors::Scorer`).

pub(crate) mod bulk;
pub(crate) mod graph;
pub(crate) mod insert;
pub(crate) mod overlay;
pub(crate) mod pool;
pub(crate) mod search;
mod select;
mod visited;
