//! Data sets: rows to insert, queries, and the true neighbours of each query.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use edgevec::{BatchInsertable, BatchOptions, Index, Metric, Rows};
use npyz::{DType, NpyFile};

/// Rows, queries and what is to be found.
pub(crate) struct DataSet {
    pub(crate) name: String,
    pub(crate) metric: Metric,
    pub(crate) dimensions: usize,
    pub(crate) rows: Vec<f32>,
    pub(crate) queries: Vec<f32>,
    /// For each query the ids of its [`TOP`] nearest rows.
    pub(crate) truth: Vec<Vec<u64>>,
}

/// Neighbours that recall is counted over.
pub(crate) const TOP: usize = 10;
/// Queries used of a data set.
const QUERIES: usize = 1000;

/// The data sets there are, by the name of their folder.
const KNOWN: [(&str, Metric); 4] = [
    ("siftsmall-128", Metric::L2),
    ("wordnet-minilm-384", Metric::Cosine),
    ("fashion-mnist-784", Metric::L2),
    ("glove-6b-100", Metric::Cosine),
];

impl DataSet {
    /// The first `count` rows of the data set `name` below `folder`.
    pub(crate) fn load(folder: &Path, name: &str, count: usize) -> Result<Self> {
        let Some((_, metric)) = KNOWN.iter().find(|(known, _)| *known == name) else {
            let known: Vec<_> = KNOWN.iter().map(|(known, _)| *known).collect();
            bail!("there is no data set {name}; known are {}", known.join(", "));
        };
        let (rows, dimensions) = read(&folder.join(name).join("base.npy"), count)?;
        let (queries, _) = read(&folder.join(name).join("queries.npy"), QUERIES)?;
        if rows.len() < count * dimensions {
            bail!("{name} has only {} rows", rows.len() / dimensions);
        }
        let mut set =
            Self { name: name.into(), metric: *metric, dimensions, rows, queries, truth: vec![] };
        set.truth = set.exact()?;
        Ok(set)
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len() / self.dimensions
    }

    /// The nearest rows of each query, by looking at all.
    fn exact(&self) -> Result<Vec<Vec<u64>>> {
        let mut index =
            Index::builder(self.dimensions).metric(self.metric).m(2).ef_construction(2).build()?;
        index.insert_batch(Rows::flat(&self.rows), BatchOptions::new())?;
        let ids = |query| -> Result<_> {
            let hits = index.search(query, TOP).exact().run()?;
            Ok(hits.into_iter().map(|hit| hit.id).collect())
        };
        self.queries.chunks(self.dimensions).map(ids).collect()
    }
}

/// The first rows of a two-dimensional array of `u8`, `f16` or `f32`, and the length of a row.
fn read(path: &PathBuf, most: usize) -> Result<(Vec<f32>, usize)> {
    let shown = path.display().to_string();
    let file = File::open(path).with_context(|| format!("{shown} cannot be opened"))?;
    let npy = NpyFile::new(BufReader::new(file)).with_context(|| format!("{shown} is no .npy"))?;
    let [rows, dimensions] = npy.shape()[..] else { bail!("{shown} is not two-dimensional") };
    let count = (rows as usize).min(most) * dimensions as usize;
    let DType::Plain(kind) = npy.dtype() else { bail!("{shown} has records") };
    let values: std::io::Result<Vec<f32>> = match kind.to_string().trim_start_matches(['<', '|']) {
        "u1" => npy.data::<u8>()?.take(count).map(|x| x.map(f32::from)).collect(),
        "f2" => npy.data::<half::f16>()?.take(count).map(|x| x.map(f32::from)).collect(),
        "f4" => npy.data::<f32>()?.take(count).collect(),
        other => bail!("{shown} has elements of type {other}"),
    };
    Ok((values?, dimensions as usize))
}
