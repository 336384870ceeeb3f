//! Indexes as bytes.

use edgevec::Index;
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;

use crate::RawIndex;
use crate::args;
use crate::copies;
use crate::error::throw;

#[wasm_bindgen]
impl RawIndex {
    /// The index as bytes.
    ///
    /// # Errors
    ///
    /// `CAPACITY_EXCEEDED`.
    #[wasm_bindgen(js_name = toBytes)]
    pub fn to_bytes(&self) -> Result<Uint8Array, JsValue> {
        copies::bytes(&self.index.to_bytes().map_err(|error| throw(&error))?)
    }

    /// The index that `toBytes` wrote.
    ///
    /// # Errors
    ///
    /// `CORRUPT`, `CAPACITY_EXCEEDED`, `INVALID_ARGUMENT`.
    #[wasm_bindgen(js_name = fromBytes)]
    pub fn from_bytes(
        #[wasm_bindgen(unchecked_param_type = "Uint8Array")] bytes: &JsValue,
    ) -> Result<RawIndex, JsValue> {
        let copy = args::bytes("bytes", bytes)?;
        Index::from_bytes(&copy).map(Self::of).map_err(|error| throw(&error))
    }
}
