//! What the benchmarks need of the core in WebAssembly and the package does not offer: a loop that
//! links by f32 distances, and a batch in one call, from rows that already lie in the module's memory.

use edgevec::{BatchInsertable, BatchOptions, Index, Metric, Rows};
use wasm_bindgen::prelude::*;

/// An index without the package around it.
#[wasm_bindgen]
pub struct Core {
    index: Index,
    rows: Vec<f32>,
}

#[wasm_bindgen]
impl Core {
    /// Makes an empty index with the default `m` and `efConstruction`.
    ///
    /// # Errors
    ///
    /// Dimensions or a metric that the core does not take.
    #[wasm_bindgen(constructor)]
    pub fn new(dimensions: usize, metric: &str, f32_links: bool) -> Result<Core, JsError> {
        let metric = Metric::from_name(metric).ok_or_else(|| JsError::new("no such metric"))?;
        let builder = Index::builder(dimensions).metric(metric);
        let builder = if f32_links { builder.links_by_f32() } else { builder };
        Ok(Self { index: builder.build()?, rows: Vec::new() })
    }

    /// Inserts one row.
    ///
    /// # Errors
    ///
    /// What the core refuses.
    pub fn insert(&mut self, row: &[f32]) -> Result<(), JsError> {
        self.index.insert(row)?;
        Ok(())
    }

    /// Lays down rows for [`insert_batch`](Self::insert_batch), so that copying them is not timed.
    #[wasm_bindgen(js_name = layDown)]
    pub fn lay_down(&mut self, rows: Vec<f32>) {
        self.rows = rows;
    }

    /// Inserts the rows that were laid down.
    ///
    /// # Errors
    ///
    /// What the core refuses.
    #[wasm_bindgen(js_name = insertBatch)]
    pub fn insert_batch(&mut self) -> Result<(), JsError> {
        self.index.insert_batch(Rows::flat(&self.rows), BatchOptions::new())?;
        Ok(())
    }
}
