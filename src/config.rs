//! What an index is created with, and the limits that hold for every index.
//!
//! A [`Config`] exists only with values that passed the checks of [`Builder::build`], so nothing
//! behind it checks them again.

use crate::error::Error;
use crate::index::Index;

/// Links a node keeps on each layer above the lowest, which keeps twice as many. The paper's
/// useful range is 5 to 48 (Malkov & Yashunin 2016, section 4.1); 16 is what hnswlib, faiss and
/// most stores use, so figures compare.
pub const DEFAULT_M: usize = 16;
/// Candidates looked at when a row is linked: hnswlib's default.
pub const DEFAULT_EF_CONSTRUCTION: usize = 200;
/// Candidates kept in a search that does not say: above recall@10 0.95 on real embeddings.
pub const DEFAULT_EF: usize = 64;
/// The most dimensions a vector may have. 10,000 rows of that many still fit in the memory of a
/// 32-bit WebAssembly module.
pub const MAX_DIMENSIONS: usize = 16_384;
/// The most links a node may keep on a layer above the lowest.
pub const MAX_M: usize = 256;
/// The most candidates a search or an insert may keep.
pub const MAX_EF: usize = 1 << 20;
/// The most rows of an index: a node number and a mark share 32 bits.
pub const MAX_ROWS: usize = (1 << 31) - 1;
/// Ids are integers that JavaScript's numbers hold exactly: below 2^53.
pub const MAX_ID: u64 = (1 << 53) - 1;

/// How far apart two vectors are. In every metric a smaller distance is nearer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Metric {
    /// Squared Euclidean distance.
    L2,
    /// 1 − cosine similarity. Rows and queries are scaled to length 1 for the caller.
    #[default]
    Cosine,
    /// Negative inner product.
    Dot,
}

impl Metric {
    /// The metric called `name`: `l2`, `cosine` or `dot`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::L2, Self::Cosine, Self::Dot].into_iter().find(|metric| metric.name() == name)
    }

    /// `l2`, `cosine` or `dot`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::L2 => "l2",
            Self::Cosine => "cosine",
            Self::Dot => "dot",
        }
    }
}

/// The most rows one batch may have.
///
/// At least 100,000 rows of up to 128 dimensions, 50,000 of up to 512, 30,000 of up to 768,
/// 15,000 of up to 1536 and 10,000 above; more where the rows take less than 256 MiB, which,
/// with codes, links and the builder's working memory, stays under half of what a 32-bit
/// WebAssembly memory can hold.
#[must_use]
pub fn batch_limit(dimensions: usize) -> usize {
    const BATCH_BYTES: usize = 256 << 20;
    let promised = match dimensions {
        0..=128 => 100_000,
        129..=512 => 50_000,
        513..=768 => 30_000,
        769..=1536 => 15_000,
        _ => 10_000,
    };
    // 128 dimensions are the fewest counted: below that the links weigh more than the vectors.
    promised.max(BATCH_BYTES / (size_of::<f32>() * dimensions.max(128)))
}

/// Parameters of an index, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) dimensions: usize,
    pub(crate) metric: Metric,
    pub(crate) m: usize,
    pub(crate) ef_construction: usize,
    pub(crate) seed: u64,
    /// Links of inserted rows are chosen by f32 distances, for benchmarks.
    #[cfg(feature = "f32-links")]
    pub(crate) links_by_f32: bool,
}

/// Collects the parameters of a new [`Index`]; made by [`Index::builder`].
#[derive(Debug, Clone, Copy)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct Builder {
    config: Config,
}

impl Builder {
    pub(crate) const fn new(dimensions: usize) -> Self {
        let config = Config {
            dimensions,
            metric: Metric::Cosine,
            m: DEFAULT_M,
            ef_construction: DEFAULT_EF_CONSTRUCTION,
            seed: 0,
            #[cfg(feature = "f32-links")]
            links_by_f32: false,
        };
        Self { config }
    }

    /// How distances are computed. Default: [`Metric::Cosine`], what text embeddings want.
    pub const fn metric(mut self, metric: Metric) -> Self {
        self.config.metric = metric;
        self
    }

    /// Links per node (`M` of the paper), 2 to 256. Default 16. More links find more of the true
    /// neighbours and take more memory: `8 * m` bytes a row.
    pub const fn m(mut self, m: usize) -> Self {
        self.config.m = m;
        self
    }

    /// Candidates looked at when a row is linked (`efConstruction` of the paper), from `m` to
    /// 1,048,576. Default 200. More make a better graph, more slowly.
    pub const fn ef_construction(mut self, ef_construction: usize) -> Self {
        self.config.ef_construction = ef_construction;
        self
    }

    /// Where the random layers of the nodes start from. Default 0. The same rows in the same
    /// order with the same seed give the same index on every platform.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.config.seed = seed;
        self
    }

    /// Chooses the links of rows that are inserted one by one by their f32 distances instead of those
    /// of their codes: slower, and there for benchmarks that measure by how much.
    #[cfg(feature = "f32-links")]
    pub const fn links_by_f32(mut self) -> Self {
        self.config.links_by_f32 = true;
        self
    }

    /// Makes the empty index.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] when a value is outside its range.
    pub fn build(self) -> Result<Index, Error> {
        Ok(Index::new(self.check()?))
    }

    /// Returns the values if an index can be made of them.
    pub(crate) fn check(self) -> Result<Config, Error> {
        let range = |name, value: usize, low: usize, high: usize| {
            if (low..=high).contains(&value) {
                return Ok(());
            }
            Err(Error::argument(name, value, format!("an integer from {low} to {high}")))
        };
        let config = self.config;
        range("dimensions", config.dimensions, 1, MAX_DIMENSIONS)?;
        range("m", config.m, 2, MAX_M)?;
        range("efConstruction", config.ef_construction, config.m, MAX_EF)?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_may_always_have_the_promised_rows() {
        let promised = [(128, 100_000), (512, 50_000), (768, 30_000), (1536, 15_000)];
        for (dimensions, rows) in promised {
            assert!(batch_limit(dimensions) >= rows, "{dimensions}");
            assert!(batch_limit(dimensions - 1) >= rows, "{dimensions}");
        }
        assert!(batch_limit(MAX_DIMENSIONS) >= 10_000);
    }

    #[test]
    fn values_outside_their_range_are_named() {
        let builds = [
            ("dimensions", Index::builder(0)),
            ("dimensions", Index::builder(MAX_DIMENSIONS + 1)),
            ("m", Index::builder(3).m(1)),
            ("m", Index::builder(3).m(MAX_M + 1)),
            ("efConstruction", Index::builder(3).ef_construction(15)),
            ("efConstruction", Index::builder(3).ef_construction(MAX_EF + 1)),
        ];
        for (wrong, builder) in builds {
            match builder.build() {
                Err(Error::InvalidArgument { name, .. }) => assert_eq!(name, wrong),
                other => panic!("{wrong}: {other:?}"),
            }
        }
    }

    #[test]
    fn metrics_have_names() {
        for metric in [Metric::L2, Metric::Cosine, Metric::Dot] {
            assert_eq!(Metric::from_name(metric.name()), Some(metric));
        }
        assert_eq!(Metric::from_name("L2"), None);
    }
}
