//! Many codes against many: the matrix product that graphs are built with.
//!
//! A tile is a few rows by a few columns. Columns are packed once into *panels*, rows into a
//! *block*; one block then runs over many panels while it stays in the cache.
//!
//! ```text
//! panel   for each group of codes: one such group of every column    | g0 c0 | g0 c1 | … | g1 c0 | …
//! block   for each group of codes: one such group of every row       | g0 r0 | g0 r1 | … | g1 r0 | …
//! group   4 bytes: four codes, or two codes of 16 bits where products of bytes do not exist
//! ```
//!
//! The epilogue turns products into distances, `row_term + column_term - dots * product`, and marks
//! the few that are below a limit of their row or their column, so that only those are looked at by
//! scalar code. Distances are integers: every form gives the same.

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use super::tile_simd128 as arch;
#[cfg(target_arch = "x86_64")]
use super::tile_x86_64 as arch;

/// The most rows of a tile, in any form.
pub(crate) const MOST_ROWS: usize = 8;
/// The most columns of a tile, in any form.
pub(crate) const MOST_COLUMNS: usize = 32;
/// Bytes of a group.
const GROUP_BYTES: usize = 4;

/// How codes are laid out in panels.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Four codes a group.
    Bytes,
    /// Four codes a group, less 63 in panels: the sum of two products of pairs then fits 16 bits.
    /// The rows' sums of codes make up for it.
    #[cfg_attr(not(target_feature = "relaxed-simd"), allow(dead_code, reason = "a form's own"))]
    Signed,
    /// Two codes of 16 bits a group.
    #[cfg_attr(
        not(all(target_feature = "simd128", not(target_feature = "relaxed-simd"))),
        allow(dead_code, reason = "a form's own")
    )]
    Words,
}

/// One form of the product.
#[derive(Clone, Copy)]
pub(super) struct Form {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) layout: Layout,
    /// Fills the products, distances and marks of [`TileOut`].
    pub(super) run: fn(&Block, &Columns<'_>, &mut TileOut),
    #[cfg_attr(not(test), expect(dead_code, reason = "tests say which form failed"))]
    pub(super) name: &'static str,
}

/// Rows packed for many panels, with what the epilogue needs of them.
pub(crate) struct Block {
    pub(super) groups: Vec<u8>,
    pub(super) count: usize,
    pub(super) terms: [u32; MOST_ROWS],
    /// A row's own distances must be below this, unless they are below their column's.
    pub(crate) limits: [u32; MOST_ROWS],
    /// How often a product is subtracted: 2 for squared L2, 1 for inner products.
    pub(super) dots: u32,
}

impl Default for Block {
    fn default() -> Self {
        Self {
            groups: Vec::new(),
            count: 0,
            terms: [0; MOST_ROWS],
            limits: [0; MOST_ROWS],
            dots: 1,
        }
    }
}

/// One panel, with what the epilogue needs of its columns: as many as a tile has.
pub(super) struct Columns<'a> {
    pub(super) panel: &'a [u8],
    pub(super) terms: &'a [u32],
    pub(super) limits: &'a [u32],
}

/// Distances of one tile, and which of them are below a limit.
pub(crate) struct TileOut {
    pub(super) distances: [[u32; MOST_COLUMNS]; MOST_ROWS],
    pub(super) marks: [u32; MOST_ROWS],
}

impl Default for TileOut {
    fn default() -> Self {
        Self { distances: [[0; MOST_COLUMNS]; MOST_ROWS], marks: [0; MOST_ROWS] }
    }
}

impl TileOut {
    /// The columns of `row` that are below a limit, among the first `width`.
    #[inline]
    pub(crate) fn hits(&self, row: usize, width: usize) -> Hits {
        let all = u32::MAX.checked_shr(32 - width as u32).unwrap_or(0);
        Hits(self.marks[row] & all)
    }

    #[inline]
    pub(crate) fn distance(&self, row: usize, column: usize) -> u32 {
        self.distances[row][column]
    }
}

/// The set bits of a mask, rising.
pub(crate) struct Hits(u32);

impl Iterator for Hits {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        let column = self.0.trailing_zeros();
        self.0 &= self.0.wrapping_sub(1);
        (column < 32).then_some(column as usize)
    }
}

