//! Data sets, laid down by `edgevec-bench prepare` where every program finds them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;

use anyhow::{Context, Error, Result};

use crate::run::{self, step};

/// The data set that is committed, and how many of its rows are not queries.
const SAMPLE: (&str, usize) = ("wordnet-sample-384", 9500);
const SAMPLE_DIMENSIONS: usize = 384;

/// The first rows of a data set, and perhaps only the first components of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Set {
    name: String,
    pub(crate) rows: usize,
    dimensions: Option<usize>,
}

impl Set {
    /// Of the folder it is laid down in.
    pub(crate) fn name(&self) -> String {
        let Self { name, rows, dimensions } = self;
        dimensions.map_or(format!("{name}-{rows}"), |cut| format!("{name}-{rows}x{cut}"))
    }
}

impl FromStr for Set {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, rows) = text.split_once(':').context("a data set is NAME:ROWS")?;
        let rows = rows.parse().context("a data set is NAME:ROWS")?;
        Ok(Self { name: name.into(), rows, dimensions: None })
    }
}

/// Where data sets are laid down.
pub(crate) fn folder() -> PathBuf {
    run::target().join("bench-data")
}

/// The data sets there are.
pub(crate) struct Sets<'a> {
    program: &'a Path,
    data: Option<&'a Path>,
}

impl<'a> Sets<'a> {
    /// Those below `data`; without it only the sample. `program` is what lays them down.
    pub(crate) const fn new(program: &'a Path, data: Option<&'a Path>) -> Self {
        Self { program, data }
    }

    /// Those of `wanted` that are there; without a folder of data sets the sample.
    pub(crate) fn usual(&self, wanted: &[(&str, usize)]) -> Vec<Set> {
        if self.data.is_none() {
            return vec![Set { name: SAMPLE.0.into(), rows: SAMPLE.1, dimensions: None }];
        }
        wanted.iter().filter_map(|(name, rows)| self.find(name, *rows, usize::MAX)).collect()
    }

    /// The first `rows` rows of `name`, cut to `dimensions`; the sample instead where it has as many.
    pub(crate) fn find(&self, name: &str, rows: usize, dimensions: usize) -> Option<Set> {
        let width: usize = name.rsplit('-').next()?.parse().ok()?;
        let cut = (dimensions < width).then_some(dimensions);
        match self.data {
            Some(data) if data.join(name).join("base.npy").exists() => {
                Some(Set { name: name.into(), rows, dimensions: cut })
            }
            None if dimensions <= SAMPLE_DIMENSIONS && rows <= SAMPLE.1 => {
                let dimensions = (dimensions < SAMPLE_DIMENSIONS).then_some(dimensions);
                Some(Set { name: SAMPLE.0.into(), rows, dimensions })
            }
            _ => None,
        }
    }

    /// Lays a data set down, unless that was done before; returns its folder.
    pub(crate) fn folder(&self, set: &Set) -> Result<PathBuf> {
        let folder = folder().join(set.name());
        if folder.join("meta.json").exists() {
            return Ok(folder);
        }
        step(&format!("data set {}", set.name()), || {
            let sample = run::root().join("data/wordnet-10k");
            let from = self.data.filter(|_| set.name != SAMPLE.0).unwrap_or(&sample);
            let mut command = Command::new(self.program);
            command.args(["prepare", &set.name, &set.rows.to_string()]).arg(&folder);
            command.arg("--data").arg(from);
            if let Some(dimensions) = set.dimensions {
                command.args(["--dimensions", &dimensions.to_string()]);
            }
            run::quiet(&mut command)
        })?;
        Ok(folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_a_name_and_rows() {
        let set: Set = "siftsmall-128:100".parse().unwrap();
        assert_eq!(set.name(), "siftsmall-128-100");
        assert_eq!(Set { dimensions: Some(64), ..set }.name(), "siftsmall-128-100x64");
        assert!("siftsmall-128".parse::<Set>().is_err());
        assert!("siftsmall-128:many".parse::<Set>().is_err());
    }

    #[test]
    fn without_a_folder_the_sample_stands_in_where_it_is_large_enough() {
        let sets = Sets::new(Path::new("unused"), None);
        assert_eq!(sets.usual(&[("siftsmall-128", 10_000)])[0].name(), "wordnet-sample-384-9500");
        let small = sets.find("siftsmall-128", 1000, 128).unwrap();
        assert_eq!(small.name(), "wordnet-sample-384-1000x128");
        let whole = sets.find("wordnet-minilm-384", 1000, 384).unwrap();
        assert_eq!(whole.name(), "wordnet-sample-384-1000");
        assert_eq!(sets.find("fashion-mnist-784", 1000, 512), None);
        assert_eq!(sets.find("siftsmall-128", 10_000, 128), None);
    }
}
