//! Metrics' kernels: a definition, its fast forms, and this dispatch, the only one.
//!
//! ```text
//! scalar.rs    the definition: plain loops
//! x86_64.rs    AVX-512 VNNI, AVX2 and FMA       chosen when the program runs
//! aarch64.rs   NEON                             chosen when the program runs
//! simd128.rs   WebAssembly, relaxed or not      chosen when the module is built
//! tile.rs      many codes against many, for building graphs
//! nearest.rs   the few smallest of many distances
//! rows.rs      one row: its length, its codes
//! sort.rs      some dozens of keys in order
//! ```
//!
//! `f32` kernels take slices of one length, in any alignment. Their sums are added in whatever order
//! is fast, so the last bits differ between forms. Codes are 7-bit integers, 0 to 126, in multiples
//! of 16; their sums are exact and the same everywhere.

#[cfg(target_arch = "aarch64")]
mod aarch64;
mod nearest;
pub(crate) mod rows;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod rows_simd128;
#[cfg_attr(
    all(target_arch = "wasm32", target_feature = "simd128"),
    allow(dead_code, reason = "tests compare with the definition")
)]
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
mod sort;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod sort_simd128;
#[cfg(test)]
mod tests;
pub(crate) mod tile;
#[cfg(target_arch = "aarch64")]
mod tile_aarch64;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod tile_simd128;
#[cfg(target_arch = "x86_64")]
mod tile_x86_64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

pub(crate) use nearest::{MOST_NEAREST, TOGETHER};
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use simd128 as fastest;
pub(crate) use sort::sort;

/// One form of every kernel.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
#[derive(Clone, Copy)]
struct Kernels {
    name: &'static str,
    squared_l2: fn(&[f32], &[f32]) -> f32,
    dot: fn(&[f32], &[f32]) -> f32,
    dot_codes: fn(&[u8], &[u8]) -> u32,
    squared_l2_x4: fn(&[f32], [&[f32]; 4]) -> [f32; 4],
    dot_x4: fn(&[f32], [&[f32]; 4]) -> [f32; 4],
    dot_codes_x4: fn(&[u8], [&[u8]; 4]) -> [u32; 4],
    nearest: fn(&[u32], usize, u32, &mut Vec<u64>),
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
const SCALAR: Kernels = Kernels {
    name: "scalar",
    squared_l2: scalar::squared_l2,
    dot: scalar::dot,
    dot_codes: scalar::dot_codes,
    squared_l2_x4: scalar::squared_l2_x4,
    dot_x4: scalar::dot_x4,
    dot_codes_x4: scalar::dot_codes_x4,
    nearest: scalar::nearest,
};

/// Every form this processor can run, the fastest first.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
fn available() -> impl Iterator<Item = Kernels> {
    #[cfg(target_arch = "x86_64")]
    let fast = [x86_64::avx512(), x86_64::avx2()];
    #[cfg(target_arch = "aarch64")]
    let fast = [aarch64::dotprod(), aarch64::neon()];
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let fast: [Option<Kernels>; 0] = [];
    fast.into_iter().flatten().chain([SCALAR])
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
#[inline]
fn kernels() -> &'static Kernels {
    static FASTEST: std::sync::OnceLock<Kernels> = std::sync::OnceLock::new();
    FASTEST.get_or_init(|| available().next().unwrap_or(SCALAR))
}

/// Forwards a function to the fastest form: fixed in a module with SIMD, else chosen at run time.
macro_rules! forward {
    ($(#[$about:meta])* $name:ident($($argument:ident: $kind:ty),*) -> $result:ty) => {
        $(#[$about])*
        #[inline]
        pub(crate) fn $name($($argument: $kind),*) -> $result {
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            return fastest::$name($($argument),*);
            #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
            return (kernels().$name)($($argument),*);
        }
    };
}

forward! {
    /// Squared Euclidean distance: 0 for equal vectors.
    squared_l2(a: &[f32], b: &[f32]) -> f32
}
forward! {
    /// Inner product.
    dot(a: &[f32], b: &[f32]) -> f32
}
forward! {
    /// [`squared_l2`] of four rows and one query, so that their loads overlap.
    squared_l2_x4(query: &[f32], rows: [&[f32]; 4]) -> [f32; 4]
}
forward! {
    /// [`dot`] of four rows and one query, so that their loads overlap.
    dot_x4(query: &[f32], rows: [&[f32]; 4]) -> [f32; 4]
}
forward! {
    /// Inner product of codes; the length is a multiple of 16.
    dot_codes(a: &[u8], b: &[u8]) -> u32
}
forward! {
    /// [`dot_codes`] of four rows and one query, so that their loads overlap.
    dot_codes_x4(query: &[u8], rows: [&[u8]; 4]) -> [u32; 4]
}

forward! {
    /// Collects in `found` at least the `k` smallest of `row` that are at most `limit`, and few
    /// others, as `distance << 32 | place`, places rising. What is at `u32::MAX` is nothing. The row's
    /// length is a multiple of [`TOGETHER`]; the same is found on every platform.
    nearest(row: &[u32], k: usize, limit: u32, found: &mut Vec<u64>) -> ()
}

/// Hints that a row is read soon. Where there is no such hint, nothing.
#[inline]
pub(crate) fn prefetch(bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    x86_64::prefetch(bytes);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bytes;
}

/// What a module with SIMD was built for.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
const BACKEND: &str =
    if cfg!(target_feature = "relaxed-simd") { "relaxed-simd" } else { "simd128" };

/// The instructions that distances are computed with: `avx512`, `avx2`, `neon-dotprod`, `neon`,
/// `relaxed-simd`, `simd128` or `scalar`.
#[must_use]
pub fn backend() -> &'static str {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    return BACKEND;
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    return kernels().name;
}
