//! Queries.

use edgevec::MAX_EF;
use js_sys::Float64Array;
use wasm_bindgen::prelude::*;

use crate::RawIndex;
use crate::args;
use crate::copies::doubles;
use crate::error::{full, throw};

#[wasm_bindgen]
impl RawIndex {
    /// Looks for the `k` rows nearest to a `Float32Array`, keeping `ef` candidates. Returns
    /// `id, distance, id, distance, …`, nearest first.
    ///
    /// # Errors
    ///
    /// `DIMENSION_MISMATCH`, `INVALID_VECTOR`, `INVALID_ARGUMENT`, `CAPACITY_EXCEEDED`.
    pub fn search(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] query: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] k: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] ef: &JsValue,
    ) -> Result<Float64Array, JsValue> {
        let k = args::count("k", k, 1)?;
        let ef = args::within("ef", ef, 1..=MAX_EF)?;
        args::vector("query", query, self.index.dimensions(), &mut self.vector)?;
        let search = self.index.search(&self.vector, k).ef(ef);
        search.run_into(&mut self.hits).map_err(|error| throw(&error))?;
        self.found.clear();
        if self.found.try_reserve(2 * self.hits.len()).is_err() {
            return Err(full(self.hits.len()));
        }
        for hit in &self.hits {
            self.found.extend([hit.id as f64, f64::from(hit.distance)]);
        }
        doubles(&self.found)
    }
}
