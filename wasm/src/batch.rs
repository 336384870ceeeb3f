//! The steps of a batch; `js/src/batch.ts` drives them between the frames of a page.

use edgevec::{BatchMode, BatchReport, Skipped};
use js_sys::{Array, Float64Array, Object};
use wasm_bindgen::prelude::*;

use crate::RawIndex;
use crate::args;
use crate::error::{set, throw};

/// Skipped rows that cross the boundary in one string: an object for each takes ten times as long.
const LINES: usize = 256;

#[wasm_bindgen]
impl RawIndex {
    /// Announces a batch of `rows` rows. `ids` is a `Float64Array` or `undefined`, `mode` is
    /// `'strict'` or `'skip'`.
    ///
    /// # Errors
    ///
    /// `EMPTY_BATCH`, `CAPACITY_EXCEEDED`, `INVALID_ARGUMENT`.
    #[wasm_bindgen(js_name = beginBatch)]
    pub fn begin_batch(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "number")] rows: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "Float64Array | undefined")] ids: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "'strict' | 'skip'")] mode: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "boolean")] validate: &JsValue,
    ) -> Result<(), JsValue> {
        let rows = args::count("rows", rows, 0)?;
        let mode = args::name("mode", mode, "'strict' or 'skip'", BatchMode::from_name)?;
        let validate = args::boolean("validate", validate)?;
        let ids = args::optional_ids(ids, rows)?;
        let begun = self.index.begin_batch(rows, ids.as_deref(), mode, validate);
        begun.map_err(|error| throw(&error))
    }

    /// Takes the next rows of the batch from a `Float32Array` of whole rows. They are copied once, to
    /// where they stay.
    ///
    /// # Errors
    ///
    /// `INVALID_ARGUMENT`, and what rejects the batch, which is then aborted.
    #[wasm_bindgen(js_name = fillBatch)]
    pub fn fill_batch(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] rows: &JsValue,
    ) -> Result<(), JsValue> {
        let (count, array) = args::rows(rows, self.index.dimensions())?;
        let mut next = 0;
        let filled = self.index.fill_batch(count, &mut |piece| {
            let end = next + piece.len() as u32;
            array.subarray(next, end).copy_to(piece);
            next = end;
        });
        filled.map_err(|error| throw(&error))
    }

    /// Says that the next row of the batch has `length` components, which is the wrong number.
    ///
    /// # Errors
    ///
    /// `DIMENSION_MISMATCH` in strict mode; the batch is then aborted.
    #[wasm_bindgen(js_name = refuseRow)]
    pub fn refuse_row(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "number")] length: &JsValue,
    ) -> Result<(), JsValue> {
        let length = args::count("length", length, 0)?;
        self.index.refuse_row(length).map_err(|error| throw(&error))
    }

    /// Works on the batch until about `budget` distances were computed. Returns the rows done, and
    /// −1 − rows when the batch is ready to be finished.
    ///
    /// # Errors
    ///
    /// What rejects the batch, which is then aborted.
    #[wasm_bindgen(js_name = stepBatch)]
    pub fn step_batch(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "number")] budget: &JsValue,
    ) -> Result<f64, JsValue> {
        let budget = args::integer("budget", budget)?;
        let progress = self.index.step_batch(budget).map_err(|error| throw(&error))?;
        self.waits = progress.waiting;
        self.changes = progress.changing;
        let done = progress.done as f64;
        Ok(if progress.ready { -1.0 - done } else { done })
    }

    /// Whether the last step found nothing to do before helpers answer, or their units are taken back.
    #[wasm_bindgen(getter, js_name = batchWaits)]
    pub fn batch_waits(&self) -> bool {
        self.waits
    }

    /// Whether the next step is of another kind of work, which may take more time or less for each distance.
    #[wasm_bindgen(getter, js_name = batchChanges)]
    pub fn batch_changes(&self) -> bool {
        self.changes
    }

    /// Commits the batch: its rows are found from now on. Returns
    /// `{ inserted, ids: Float64Array, skipped }`; `skipped` has strings of many lines
    /// `index \t code \t message`.
    ///
    /// # Errors
    ///
    /// `INTERNAL_ERROR` when the batch is not ready.
    #[wasm_bindgen(js_name = finishBatch)]
    pub fn finish_batch(&mut self) -> Result<Object, JsValue> {
        self.index.finish_batch().map(converted).map_err(|error| throw(&error))
    }

    /// Drops the batch, if there is one: the index is as it was before it.
    #[wasm_bindgen(js_name = abortBatch)]
    pub fn abort_batch(&mut self) {
        self.index.abort_batch();
    }

    /// Gives rows inserted during a batch their place, until about `budget` distances were computed.
    /// Returns whether none is left.
    ///
    /// # Errors
    ///
    /// `CAPACITY_EXCEEDED`; rows without a place stay queued.
    #[wasm_bindgen(js_name = drainQueued)]
    pub fn drain_queued(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "number")] budget: &JsValue,
    ) -> Result<bool, JsValue> {
        let budget = args::integer("budget", budget)?;
        self.index.drain_queued(budget).map_err(|error| throw(&error))
    }
}

fn converted(report: BatchReport) -> Object {
    let skipped: Array = report.skipped.chunks(LINES).map(described).collect();
    let inserted = report.inserted as f64;
    // As many bytes a number as before: the memory is used again.
    let ids: Vec<f64> = report.ids.into_iter().map(|id| id as f64).collect();
    let object = Object::new();
    set(&object, "inserted", &inserted.into());
    set(&object, "ids", &Float64Array::from(ids.as_slice()).into());
    set(&object, "skipped", &skipped.into());
    object
}

/// Skipped rows as lines of index, code and message between tabs.
fn described(rows: &[Skipped]) -> JsValue {
    let line = |row: &Skipped| format!("{}\t{}\t{}", row.index, row.error.code(), row.error);
    rows.iter().map(line).collect::<Vec<_>>().join("\n").into()
}