/// The form in use.
#[inline]
fn form() -> &'static Form {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    return &arch::FORM;
    #[cfg(target_arch = "x86_64")]
    {
        static FASTEST: std::sync::OnceLock<Form> = std::sync::OnceLock::new();
        FASTEST.get_or_init(|| arch::available().next().unwrap_or(SCALAR))
    }
    #[cfg(not(any(
        target_arch = "x86_64",
        all(target_arch = "wasm32", target_feature = "simd128")
    )))]
    return &SCALAR;
}

/// Rows of a tile.
pub(crate) fn rows() -> usize {
    form().rows
}

/// Columns of a tile.
pub(crate) fn columns() -> usize {
    form().columns
}

/// Bytes of a panel of vectors with this many codes, a multiple of 16.
pub(crate) fn panel_bytes(codes: usize) -> usize {
    form().panel_bytes(codes)
}

/// Packs the codes of at most [`columns`] vectors into a panel of zeros.
pub(crate) fn pack(vectors: &[&[u8]], panel: &mut [u8]) {
    form().pack(vectors, panel);
}

impl Block {
    /// Packs the codes of at most [`rows`] vectors. `sums` are the sums of their codes.
    pub(crate) fn load(&mut self, vectors: &[&[u8]], sums: &[u32], terms: &[u32], dots: u32) {
        self.load_as(form(), vectors, sums, terms, dots);
    }

    /// Compares the rows with the columns of a panel.
    #[inline]
    pub(crate) fn run(&self, panel: &[u8], terms: &[u32], limits: &[u32], out: &mut TileOut) {
        (form().run)(self, &Columns { panel, terms, limits }, out);
    }

    fn load_as(&mut self, form: &Form, vectors: &[&[u8]], sums: &[u32], terms: &[u32], dots: u32) {
        let codes = vectors.first().map_or(0, |codes| codes.len());
        let per_group = form.codes_per_group();
        self.groups.clear();
        self.groups.resize(codes / per_group * form.rows * GROUP_BYTES, 0);
        interleave(vectors, form.rows, per_group, 0, &mut self.groups);
        self.count = vectors.len();
        self.dots = dots;
        // What the signed panels leave out of a product is 63 times the row's codes.
        let missing = if form.layout == Layout::Signed { 63 * dots } else { 0 };
        for ((own, term), sum) in self.terms.iter_mut().zip(terms).zip(sums) {
            *own = term.wrapping_sub(missing * sum);
        }
    }
}

impl Form {
    fn codes_per_group(&self) -> usize {
        if self.layout == Layout::Words { 2 } else { 4 }
    }

    fn panel_bytes(&self, codes: usize) -> usize {
        codes / self.codes_per_group() * self.columns * GROUP_BYTES
    }

    fn pack(&self, vectors: &[&[u8]], panel: &mut [u8]) {
        let moved = if self.layout == Layout::Signed { 63 } else { 0 };
        interleave(vectors, self.columns, self.codes_per_group(), moved, panel);
    }
}

/// Writes group `g` of vector `v` to place `g * width + v`.
fn interleave(vectors: &[&[u8]], width: usize, per_group: usize, moved: u8, out: &mut [u8]) {
    for (place, codes) in vectors.iter().enumerate() {
        let groups = out.chunks_exact_mut(GROUP_BYTES).skip(place).step_by(width);
        if per_group == 2 {
            for (group, two) in groups.zip(codes.as_chunks::<2>().0) {
                (group[0], group[2]) = (two[0], two[1]);
            }
        } else {
            for (group, four) in groups.zip(codes.as_chunks::<4>().0) {
                group.copy_from_slice(&four.map(|code| code.wrapping_sub(moved)));
            }
        }
    }
}

/// The definition.
#[cfg_attr(
    all(target_arch = "wasm32", target_feature = "simd128", not(test)),
    expect(dead_code, reason = "tests compare with it")
)]
pub(super) const SCALAR: Form =
    Form { rows: 4, columns: 8, layout: Layout::Bytes, run: run_scalar, name: "scalar" };

