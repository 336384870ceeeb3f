//! Data sets: rows to insert, queries, and the true neighbours of each query.
//!
//! [`prepare`] reads what there is, `NumPy` files or the sample that is committed, and writes plain
//! files: `rows.f32`, `queries.f32`, `truth.u32` ([`TOP`] a query) and `meta.json`. Every program
//! that measures, in whatever language, opens those.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use edgevec::{BatchInsertable, BatchOptions, Hit, Index, Metric, Rows};
use npyz::{DType, NpyFile};
use serde::{Deserialize, Serialize};

/// Neighbours that recall is counted over.
pub(crate) const TOP: usize = 10;
/// Queries used of a data set.
const QUERIES: usize = 1000;
/// The data set that is committed, and the rows of it that are queries instead.
const SAMPLE: &str = "wordnet-sample-384";
const SAMPLE_QUERIES: usize = 500;

/// The other data sets, by the name of their folder.
const KNOWN: [(&str, Metric); 4] = [
    ("siftsmall-128", Metric::L2),
    ("wordnet-minilm-384", Metric::Cosine),
    ("fashion-mnist-784", Metric::L2),
    ("glove-6b-100", Metric::Cosine),
];

/// What is laid down, and where.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The data set: the name of its folder, or `wordnet-sample-384`, which is committed.
    set: String,
    /// How many of its first rows.
    rows: usize,
    /// Where to write.
    into: PathBuf,
    /// The folder of the data sets, or of the sample.
    #[arg(long)]
    data: PathBuf,
    /// Only so many of the first components of each row.
    #[arg(long)]
    dimensions: Option<usize>,
}

/// What `meta.json` says.
#[derive(Serialize, Deserialize, Clone)]
pub(crate) struct Meta {
    pub(crate) set: String,
    pub(crate) rows: usize,
    pub(crate) dimensions: usize,
    pub(crate) metric: String,
    pub(crate) queries: usize,
    pub(crate) top: usize,
}

/// Rows, queries and what is to be found.
pub(crate) struct DataSet {
    pub(crate) folder: PathBuf,
    pub(crate) meta: Meta,
    pub(crate) metric: Metric,
    pub(crate) rows: Vec<f32>,
    pub(crate) queries: Vec<f32>,
    /// For each query the ids of its [`TOP`] nearest rows.
    pub(crate) truth: Vec<u32>,
}

impl DataSet {
    /// Opens what [`prepare`] wrote.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let bytes = |name| {
            let path = folder.join(name);
            fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))
        };
        let floats = |name| -> Result<Vec<f32>> {
            let bytes = bytes(name)?;
            Ok(bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect())
        };
        let meta: Meta = serde_json::from_slice(&bytes("meta.json")?)?;
        let metric = Metric::from_name(&meta.metric).context("no such metric")?;
        let truth = bytes("truth.u32")?;
        Ok(Self {
            folder: folder.into(),
            metric,
            rows: floats("rows.f32")?,
            queries: floats("queries.f32")?,
            truth: truth.as_chunks().0.iter().map(|four| u32::from_le_bytes(*four)).collect(),
            meta,
        })
    }

    /// Each query with the ids of its nearest rows.
    pub(crate) fn each_query(&self) -> impl Iterator<Item = (&[f32], &[u32])> {
        self.queries.chunks(self.meta.dimensions).zip(self.truth.chunks(TOP))
    }

    /// An empty index for the rows, with the default parameters.
    pub(crate) fn builder(&self) -> edgevec::Builder {
        Index::builder(self.meta.dimensions).metric(self.metric)
    }
}

/// How many of the hits of a query are among its true neighbours.
pub(crate) fn found(hits: &[Hit], truth: &[u32]) -> usize {
    hits.iter().filter(|hit| truth.contains(&(hit.id as u32))).count()
}

/// Lays down a data set.
pub(crate) fn prepare(options: &Options) -> Result<()> {
    let Options { set, rows: count, into, data, dimensions } = options;
    let (metric, mut rows, mut queries, width) = if set == SAMPLE {
        let (rows, queries, width) = read_sample(data)?;
        (Metric::Cosine, rows, queries, width)
    } else {
        let Some((_, metric)) = KNOWN.iter().find(|(known, _)| known == set) else {
            let known: Vec<_> = KNOWN.iter().map(|(known, _)| *known).collect();
            bail!("there is no data set {set}; known are {}", known.join(", "));
        };
        let (rows, width) = read(&data.join(set).join("base.npy"), *count)?;
        let (queries, _) = read(&data.join(set).join("queries.npy"), QUERIES)?;
        (*metric, rows, queries, width)
    };
    if rows.len() < count * width {
        bail!("{set} has only {} rows", rows.len() / width);
    }
    rows.truncate(count * width);
    let dimensions = dimensions.unwrap_or(width).min(width);
    if dimensions < width {
        for values in [&mut rows, &mut queries] {
            *values = values.chunks(width).flat_map(|row| &row[..dimensions]).copied().collect();
        }
    }
    let truth = exact(metric, dimensions, &rows, &queries)?;
    let meta = Meta {
        set: set.clone(),
        rows: *count,
        dimensions,
        metric: metric.name().into(),
        queries: queries.len() / dimensions,
        top: TOP,
    };
    fs::create_dir_all(into)?;
    let bytes = |values: &[f32]| values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    fs::write(into.join("rows.f32"), bytes(&rows))?;
    fs::write(into.join("queries.f32"), bytes(&queries))?;
    let truth: Vec<u8> = truth.iter().flat_map(|id| id.to_le_bytes()).collect();
    fs::write(into.join("truth.u32"), truth)?;
    // Last, because its presence says that the rest is there.
    Ok(fs::write(into.join("meta.json"), serde_json::to_string_pretty(&meta)?)?)
}

/// The nearest rows of each query, by looking at all.
fn exact(metric: Metric, dimensions: usize, rows: &[f32], queries: &[f32]) -> Result<Vec<u32>> {
    // The cheapest graph there is, because it will not be used.
    let mut index = Index::builder(dimensions).metric(metric).m(2).ef_construction(2).build()?;
    index.insert_batch(Rows::flat(rows), BatchOptions::new())?;
    let mut truth = Vec::new();
    for query in queries.chunks(dimensions) {
        let hits = index.search(query, TOP).exact().run()?;
        truth.extend(hits.into_iter().map(|hit| hit.id as u32));
    }
    Ok(truth)
}

/// The committed sample: its first rows, and its last ones as queries, which it holds in random order.
fn read_sample(folder: &Path) -> Result<(Vec<f32>, Vec<f32>, usize)> {
    let codes = fs::read(folder.join("vectors.i8")).context("the sample cannot be read")?;
    let scales = fs::read(folder.join("scales.f32"))?;
    let scales = scales.as_chunks().0;
    let width = codes.len() / scales.len();
    let value = |code: &u8, scale: f32| f32::from(code.cast_signed()) * scale;
    let row = |(codes, scale): (&[u8], &[u8; 4])| -> Vec<f32> {
        codes.iter().map(|code| value(code, f32::from_le_bytes(*scale))).collect()
    };
    let mut rows: Vec<f32> = codes.chunks(width).zip(scales).flat_map(row).collect();
    let queries = rows.split_off(rows.len() - SAMPLE_QUERIES * width);
    Ok((rows, queries, width))
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
