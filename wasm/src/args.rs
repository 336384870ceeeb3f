//! What JavaScript gives, checked before anything is done with it.
//!
//! Nothing here runs code of the caller: no `valueOf`, no getter, no trap of a proxy. So no call can
//! come in between, free the handle, or throw while the index is in use.

use std::ops::RangeInclusive;

use edgevec::{Error, MAX_ID};
use js_sys::{Float32Array, JsString, Number, Object, Symbol};
use wasm_bindgen::prelude::*;

use crate::error::{full, throw};

/// Letters of a caller's string that a message shows.
const SHOWN_LETTERS: u32 = 40;

#[wasm_bindgen]
extern "C" {
    /// What the getter `name` of `prototype` says about `value`.
    #[wasm_bindgen(js_namespace = Reflect, js_name = get, catch)]
    fn get_for(prototype: &JsValue, name: &JsValue, value: &JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_namespace = Float32Array, js_name = "prototype.set.call", catch)]
    fn copy_floats(to: &mut [f32], from: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(js_namespace = Float64Array, js_name = "prototype.set.call", catch)]
    fn copy_doubles(to: &mut [f64], from: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(js_namespace = Uint8Array, js_name = "prototype.set.call", catch)]
    fn copy_bytes(to: &mut [u8], from: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(js_namespace = Uint32Array, js_name = "prototype.set.call", catch)]
    fn copy_words(to: &mut [u32], from: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(js_namespace = Uint8Array, js_name = "prototype.set.call", catch)]
    fn write_bytes(to: &JsValue, from: &[u8]) -> Result<(), JsValue>;

    /// A `Float32Array` whose offset and length may be beyond 2^32.
    #[wasm_bindgen(js_name = Float32Array)]
    type Floats;
    #[wasm_bindgen(constructor, js_class = "Float32Array", catch)]
    fn over(buffer: &JsValue, byte_offset: f64, length: f64) -> Result<Floats, JsValue>;
}

/// Getters that all typed arrays inherit. They see what an array is; what it says of itself may be
/// anything, because an object can have the prototype of an array, and an array a `length` of its own.
struct Getters {
    prototype: Object,
    kind: JsValue,
    length: JsValue,
    buffer: JsValue,
    byte_offset: JsValue,
}

thread_local! {
    static GETTERS: Getters = {
        let floats = Object::get_prototype_of(&Float32Array::new_with_length(0));
        Getters {
            prototype: Object::get_prototype_of(&floats),
            kind: Symbol::to_string_tag().into(),
            length: "length".into(),
            buffer: "buffer".into(),
            byte_offset: "byteOffset".into(),
        }
    };
}

/// A typed array of the kind asked for.
struct Typed<'a> {
    value: &'a JsValue,
    /// As it is now: 0 when its buffer was detached.
    length: f64,
}

impl<'a> Typed<'a> {
    fn new(name: &'static str, value: &'a JsValue, kind: &str) -> Result<Self, JsValue> {
        let read = |getters: &Getters| {
            let found = get_for(&getters.prototype, &getters.kind, value).ok()?.as_string()?;
            let length = get_for(&getters.prototype, &getters.length, value).ok()?.as_f64()?;
            (found == kind).then_some(length)
        };
        let length = GETTERS.with(read);
        let length = length.ok_or_else(|| wrong(name, &shown(value), &format!("a {kind}")))?;
        Ok(Self { value, length })
    }

    /// Its length as a count of this memory, which cannot hold more than the largest.
    fn count(&self) -> usize {
        self.length as usize
    }

    /// Appends its contents to an empty vector, by `copy`.
    fn append<T: Copy + Default>(
        &self,
        out: &mut Vec<T>,
        copy: impl Fn(&mut [T], &JsValue) -> Result<(), JsValue>,
    ) -> Result<(), JsValue> {
        let length = self.count();
        if out.try_reserve_exact(length).is_err() {
            return Err(full(1));
        }
        out.resize(length, T::default());
        copy(out, self.value)
    }
}

/// An `INVALID_ARGUMENT` that names the value and what is allowed.
pub(crate) fn wrong(name: &'static str, value: &str, limit: &str) -> JsValue {
    throw(&Error::InvalidArgument { name, value: value.into(), limit: limit.into() })
}

/// An integer from 0 to 2^53 − 1. A `u64` parameter would turn −1, 1.5 and NaN into numbers.
pub(crate) fn integer(name: &'static str, value: &JsValue) -> Result<u64, JsValue> {
    value.as_f64().and_then(exact).ok_or_else(|| no_integer(name, &shown(value)))
}

fn exact(value: f64) -> Option<u64> {
    let inside = value.fract() == 0.0 && (0.0..=MAX_ID as f64).contains(&value);
    inside.then_some(value as u64)
}

fn no_integer(name: &'static str, value: &str) -> JsValue {
    wrong(name, value, &format!("an integer from 0 to {MAX_ID}"))
}

/// A count of at least `least`. One too large for memory stands for the largest there is.
pub(crate) fn count(name: &'static str, value: &JsValue, least: u64) -> Result<usize, JsValue> {
    let number = value.as_f64().and_then(exact);
    number
        .filter(|count| *count >= least)
        .map(|count| usize::try_from(count).unwrap_or(usize::MAX))
        .ok_or_else(|| wrong(name, &shown(value), &format!("an integer of at least {least}")))
}

