//! What JavaScript gives, checked before anything is done with it.

use edgevec::{Error, MAX_ID};
use js_sys::{Float32Array, Float64Array};
use wasm_bindgen::{JsCast, JsValue};

use crate::error::throw;

/// An `INVALID_ARGUMENT` that names the value and what is allowed.
pub(crate) fn wrong(name: &'static str, value: &str, limit: &str) -> JsValue {
    throw(&Error::InvalidArgument { name, value: value.into(), limit: limit.into() })
}

/// How a number reads in JavaScript.
fn spelled(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.into();
    }
    value.to_string()
}

/// An integer from 0 to 2^53 − 1. A `u64` parameter would turn −1, 1.5 and NaN into numbers.
pub(crate) fn integer(name: &'static str, value: f64) -> Result<u64, JsValue> {
    if value.fract() == 0.0 && (0.0..=MAX_ID as f64).contains(&value) {
        return Ok(value as u64);
    }
    Err(wrong(name, &spelled(value), &format!("an integer from 0 to {MAX_ID}")))
}

/// A count of at least `least`. One too large for memory stands for the largest there is.
pub(crate) fn count(name: &'static str, value: f64, least: usize) -> Result<usize, JsValue> {
    if value.fract() == 0.0 && value >= least as f64 && value <= MAX_ID as f64 {
        return Ok(usize::try_from(value as u64).unwrap_or(usize::MAX));
    }
    Err(wrong(name, &spelled(value), &format!("an integer of at least {least}")))
}

/// An id, or `undefined`.
pub(crate) fn optional_id(value: &JsValue) -> Result<Option<u64>, JsValue> {
    if value.is_undefined() {
        return Ok(None);
    }
    match value.as_f64() {
        Some(number) => integer("id", number).map(Some),
        None => Err(wrong("id", &kind(value), &format!("an integer from 0 to {MAX_ID}"))),
    }
}

/// A string that names one of a few things.
pub(crate) fn name<T>(
    name: &'static str,
    value: &JsValue,
    limit: &str,
    find: impl Fn(&str) -> Option<T>,
) -> Result<T, JsValue> {
    let given = value.as_string();
    let found = given.as_deref().and_then(find);
    found.ok_or_else(|| {
        let value = given.map_or_else(|| kind(value), |given| format!("'{given}'"));
        wrong(name, &value, limit)
    })
}

/// A `Float32Array`.
pub(crate) fn floats(name: &'static str, value: &JsValue) -> Result<Float32Array, JsValue> {
    value
        .dyn_ref::<Float32Array>()
        .cloned()
        .ok_or_else(|| wrong(name, &kind(value), "a Float32Array"))
}

/// A `Float32Array`, copied.
pub(crate) fn vector(
    name: &'static str,
    value: &JsValue,
    out: &mut Vec<f32>,
) -> Result<(), JsValue> {
    let array = floats(name, value)?;
    let length = array.length() as usize;
    out.clear();
    if out.try_reserve_exact(length).is_err() {
        return Err(throw(&Error::CapacityExceeded { current: 1, max: 0 }));
    }
    out.resize(length, 0.0);
    array.copy_to(out);
    Ok(())
}

/// Ids as a `Float64Array`, or `undefined`.
pub(crate) fn optional_ids(value: &JsValue) -> Result<Option<Vec<u64>>, JsValue> {
    if value.is_undefined() {
        return Ok(None);
    }
    let Some(array) = value.dyn_ref::<Float64Array>() else {
        return Err(wrong("ids", &kind(value), "a Float64Array or undefined"));
    };
    let mut ids = Vec::new();
    if ids.try_reserve_exact(array.length() as usize).is_err() {
        return Err(throw(&Error::CapacityExceeded { current: 1, max: 0 }));
    }
    for place in 0..array.length() {
        ids.push(integer("ids", array.get_index(place))?);
    }
    Ok(Some(ids))
}

/// What a value is, for messages: never its contents, which may be large.
pub(crate) fn kind(value: &JsValue) -> String {
    if value.is_null() {
        return "null".into();
    }
    if let Some(number) = value.as_f64() {
        return spelled(number);
    }
    value.js_typeof().as_string().map_or_else(|| "a value".into(), |kind| format!("of type {kind}"))
}
