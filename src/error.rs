//! What can go wrong, in the words users see.
//!
//! Every error has a code that outlives its message: codes are public API, the same strings from
//! Rust and from JavaScript, and are added, never renamed or reused.

use thiserror::Error as ThisError;

/// Why a row was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum VectorFault {
    /// A component is not a finite number; `value` is `NaN`, `Infinity` or `-Infinity`.
    #[error("component {component} is {value}, and only finite numbers can be compared")]
    NotFinite {
        /// Which component, counted from 0.
        component: usize,
        /// How it reads.
        value: &'static str,
    },
    /// Every component is 0, and the metric compares directions.
    #[error("it is all zeros, and a zero vector has no direction for the cosine metric")]
    Zero,
    /// The id asked for is not below 2^53, so JavaScript could not hold it exactly.
    #[error("its id {id} is not below 2^53")]
    IdTooLarge {
        /// The id.
        id: u64,
    },
    /// The number of ids is not the number of rows.
    #[error("there are {ids} ids for {rows} rows")]
    IdCount {
        /// Ids given.
        ids: usize,
        /// Rows given.
        rows: usize,
    },
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// An argument is outside what the call takes.
    #[error("{name} is {value}, but must be {limit}")]
    InvalidArgument {
        /// The argument's name.
        name: &'static str,
        /// What was given.
        value: String,
        /// What is allowed.
        limit: String,
    },
    /// A vector's length is not the index's number of dimensions.
    #[error("the vector has {actual} components, but the index has {expected} dimensions")]
    DimensionMismatch {
        /// Dimensions of the index.
        expected: usize,
        /// Components given.
        actual: usize,
    },
    /// A vector holds NaN or an infinity, or is all zeros under cosine.
    #[error("the vector was refused: {reason}")]
    InvalidVector {
        /// What is wrong with it.
        reason: VectorFault,
    },
    /// The id belongs to another row already.
    #[error("id {id} is taken by another row")]
    DuplicateId {
        /// The id.
        id: u64,
    },
    /// There is no room for more rows.
    #[error("{current} rows do not fit: there is room for {max}")]
    CapacityExceeded {
        /// Rows that the call would have led to.
        current: usize,
        /// Rows there is room for.
        max: usize,
    },
    /// The bytes are not an index of a version this release reads, or were changed.
    #[error("the bytes are not a readable index: {reason} (at byte {offset})")]
    Corrupt {
        /// Where in the bytes, counted from 0.
        offset: u64,
        /// What is wrong there.
        reason: &'static str,
    },
    /// An invariant of the index is broken; never the answer to bad input.
    #[error("internal error: {message}")]
    Internal {
        /// Which invariant.
        message: String,
    },
}

impl Error {
    /// The stable name of this kind of error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidArgument { .. } => "INVALID_ARGUMENT",
            Self::DimensionMismatch { .. } => "DIMENSION_MISMATCH",
            Self::InvalidVector { .. } => "INVALID_VECTOR",
            Self::DuplicateId { .. } => "DUPLICATE_ID",
            Self::CapacityExceeded { .. } => "CAPACITY_EXCEEDED",
            Self::Corrupt { .. } => "CORRUPT",
            Self::Internal { .. } => "INTERNAL_ERROR",
        }
    }

    pub(crate) fn argument(
        name: &'static str,
        value: impl std::fmt::Display,
        limit: impl Into<String>,
    ) -> Self {
        Self::InvalidArgument { name, value: format!("{value}"), limit: limit.into() }
    }
}

/// Why a batch was rejected. In strict mode the index is then as it was before.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum BatchError {
    /// The batch has no rows.
    #[error("the batch is empty: give at least 1 row")]
    EmptyBatch,
    /// A row's length is not the index's number of dimensions, or flat rows are no multiple of it.
    #[error("row {index} has {actual} components, but the index has {expected} dimensions")]
    DimensionMismatch {
        /// Which row, counted from 0.
        index: usize,
        /// Dimensions of the index.
        expected: usize,
        /// Components of the row (of a flat array's last row: what is left over).
        actual: usize,
    },
    /// An id belongs to another row, in the index or earlier in the batch.
    #[error("row {index} asks for id {id}, which is taken")]
    DuplicateId {
        /// Which row, counted from 0.
        index: usize,
        /// The id.
        id: u64,
    },
    /// A row holds NaN or an infinity, or is all zeros under cosine.
    #[error("row {index} was refused: {reason}")]
    InvalidVector {
        /// Which row, counted from 0.
        index: usize,
        /// What is wrong with it.
        reason: VectorFault,
    },
    /// More rows than one batch may have, or than memory can hold.
    #[error("{current} rows do not fit: there is room for {max}")]
    CapacityExceeded {
        /// Rows asked for.
        current: usize,
        /// Rows there is room for.
        max: usize,
    },
    /// An invariant of the index is broken; never the answer to bad input.
    #[error("internal error: {message}")]
    InternalError {
        /// Which invariant.
        message: String,
    },
}

impl BatchError {
    /// Every code a batch can be rejected with, in the order of the variants.
    pub const CODES: [&'static str; 6] = [
        "EMPTY_BATCH",
        "DIMENSION_MISMATCH",
        "DUPLICATE_ID",
        "INVALID_VECTOR",
        "CAPACITY_EXCEEDED",
        "INTERNAL_ERROR",
    ];

    /// The stable name of this kind of error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::EmptyBatch => Self::CODES[0],
            Self::DimensionMismatch { .. } => Self::CODES[1],
            Self::DuplicateId { .. } => Self::CODES[2],
            Self::InvalidVector { .. } => Self::CODES[3],
            Self::CapacityExceeded { .. } => Self::CODES[4],
            Self::InternalError { .. } => Self::CODES[5],
        }
    }
}

/// The allocator has no more memory. Where the row counts are known it becomes
/// [`Error::CapacityExceeded`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutOfMemory;

impl From<std::collections::TryReserveError> for OutOfMemory {
    fn from(_: std::collections::TryReserveError) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_batch_error_has_its_own_code() {
        let errors = [
            BatchError::EmptyBatch,
            BatchError::DimensionMismatch { index: 3, expected: 4, actual: 5 },
            BatchError::DuplicateId { index: 3, id: 9 },
            BatchError::InvalidVector { index: 3, reason: VectorFault::Zero },
            BatchError::CapacityExceeded { current: 11, max: 10 },
            BatchError::InternalError { message: "a link leads nowhere".into() },
        ];
        let codes: Vec<_> = errors.iter().map(BatchError::code).collect();
        assert_eq!(codes, BatchError::CODES);
        let unique: std::collections::HashSet<_> = codes.into_iter().collect();
        assert_eq!(unique.len(), 6);
    }

    #[test]
    fn messages_name_the_row_the_value_and_the_limit() {
        let text =
            BatchError::DimensionMismatch { index: 7, expected: 128, actual: 64 }.to_string();
        assert!(text.contains('7') && text.contains("128") && text.contains("64"), "{text}");
        let reason = VectorFault::NotFinite { component: 5, value: "NaN" };
        let text = BatchError::InvalidVector { index: 7, reason }.to_string();
        assert!(text.contains("row 7") && text.contains("component 5 is NaN"), "{text}");
        let text = Error::argument("k", 0, "an integer of at least 1").to_string();
        assert_eq!(text, "k is 0, but must be an integer of at least 1");
    }
}
