//! The WebAssembly binding: checks, converts and calls. It holds no logic.
//!
//! ```text
//! lib.rs      RawIndex: create, insert, read back     batch.rs    the steps of a batch
//! search.rs   queries                                 share.rs    units of a batch for helpers
//! persist.rs  bytes
//! args.rs     what JavaScript gives, checked          copies.rs   what it is given
//! error.rs    the one function that makes errors
//! ```
//!
//! The rules of the boundary are in `docs/architecture/WASM_BOUNDARY.md`: values arrive as `JsValue`
//! and are looked at before they are used, no code of the caller runs meanwhile, no view of this
//! module's memory leaves it, and no call traps, whatever its arguments.

mod args;
mod batch;
mod copies;
mod error;
mod persist;
mod search;
mod share;

use edgevec::{Index, MAX_DIMENSIONS, MAX_EF, MAX_M, Metric};
use js_sys::Float32Array;
use wasm_bindgen::prelude::*;

use error::throw;

#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// A vector index, as the package sees it. Users see `EdgeVec`, which is made of it in `js/`.
#[wasm_bindgen]
pub struct RawIndex {
    index: Index,
    /// Memory that queries and inserts are copied into, used again.
    vector: Vec<f32>,
    hits: Vec<edgevec::Hit>,
    found: Vec<f64>,
    /// Whether the last step of a batch ended because helpers had all that is left, or before another kind of work.
    waits: bool,
    changes: bool,
}

impl RawIndex {
    fn of(index: Index) -> Self {
        Self {
            index,
            vector: Vec::new(),
            hits: Vec::new(),
            found: Vec::new(),
            waits: false,
            changes: false,
        }
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
        #[wasm_bindgen(unchecked_param_type = "number")] dimensions: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "'l2' | 'cosine' | 'dot'")] metric: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] m: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] ef_construction: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] seed: &JsValue,
    ) -> Result<RawIndex, JsValue> {
        let m = args::within("m", m, 2..=MAX_M)?;
        let builder = Index::builder(args::within("dimensions", dimensions, 1..=MAX_DIMENSIONS)?)
            .metric(args::name("metric", metric, "'l2', 'cosine' or 'dot'", Metric::from_name)?)
            .m(m)
            .ef_construction(args::within("efConstruction", ef_construction, m..=MAX_EF)?)
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

    /// Links of a node.
    #[wasm_bindgen(getter)]
    pub fn m(&self) -> f64 {
        self.index.m() as f64
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
    pub fn insert(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] vector: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number | undefined")] id: &JsValue,
    ) -> Result<f64, JsValue> {
        let id = args::optional_id(id)?;
        args::vector("vector", vector, self.index.dimensions(), &mut self.vector)?;
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
    pub fn get(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number")] id: &JsValue,
    ) -> Result<Option<Float32Array>, JsValue> {
        self.index.get(args::integer("id", id)?).map(copies::floats).transpose()
    }

    /// Whether a row has this id.
    ///
    /// # Errors
    ///
    /// `INVALID_ARGUMENT`.
    pub fn has(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number")] id: &JsValue,
    ) -> Result<bool, JsValue> {
        Ok(self.index.contains(args::integer("id", id)?))
    }
}

/// The most rows one batch may have.
///
/// # Errors
///
/// `INVALID_ARGUMENT`.
#[wasm_bindgen(js_name = batchLimit)]
pub fn batch_limit(
    #[wasm_bindgen(unchecked_param_type = "number")] dimensions: &JsValue,
) -> Result<f64, JsValue> {
    let dimensions = args::within("dimensions", dimensions, 1..=MAX_DIMENSIONS)?;
    Ok(edgevec::batch_limit(dimensions) as f64)
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
