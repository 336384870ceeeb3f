//! The tile on aarch64: 4 by 16 with NEON, with or without the dot product instructions.

#[allow(clippy::wildcard_imports, reason = "intrinsics have long names and are many")]
use std::arch::aarch64::*;
use std::arch::{asm, is_aarch64_feature_detected};

use super::tile::{Block, Columns, Form, Layout, Out};

/// Every form this processor can run, the fastest first.
pub(super) fn available() -> impl Iterator<Item = Form> {
    let dot = is_aarch64_feature_detected!("dotprod").then_some(Form {
        rows: 4,
        columns: 16,
        layout: Layout::Bytes,
        // SAFETY: the feature that it asks for was just found.
        run: |block, columns, out| unsafe { run_dot(block, columns, out) },
        name: "neon-dotprod",
    });
    let neon = is_aarch64_feature_detected!("neon").then_some(Form {
        rows: 4,
        columns: 16,
        layout: Layout::Bytes,
        // SAFETY: the feature that it asks for was just found.
        run: |block, columns, out| unsafe { run_neon(block, columns, out) },
        name: "neon",
    });
    [dot, neon].into_iter().flatten()
}

/// Adds to each of four sums the products of four codes. The instruction has no stable name yet.
#[inline]
#[target_feature(enable = "neon,dotprod")]
pub(super) fn add_dot(mut sum: uint32x4_t, a: uint8x16_t, b: uint8x16_t) -> uint32x4_t {
    // SAFETY: the instruction reads and writes these registers only.
    unsafe {
        asm!(
            "udot {sum:v}.4s, {a:v}.16b, {b:v}.16b",
            sum = inout(vreg) sum, a = in(vreg) a, b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sum
}

#[target_feature(enable = "neon,dotprod")]
fn run_dot(block: &Block, columns: &Columns<'_>, out: &mut Out<'_>) {
    run(block, columns, out, |sum, row, column| add_dot(sum, row, column));
}

#[target_feature(enable = "neon")]
fn run_neon(block: &Block, columns: &Columns<'_>, out: &mut Out<'_>) {
    run(block, columns, out, |sum, row, column| {
        // Two products of codes up to 126 fit 16 bits.
        let low = vmull_u8(vget_low_u8(row), vget_low_u8(column));
        let high = vmull_high_u8(row, column);
        vpadalq_u16(sum, vpaddq_u16(low, high))
    });
}

#[inline]
#[target_feature(enable = "neon")]
fn load_u32(values: &[u32; 4]) -> uint32x4_t {
    // SAFETY: the array is 16 readable bytes, and the load asks for no alignment.
    unsafe { vld1q_u32(values.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn load_groups(groups: &[[u8; 4]; 4]) -> uint8x16_t {
    // SAFETY: the array is 16 readable bytes, and the load asks for no alignment.
    unsafe { vld1q_u8(groups.as_ptr().cast()) }
}

/// Adds the products of a group to the sums by `add`.
#[inline]
#[target_feature(enable = "neon")]
fn run(
    block: &Block,
    columns: &Columns<'_>,
    out: &mut Out<'_>,
    add: impl Fn(uint32x4_t, uint8x16_t, uint8x16_t) -> uint32x4_t,
) {
    let ((across, down), stride) = (out.places(4, columns), out.stride);
    let rows = block.groups.as_chunks::<4>().0.as_chunks::<4>().0;
    for (tile, (panel, terms)) in columns.panels::<4, 16>(block).enumerate() {
        let mut sums = [[vdupq_n_u32(0); 4]; 4];
        let panel = panel.as_chunks::<4>().0.as_chunks::<16>().0;
        for (rows, columns) in rows.iter().zip(panel) {
            let (quarters, _) = columns.as_chunks::<4>();
            let columns: [uint8x16_t; 4] = std::array::from_fn(|i| load_groups(&quarters[i]));
            for (sums, row) in sums.iter_mut().zip(rows) {
                let row = vreinterpretq_u8_u32(vdupq_n_u32(u32::from_le_bytes(*row)));
                for (sum, column) in sums.iter_mut().zip(columns) {
                    *sum = add(*sum, row, column);
                }
            }
        }
        let terms = terms.as_chunks::<4>().0;
        let distances: [[uint32x4_t; 4]; 4] = std::array::from_fn(|row| {
            let row_term = vdupq_n_u32(block.terms[row]);
            std::array::from_fn(|quarter| {
                let both = vaddq_u32(row_term, load_u32(&terms[quarter]));
                vmlsq_n_u32(both, sums[row][quarter], block.dots)
            })
        });
        if let Some(across) = across {
            for (row, distances) in distances.iter().enumerate() {
                for (quarter, distances) in distances.iter().enumerate() {
                    let place = row * stride + 16 * tile + 4 * quarter;
                    // SAFETY: there is room for 4 rows of 16 places for each tile, `stride` apart.
                    unsafe { vst1q_u32(across.add(place), *distances) };
                }
            }
        }
        if let Some(down) = down {
            for quarter in 0..4 {
                let columns = turned(distances.map(|row| row[quarter]));
                for (column, distances) in columns.into_iter().enumerate() {
                    let place = (16 * tile + 4 * quarter + column) * stride;
                    // SAFETY: there is room for 16 columns of 4 places for each tile, `stride` apart.
                    unsafe { vst1q_u32(down.add(place), distances) };
                }
            }
        }
    }
}

/// Four rows as four columns.
#[inline]
#[target_feature(enable = "neon")]
fn turned([a, b, c, d]: [uint32x4_t; 4]) -> [uint32x4_t; 4] {
    let pairs = [vzip1q_u32(a, b), vzip2q_u32(a, b), vzip1q_u32(c, d), vzip2q_u32(c, d)];
    let [ab_low, ab_high, cd_low, cd_high] = pairs.map(|pairs| vreinterpretq_u64_u32(pairs));
    [
        vzip1q_u64(ab_low, cd_low),
        vzip2q_u64(ab_low, cd_low),
        vzip1q_u64(ab_high, cd_high),
        vzip2q_u64(ab_high, cd_high),
    ]
    .map(|column| vreinterpretq_u32_u64(column))
}
