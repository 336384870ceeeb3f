//! Metrics and their kernels.
