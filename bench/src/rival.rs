//! Calls the hnswlib program, which builds a graph and searches it; see `bench/hnswlib/main.cpp`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use edgevec::{DEFAULT_EF_CONSTRUCTION, DEFAULT_M};
use serde::Deserialize;

use crate::data::DataSet;
use crate::quality::Point;

/// What it prints.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Outcome {
    pub(crate) build_cpu_ms: f64,
    pub(crate) points: Vec<Point>,
}

/// Builds one graph with the default parameters, times searches at each `ef` of `timed` and counts
/// distances at each of `counted`.
pub(crate) fn run(
    program: &Path,
    data: &DataSet,
    timed: &[usize],
    counted: &[usize],
) -> Result<Outcome> {
    let output = Command::new(program)
        .arg(&data.folder)
        .args([&data.meta.dimensions.to_string(), &data.meta.metric])
        .args([DEFAULT_M.to_string(), DEFAULT_EF_CONSTRUCTION.to_string(), "time".into()])
        .args(timed.iter().map(ToString::to_string))
        .arg("count")
        .args(counted.iter().map(ToString::to_string))
        .output()
        .with_context(|| format!("{} could not be started", program.display()))?;
    if !output.status.success() {
        bail!("hnswlib: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
