//! Indexes as bytes.

use edgevec::{Error, Index};
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;

use crate::RawIndex;
use crate::args;
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
        let bytes = self.index.to_bytes().map_err(|error| throw(&error))?;
        Ok(Uint8Array::from(bytes.as_slice()))
    }

    /// The index that `toBytes` wrote.
    ///
    /// # Errors
    ///
    /// `CORRUPT`, `CAPACITY_EXCEEDED`, `INVALID_ARGUMENT`.
    #[wasm_bindgen(js_name = fromBytes)]
    pub fn from_bytes(bytes: &JsValue) -> Result<RawIndex, JsValue> {
        let Some(array) = bytes.dyn_ref::<Uint8Array>() else {
            return Err(args::wrong("bytes", &args::kind(bytes), "a Uint8Array"));
        };
        let length = array.length() as usize;
        let mut copy = Vec::new();
        if copy.try_reserve_exact(length).is_err() {
            return Err(throw(&Error::CapacityExceeded { current: length, max: 0 }));
        }
        copy.resize(length, 0);
        array.copy_to(&mut copy);
        Index::from_bytes(&copy).map(Self::of).map_err(|error| throw(&error))
    }
}
