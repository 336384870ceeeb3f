//! The WebAssembly binding: checks, converts and calls. It holds no logic.
//!
//! ```text
//! lib.rs      RawIndex: create, insert, read back     batch.rs    the steps of a batch
//! search.rs   queries                                 persist.rs  bytes
//! args.rs     what JavaScript gives, checked          error.rs    the one function that makes errors
//! ```
//!
//! The rules of the boundary are in `docs/architecture/WASM_BOUNDARY.md`: numbers arrive as `f64` and
//! are checked, objects arrive as `JsValue` and are looked at before they are used, no view of this
//! module's memory leaves it, and no call traps, whatever its arguments.

mod args;
mod batch;
mod error;
mod persist;
mod search;

use edgevec::{Index, MAX_DIMENSIONS, Metric};
use js_sys::Float32Array;
use wasm_bindgen::prelude::*;

use error::throw;

/// A vector index, as the package sees it. Users see `EdgeVec`, which is made of it in `js/`.
#[wasm_bindgen]
pub struct RawIndex {
    index: Index,
    /// Memory that queries and inserts are copied into, used again.
    vector: Vec<f32>,
    hits: Vec<edgevec::Hit>,
    found: Vec<f64>,
}

impl RawIndex {
    fn of(index: Index) -> Self {
        Self { index, vector: Vec::new(), hits: Vec::new(), found: Vec::new() }
    }
}

#[wasm_bindgen]
impl RawIndex {
    /// Makes an empty index.
    ///
    /// # Errors
    ///
    /// `INVALID_ARGUMENT`.
    #[wasm_bindgen(constructor)]
    pub fn new(
        dimensions: f64,
        metric: &JsValue,
        m: f64,
        ef_construction: f64,
        seed: f64,
    ) -> Result<RawIndex, JsValue> {
        let metric = args::name("metric", metric, "'l2', 'cosine' or 'dot'", Metric::from_name)?;
        let builder = Index::builder(args::count("dimensions", dimensions, 1)?)
            .metric(metric)
            .m(args::count("m", m, 1)?)
            .ef_construction(args::count("efConstruction", ef_construction, 1)?)
            .seed(args::integer("seed", seed)?);
        builder.build().map(Self::of).map_err(|error| throw(&error))
    }

    /// Rows that searches can find.
    #[wasm_bindgen(getter)]
    pub fn size(&self) -> f64 {
        self.index.len() as f64
    }

    /// Components of each vector.
    #[wasm_bindgen(getter)]
    pub fn dimensions(&self) -> f64 {
        self.index.dimensions() as f64
    }

    /// `l2`, `cosine` or `dot`.
    #[wasm_bindgen(getter)]
    pub fn metric(&self) -> String {
        self.index.metric().name().into()
    }

    /// Bytes allocated for the index.
    #[wasm_bindgen(getter, js_name = memoryBytes)]
    pub fn memory_bytes(&self) -> f64 {
        self.index.memory_bytes() as f64
    }

    /// Inserts one `Float32Array` and returns its id: the one given, or the next free one.
    ///
    /// # Errors
    ///
    /// `DIMENSION_MISMATCH`, `INVALID_VECTOR`, `DUPLICATE_ID`, `CAPACITY_EXCEEDED`,
    /// `INVALID_ARGUMENT`.
    pub fn insert(&mut self, vector: &JsValue, id: &JsValue) -> Result<f64, JsValue> {
        let id = args::optional_id(id)?;
        args::vector("vector", vector, &mut self.vector)?;
        let inserted = match id {
            None => self.index.insert(&self.vector),
            Some(id) => self.index.insert_with_id(id, &self.vector).map(|()| id),
        };
        inserted.map(|id| id as f64).map_err(|error| throw(&error))
    }

    /// A copy of the vector with this id, or `undefined`.
    ///
    /// # Errors
    ///
    /// `INVALID_ARGUMENT`.
    pub fn get(&self, id: f64) -> Result<Option<Float32Array>, JsValue> {
        let id = args::integer("id", id)?;
        Ok(self.index.get(id).map(Float32Array::from))
    }

    /// Whether a row has this id.
    ///
    /// # Errors
    ///
    /// `INVALID_ARGUMENT`.
    pub fn has(&self, id: f64) -> Result<bool, JsValue> {
        Ok(self.index.contains(args::integer("id", id)?))
    }
}

/// The most rows one batch may have.
///
/// # Errors
///
/// `INVALID_ARGUMENT`.
#[wasm_bindgen(js_name = batchLimit)]
pub fn batch_limit(dimensions: f64) -> Result<f64, JsValue> {
    let count = args::count("dimensions", dimensions, 1)?;
    if count > MAX_DIMENSIONS {
        let limit = format!("an integer from 1 to {MAX_DIMENSIONS}");
        return Err(args::wrong("dimensions", &count.to_string(), &limit));
    }
    Ok(edgevec::batch_limit(count) as f64)
}

/// The instructions that distances are computed with: `simd128` or `relaxed-simd`.
#[wasm_bindgen]
#[must_use]
pub fn backend() -> String {
    edgevec::backend().into()
}

/// Every code a batch can be rejected with.
#[wasm_bindgen(js_name = batchErrorCodes)]
#[must_use]
pub fn batch_error_codes() -> Vec<String> {
    edgevec::BatchError::CODES.map(String::from).to_vec()
}
