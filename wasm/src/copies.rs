//! Copies for JavaScript, made in its memory, which may run out like ours.
//!
//! `From` of the same types would let JavaScript's exception through: the borrow of the index would
//! then never end, and every later call be refused.

use js_sys::{Float32Array, Float64Array, Uint8Array, Uint32Array};
use wasm_bindgen::prelude::*;

use crate::error::full;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = Float32Array)]
    type Floats;
    #[wasm_bindgen(constructor, js_class = "Float32Array", catch)]
    fn new(values: &[f32]) -> Result<Floats, JsValue>;

    #[wasm_bindgen(js_name = Float64Array)]
    type Doubles;
    #[wasm_bindgen(constructor, js_class = "Float64Array", catch)]
    fn new(values: &[f64]) -> Result<Doubles, JsValue>;

    #[wasm_bindgen(js_name = Uint8Array)]
    type Bytes;
    #[wasm_bindgen(constructor, js_class = "Uint8Array", catch)]
    fn new(values: &[u8]) -> Result<Bytes, JsValue>;

    #[wasm_bindgen(js_name = Uint32Array)]
    type Words;
    #[wasm_bindgen(constructor, js_class = "Uint32Array", catch)]
    fn new(values: &[u32]) -> Result<Words, JsValue>;
}

pub(crate) fn floats(values: &[f32]) -> Result<Float32Array, JsValue> {
    Floats::new(values).map(JsCast::unchecked_into).map_err(|_| full(1))
}

pub(crate) fn doubles(values: &[f64]) -> Result<Float64Array, JsValue> {
    Doubles::new(values).map(JsCast::unchecked_into).map_err(|_| full(values.len()))
}

pub(crate) fn bytes(values: &[u8]) -> Result<Uint8Array, JsValue> {
    Bytes::new(values).map(JsCast::unchecked_into).map_err(|_| full(values.len()))
}

pub(crate) fn words(values: &[u32]) -> Result<Uint32Array, JsValue> {
    Words::new(values).map(JsCast::unchecked_into).map_err(|_| full(values.len()))
}
