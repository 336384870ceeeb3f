//! What of a batch other instances of this module do, and what they do it with; `js/src/crew.ts`
//! carries it between them.

use edgevec::{Helper, MAX_DIMENSIONS, MAX_M, Metric};
use js_sys::Uint32Array;
use wasm_bindgen::prelude::*;

use crate::RawIndex;
use crate::args;
use crate::copies;
use crate::error::throw;

#[wasm_bindgen]
impl RawIndex {
    /// Parts that helpers can be given: the codes of each row, those of the index included, then the sketch
    /// of each where there are any. They become more while the batch goes on.
    #[wasm_bindgen(getter, js_name = sharedParts)]
    pub fn shared_parts(&self) -> f64 {
        self.index.shared_parts() as f64
    }

    /// Writes the `count` parts from `first` on, or those that there are, for `RawHelper.load`. Returns how many
    /// bytes they take: for each at most as many as a row has dimensions and 128, and for all 8.
    ///
    /// # Errors
    ///
    /// `INVALID_ARGUMENT`, also when `into` is too short; `CAPACITY_EXCEEDED`.
    #[wasm_bindgen(js_name = batchParts)]
    pub fn batch_parts(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number")] first: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] count: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "Uint8Array")] into: &JsValue,
    ) -> Result<usize, JsValue> {
        let (first, count) = (args::count("first", first, 0)?, args::count("count", count, 0)?);
        let bytes = self.index.batch_parts(first, count).map_err(|error| throw(&error))?;
        args::fill("into", into, &bytes)?;
        Ok(bytes.len())
    }

    /// Units of the batch for `RawHelper.work`, some milliseconds of work; `undefined` while there are
    /// none to give.
    ///
    /// # Errors
    ///
    /// `CAPACITY_EXCEEDED`; the units are then given to nobody until they are taken back.
    #[wasm_bindgen(js_name = giveUnits)]
    pub fn give_units(&mut self) -> Result<Option<Uint32Array>, JsValue> {
        self.index.give_units().map(|units| copies::words(&units)).transpose()
    }

    /// Takes in what a helper made of units. Returns false, and changes nothing, when nobody was given
    /// these units (any more) or the answer is not sound.
    ///
    /// # Errors
    ///
    /// `INVALID_ARGUMENT`, and `CAPACITY_EXCEEDED`, which aborts the batch.
    #[wasm_bindgen(js_name = acceptUnits)]
    pub fn accept_units(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "Uint32Array")] answer: &JsValue,
    ) -> Result<bool, JsValue> {
        let answer = args::words("answer", answer)?;
        self.index.accept_units(&answer).map_err(|error| throw(&error))
    }

    /// Takes back all units that were given and not answered.
    ///
    /// # Errors
    ///
    /// `INTERNAL_ERROR` when no batch is pending.
    #[wasm_bindgen(js_name = takeBackUnits)]
    pub fn take_back_units(&mut self) -> Result<(), JsValue> {
        self.index.take_back_units().map_err(|error| throw(&error))
    }
}

/// Does units of a batch that an index in another instance gave away.
#[wasm_bindgen]
pub struct RawHelper {
    helper: Helper,
}

#[wasm_bindgen]
impl RawHelper {
    /// Makes a helper for an index with these parameters.
    ///
    /// # Errors
    ///
    /// `INVALID_ARGUMENT`.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "number")] dimensions: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "'l2' | 'cosine' | 'dot'")] metric: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] m: &JsValue,
    ) -> Result<RawHelper, JsValue> {
        let dimensions = args::within("dimensions", dimensions, 1..=MAX_DIMENSIONS)?;
        let metric = args::name("metric", metric, "'l2', 'cosine' or 'dot'", Metric::from_name)?;
        let helper = Helper::new(dimensions, metric, args::within("m", m, 2..=MAX_M)?);
        helper.map(|helper| Self { helper }).map_err(|error| throw(&error))
    }

    /// Adds the next parts, as `RawIndex.batchParts` writes them.
    ///
    /// # Errors
    ///
    /// `INVALID_ARGUMENT`, `CAPACITY_EXCEEDED`.
    pub fn load(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "Uint8Array")] parts: &JsValue,
    ) -> Result<(), JsValue> {
        let parts = args::bytes("parts", parts)?;
        self.helper.load(&parts).map_err(|error| throw(&error))
    }

    /// Does units and returns the answer for `RawIndex.acceptUnits`.
    ///
    /// # Errors
    ///
    /// `INVALID_ARGUMENT`, `CAPACITY_EXCEEDED`.
    pub fn work(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "Uint32Array")] units: &JsValue,
    ) -> Result<Uint32Array, JsValue> {
        let units = args::words("units", units)?;
        let answer = self.helper.work(&units).map_err(|error| throw(&error))?;
        copies::words(&answer)
    }
}
