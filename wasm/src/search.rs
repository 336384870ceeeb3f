//! Queries.

use js_sys::Float64Array;
use wasm_bindgen::prelude::*;

use crate::RawIndex;
use crate::args;
use crate::error::throw;

#[wasm_bindgen]
impl RawIndex {
    /// Looks for the `k` rows nearest to a `Float32Array`, keeping `ef` candidates. Returns
    /// `id, distance, id, distance, …`, nearest first.
    ///
    /// # Errors
    ///
    /// `DIMENSION_MISMATCH`, `INVALID_VECTOR`, `INVALID_ARGUMENT`, `CAPACITY_EXCEEDED`.
    pub fn search(&mut self, query: &JsValue, k: f64, ef: f64) -> Result<Float64Array, JsValue> {
        let k = args::count("k", k, 1)?;
        let ef = args::count("ef", ef, 1)?;
        args::vector("query", query, &mut self.vector)?;
        let search = self.index.search(&self.vector, k).ef(ef);
        search.run_into(&mut self.hits).map_err(|error| throw(&error))?;
        self.found.clear();
        for hit in &self.hits {
            self.found.extend([hit.id as f64, f64::from(hit.distance)]);
        }
        Ok(Float64Array::from(self.found.as_slice()))
    }
}