fn run_scalar(block: &Block, columns: &Columns<'_>, out: &mut TileOut) {
    let mut products = [[0u32; 8]; 4];
    let rows = block.groups.as_chunks::<GROUP_BYTES>().0.chunks_exact(4);
    let panel = columns.panel.as_chunks::<GROUP_BYTES>().0.chunks_exact(8);
    for (rows, columns) in rows.zip(panel) {
        for (products, row) in products.iter_mut().zip(rows) {
            for (product, column) in products.iter_mut().zip(columns) {
                let pairs = row.iter().zip(column);
                *product += pairs.map(|(a, b)| u32::from(*a) * u32::from(*b)).sum::<u32>();
            }
        }
    }
    for (row, products) in products.iter().enumerate() {
        let mut marks = 0;
        for (column, product) in products.iter().enumerate() {
            let term = block.terms[row].wrapping_add(columns.terms[column]);
            let distance = term.wrapping_sub(block.dots * product);
            out.distances[row][column] = distance;
            let near = distance < block.limits[row] || distance < columns.limits[column];
            marks |= u32::from(near) << column;
        }
        out.marks[row] = marks;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Rng;

    fn forms() -> Vec<Form> {
        #[cfg(target_arch = "x86_64")]
        return arch::available().chain([SCALAR]).collect();
        #[cfg(not(target_arch = "x86_64"))]
        return vec![*form(), SCALAR];
    }

    #[test]
    fn every_form_gives_the_distances_and_marks_of_the_definition() {
        let mut rng = Rng(3);
        for form in forms() {
            for codes in [16, 48, 128, 384, 784, 1536] {
                for (rows, width) in [(1, 1), (form.rows, form.columns), (form.rows - 1, 5)] {
                    for dots in [1, 2] {
                        check(&form, &mut rng, codes, rows, width, dots);
                    }
                }
            }
        }
    }

    fn check(form: &Form, rng: &mut Rng, codes: usize, rows: usize, width: usize, dots: u32) {
        let top = if rng.next() % 2 == 0 { 127 } else { 2 };
        let mut vector = || -> Vec<u8> {
            (0..codes).map(|_| (rng.next() % top * (126 / (top - 1))) as u8).collect()
        };
        let a: Vec<_> = (0..rows).map(|_| vector()).collect();
        let b: Vec<_> = (0..width).map(|_| vector()).collect();
        let sum = |codes: &Vec<u8>| codes.iter().map(|code| u32::from(*code)).sum::<u32>();
        let term = |codes: &Vec<u8>| -> u32 {
            if dots == 1 {
                63 * sum(codes)
            } else {
                codes.iter().map(|code| u32::from(*code).pow(2)).sum()
            }
        };
        let mut block = Block::default();
        let (a_slices, b_slices): (Vec<_>, Vec<_>) =
            (a.iter().map(Vec::as_slice).collect(), b.iter().map(Vec::as_slice).collect());
        let (sums, terms): (Vec<_>, Vec<_>) =
            (a.iter().map(sum).collect(), a.iter().map(term).collect());
        block.load_as(form, &a_slices, &sums, &terms, dots);
        let mut panel = vec![0; form.panel_bytes(codes)];
        form.pack(&b_slices, &mut panel);
        let mut column_terms: Vec<_> = b.iter().map(term).collect();
        let limit = |rng: &mut Rng| match rng.next() % 4 {
            0 => 0,
            1 => u32::MAX,
            _ => (rng.next() % (codes as u64 * 16_000)) as u32,
        };
        block.limits = std::array::from_fn(|_| limit(rng));
        let mut limits: Vec<_> = b.iter().map(|_| limit(rng)).collect();
        column_terms.resize(form.columns, 0);
        limits.resize(form.columns, 0);
        let mut out = TileOut::default();
        let columns = Columns { panel: &panel, terms: &column_terms, limits: &limits };
        (form.run)(&block, &columns, &mut out);
        for (row, a) in a.iter().enumerate() {
            let mut near = Vec::new();
            for (column, b) in b.iter().enumerate() {
                let product: u32 =
                    a.iter().zip(b).map(|(x, y)| u32::from(*x) * u32::from(*y)).sum();
                let want = terms[row] + column_terms[column] - dots * product;
                assert_eq!(out.distance(row, column), want, "{}, {codes} codes", form.name);
                if want < block.limits[row] || want < limits[column] {
                    near.push(column);
                }
            }
            let found: Vec<_> = out.hits(row, width).collect();
            assert_eq!(found, near, "{}, {codes} codes, row {row}", form.name);
        }
    }
}
