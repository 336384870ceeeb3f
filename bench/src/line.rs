//! A line of the results.

use anyhow::Result;
use edgevec::{DEFAULT_EF_CONSTRUCTION, DEFAULT_M};
use serde::Serialize;

use crate::data::{DataSet, Meta};

/// What every result says, and the result.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a, T> {
    kind: &'static str,
    #[serde(flatten)]
    meta: &'a Meta,
    m: usize,
    ef_construction: usize,
    backend: &'static str,
    #[serde(flatten)]
    result: T,
}

/// Prints a result as a line.
pub(crate) fn print<T: Serialize>(data: &DataSet, kind: &'static str, result: T) -> Result<()> {
    let (m, ef_construction, backend) = (DEFAULT_M, DEFAULT_EF_CONSTRUCTION, edgevec::backend());
    let line = Line { kind, meta: &data.meta, m, ef_construction, backend, result };
    println!("{}", serde_json::to_string(&line)?);
    Ok(())
}