/// A number of a range.
pub(crate) fn within(
    name: &'static str,
    value: &JsValue,
    range: RangeInclusive<usize>,
) -> Result<usize, JsValue> {
    let number = value.as_f64().and_then(exact).and_then(|number| usize::try_from(number).ok());
    number.filter(|number| range.contains(number)).ok_or_else(|| {
        let limit = format!("an integer from {} to {}", range.start(), range.end());
        wrong(name, &shown(value), &limit)
    })
}

/// An id, or `undefined`.
pub(crate) fn optional_id(value: &JsValue) -> Result<Option<u64>, JsValue> {
    if value.is_undefined() { Ok(None) } else { integer("id", value).map(Some) }
}

/// `true` or `false`.
pub(crate) fn boolean(name: &'static str, value: &JsValue) -> Result<bool, JsValue> {
    value.as_bool().ok_or_else(|| wrong(name, &shown(value), "a boolean"))
}

/// A string that names one of a few things.
pub(crate) fn name<T>(
    name: &'static str,
    value: &JsValue,
    limit: &str,
    find: impl Fn(&str) -> Option<T>,
) -> Result<T, JsValue> {
    let given = start_of(value);
    given.as_deref().and_then(find).ok_or_else(|| wrong(name, &shown(value), limit))
}

/// A `Float32Array` of `expected` components, copied.
pub(crate) fn vector(
    name: &'static str,
    value: &JsValue,
    expected: usize,
    out: &mut Vec<f32>,
) -> Result<(), JsValue> {
    let array = Typed::new(name, value, "Float32Array")?;
    let actual = array.count();
    if actual != expected {
        return Err(throw(&Error::DimensionMismatch { expected, actual }));
    }
    out.clear();
    array.append(out, copy_floats)
}

/// A `Float32Array` of whole rows: how many, and the array without anything its owner added.
pub(crate) fn rows(value: &JsValue, dimensions: usize) -> Result<(usize, Float32Array), JsValue> {
    let array = Typed::new("rows", value, "Float32Array")?;
    let length = array.count();
    if length == 0 || length % dimensions != 0 {
        let limit = format!("whole rows of {dimensions}");
        return Err(wrong("rows", &format!("{length} long"), &limit));
    }
    let plain = GETTERS.with(|getters| {
        let buffer = get_for(&getters.prototype, &getters.buffer, value)?;
        let offset = get_for(&getters.prototype, &getters.byte_offset, value)?;
        Floats::over(&buffer, offset.as_f64().unwrap_or_default(), array.length)
    })?;
    Ok((length / dimensions, plain.unchecked_into()))
}

/// `rows` ids as a `Float64Array`, or `undefined`.
pub(crate) fn optional_ids(value: &JsValue, rows: usize) -> Result<Option<Vec<u64>>, JsValue> {
    if value.is_undefined() {
        return Ok(None);
    }
    let array = Typed::new("ids", value, "Float64Array")?;
    if array.count() != rows {
        let (value, limit) = (format!("{} long", array.count()), format!("{rows} long"));
        return Err(wrong("ids", &value, &limit));
    }
    let mut numbers = Vec::new();
    array.append(&mut numbers, copy_doubles)?;
    let check = |number| exact(number).ok_or_else(|| no_integer("ids", &spelled(number)));
    numbers.into_iter().map(check).collect::<Result<_, _>>().map(Some)
}

/// A `Uint8Array`, copied.
pub(crate) fn bytes(name: &'static str, value: &JsValue) -> Result<Vec<u8>, JsValue> {
    let mut copy = Vec::new();
    Typed::new(name, value, "Uint8Array")?.append(&mut copy, copy_bytes)?;
    Ok(copy)
}

/// A `Uint32Array`, copied.
pub(crate) fn words(name: &'static str, value: &JsValue) -> Result<Vec<u32>, JsValue> {
    let mut copy = Vec::new();
    Typed::new(name, value, "Uint32Array")?.append(&mut copy, copy_words)?;
    Ok(copy)
}

/// Writes bytes to the beginning of a `Uint8Array`, all or none.
pub(crate) fn fill(name: &'static str, into: &JsValue, bytes: &[u8]) -> Result<(), JsValue> {
    write_bytes(into, bytes)
        .map_err(|_| wrong(name, &shown(into), "a Uint8Array with room for them"))
}

/// The first letters of a string; all of it would fill this memory for good.
fn start_of(value: &JsValue) -> Option<String> {
    let text = value.dyn_ref::<JsString>()?;
    text.slice(0, SHOWN_LETTERS).as_string()
}

/// What a value is, for messages: never all of its contents, which may be large.
fn shown(value: &JsValue) -> String {
    if let Some(number) = value.as_f64() {
        return spelled(number);
    }
    if let Some(text) = start_of(value) {
        return format!("'{text}'");
    }
    if value.is_null() {
        return "null".into();
    }
    value.js_typeof().as_string().map_or_else(|| "a value".into(), |kind| format!("of type {kind}"))
}

/// How a number reads in JavaScript.
fn spelled(value: f64) -> String {
    let text = Number::from(value).to_string_with_radix(10);
    text.map_or_else(|_| "a number".into(), String::from)
}
