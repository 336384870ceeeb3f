//! The one place where JavaScript's errors are made.
//!
//! An error is a real `Error` with a stable `code`, what it is about in `details`, and `batch` if it
//! rejects a batch.

use edgevec::{BatchError, Error};
use js_sys::{Object, Reflect};
use wasm_bindgen::JsValue;

/// An error of the core, in whichever of its two forms.
pub(crate) trait Described: std::fmt::Display {
    /// The stable name.
    fn code(&self) -> &'static str;
    /// What it is about: names and values.
    fn details(&self) -> Vec<(&'static str, JsValue)>;
    /// Whether it rejects a batch.
    fn is_batch(&self) -> bool;
}

/// Makes a JavaScript `Error` of an error of the core.
pub(crate) fn throw(error: &dyn Described) -> JsValue {
    let thrown = js_sys::Error::new(&error.to_string());
    let details = Object::new();
    let given = error.details();
    for (name, value) in &given {
        set(&details, name, value);
    }
    set(&thrown, "code", &error.code().into());
    set(&thrown, "batch", &error.is_batch().into());
    if !given.is_empty() {
        set(&thrown, "details", &details);
    }
    thrown.into()
}

/// The error for memory that has no room for `current` rows, numbers or bytes.
pub(crate) fn full(current: usize) -> JsValue {
    throw(&Error::CapacityExceeded { current, max: 0 })
}

/// Sets a property of an object made here, which cannot fail.
pub(crate) fn set(target: &JsValue, name: &str, value: &JsValue) {
    let _ = Reflect::set(target, &name.into(), value);
}

fn number(value: usize) -> JsValue {
    (value as f64).into()
}

impl Described for Error {
    fn code(&self) -> &'static str {
        Error::code(self)
    }

    fn details(&self) -> Vec<(&'static str, JsValue)> {
        match self {
            Self::InvalidArgument { name, value, limit } => {
                vec![("name", (*name).into()), ("value", value.into()), ("limit", limit.into())]
            }
            Self::DimensionMismatch { expected, actual } => {
                vec![("expected", number(*expected)), ("actual", number(*actual))]
            }
            Self::InvalidVector { reason } => vec![("reason", reason.to_string().into())],
            Self::DuplicateId { id } => vec![("id", (*id as f64).into())],
            Self::CapacityExceeded { current, max } => {
                vec![("current", number(*current)), ("max", number(*max))]
            }
            Self::Corrupt { offset, reason } => {
                vec![("offset", (*offset as f64).into()), ("reason", (*reason).into())]
            }
            _ => Vec::new(),
        }
    }

    fn is_batch(&self) -> bool {
        false
    }
}

impl Described for BatchError {
    fn code(&self) -> &'static str {
        BatchError::code(self)
    }

    fn details(&self) -> Vec<(&'static str, JsValue)> {
        match self {
            Self::DimensionMismatch { index, expected, actual } => vec![
                ("index", number(*index)),
                ("expected", number(*expected)),
                ("actual", number(*actual)),
            ],
            Self::DuplicateId { index, id } => {
                vec![("index", number(*index)), ("id", (*id as f64).into())]
            }
            Self::InvalidVector { index, reason } => {
                vec![("index", number(*index)), ("reason", reason.to_string().into())]
            }
            Self::CapacityExceeded { current, max } => {
                vec![("current", number(*current)), ("max", number(*max))]
            }
            Self::InternalError { message } => vec![("message", message.into())],
            _ => Vec::new(),
        }
    }

    fn is_batch(&self) -> bool {
        true
    }
}
