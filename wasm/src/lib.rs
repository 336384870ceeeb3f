//! The WebAssembly binding: checks, converts and calls.
