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
//! A tile's result are distances, `row_term + column_term - dots * product`. They are integers:
//! every form gives the same.

#[cfg(target_arch = "aarch64")]
use super::tile_aarch64 as arch;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use super::tile_simd128 as arch;
#[cfg(target_arch = "x86_64")]
use super::tile_x86_64 as arch;

/// The most rows of a tile, in any form.
pub(crate) const MOST_ROWS: usize = 8;
/// The most columns of a tile, in any form. A row of distances is filled up to a multiple of it.
pub(crate) const MOST_COLUMNS: usize = 32;
/// Bytes of a group.
const GROUP_BYTES: usize = 4;
/// Codes come in multiples of this.
const CODES: usize = 16;

/// How codes are laid out in panels and blocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Layout {
    /// Four codes a group.
    Bytes,
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
    pub(super) run: fn(&Block, &Columns<'_>, &mut Out<'_>),
    #[cfg_attr(not(test), expect(dead_code, reason = "tests say which form failed"))]
    pub(super) name: &'static str,
}

/// Rows packed for many panels, with what the epilogue needs of them.
#[derive(Default)]
pub(crate) struct Block {
    pub(super) groups: Vec<u8>,
    pub(super) terms: [u32; MOST_ROWS],
    /// How often a product is subtracted: 2 for squared L2, 1 for inner products.
    pub(super) dots: u32,
}

/// Some panels, one after another, and the terms of their columns: as many as a tile has for each.
pub(super) struct Columns<'a> {
    pub(super) panels: &'a [u8],
    pub(super) terms: &'a [u32],
}

impl<'a> Columns<'a> {
    /// Each panel with its terms, for a block of `ROWS`.
    #[inline]
    pub(super) fn panels<const ROWS: usize, const COLUMNS: usize>(
        &self,
        block: &Block,
    ) -> impl Iterator<Item = (&'a [u8], &'a [u32; COLUMNS])> + use<'a, ROWS, COLUMNS> {
        let bytes = block.groups.len() / ROWS * COLUMNS;
        self.panels.chunks_exact(bytes.max(1)).zip(self.terms.as_chunks().0)
    }
}

/// Where the distances of some tiles go: those of a row one after another from `across` on, those of
/// the next row `stride` behind; those of a column from `down` on, those of the next column `stride`
/// behind. Rows and columns of a tile that belong to no vector are written too, and may be anything. Where there
/// is no room for all, nothing is written.
pub(crate) struct Out<'a> {
    pub(crate) distances: &'a mut [u32],
    pub(crate) stride: usize,
    pub(crate) across: Option<usize>,
    pub(crate) down: Option<usize>,
}

impl Out<'_> {
    /// Where the rows and where the columns begin, if they are wanted and there is room for `rows` by all `columns`.
    fn starts(&self, rows: usize, columns: &Columns<'_>) -> (Option<usize>, Option<usize>) {
        let columns = columns.terms.len();
        let fitting = |start: usize, lines: usize, places: usize| {
            let end = self.stride.checked_mul(lines.saturating_sub(1))?;
            let end = start.checked_add(end)?.checked_add(places)?;
            (end <= self.distances.len()).then_some(start)
        };
        let across = self.across.and_then(|start| fitting(start, rows, columns));
        (across, self.down.and_then(|start| fitting(start, columns, rows)))
    }

    /// The same as pointers.
    #[cfg(any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        all(target_arch = "wasm32", target_feature = "simd128")
    ))]
    pub(super) fn places(
        &mut self,
        rows: usize,
        columns: &Columns<'_>,
    ) -> (Option<*mut u32>, Option<*mut u32>) {
        let (across, down) = self.starts(rows, columns);
        let first = self.distances.as_mut_ptr();
        let at = |start: usize| first.wrapping_add(start);
        (across.map(at), down.map(at))
    }
}

/// The form in use.
#[inline]
fn form() -> &'static Form {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    return &arch::FORM;
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    {
        static FASTEST: std::sync::OnceLock<Form> = std::sync::OnceLock::new();
        FASTEST.get_or_init(|| arch::available().next().unwrap_or(SCALAR))
    }
    #[cfg(not(any(
        target_arch = "x86_64",
        target_arch = "aarch64",
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

/// Packs the codes of at most [`columns`] vectors into a panel. Columns without a vector hold
/// anything.
pub(crate) fn pack(vectors: &[&[u8]], panel: &mut [u8]) {
    let form = form();
    interleave(form.layout, vectors, form.columns, panel);
}

impl Block {
    /// Packs the codes of at most [`rows`] vectors; their `terms` are those of the epilogue.
    pub(crate) fn load(&mut self, vectors: &[&[u8]], terms: &[u32], dots: u32) {
        self.load_as(form(), vectors, terms, dots);
    }

    /// Compares the rows with the columns of some panels.
    pub(crate) fn run(&self, panels: &[u8], terms: &[u32], mut out: Out<'_>) {
        (form().run)(self, &Columns { panels, terms }, &mut out);
    }

    fn load_as(&mut self, form: &Form, vectors: &[&[u8]], terms: &[u32], dots: u32) {
        let codes = vectors.first().map_or(0, |codes| codes.len());
        self.groups.resize(form.layout.groups(codes) * form.rows * GROUP_BYTES, 0);
        interleave(form.layout, vectors, form.rows, &mut self.groups);
        self.dots = dots;
        self.terms.iter_mut().zip(terms).for_each(|(own, term)| *own = *term);
    }
}

impl Layout {
    fn groups(self, codes: usize) -> usize {
        codes / if self == Self::Bytes { 4 } else { 2 }
    }
}

impl Form {
    fn panel_bytes(&self, codes: usize) -> usize {
        self.layout.groups(codes) * self.columns * GROUP_BYTES
    }
}

/// Writes group `g` of vector `v` to place `g * width + v`; `width` is a multiple of 4.
fn interleave(layout: Layout, vectors: &[&[u8]], width: usize, out: &mut [u8]) {
    let Some(last) = vectors.last() else { return };
    for (quarter, four) in vectors.chunks(4).enumerate() {
        // What fills up a tile may be anything: the last vector again.
        let four: [&[u8]; 4] = std::array::from_fn(|i| *four.get(i).unwrap_or(last));
        let [a, b, c, d] = four.map(|codes| codes.as_chunks::<CODES>().0);
        let codes = a.iter().zip(b).zip(c).zip(d).map(|(((a, b), c), d)| [a, b, c, d]);
        match layout {
            Layout::Bytes => {
                let blocks = out.chunks_exact_mut(4 * width * GROUP_BYTES);
                for (four, block) in codes.zip(blocks) {
                    lay_down(four.map(|codes| bytemuck::cast(*codes)), block, width, quarter);
                }
            }
            Layout::Words => {
                let blocks = out.chunks_exact_mut(8 * width * GROUP_BYTES);
                for (four, block) in codes.zip(blocks) {
                    let words = four.map(widened);
                    let (first, second) = block.split_at_mut(4 * width * GROUP_BYTES);
                    lay_down(words.map(|words| words[0]), first, width, quarter);
                    lay_down(words.map(|words| words[1]), second, width, quarter);
                }
            }
        }
    }
}

/// Sixteen codes in 16 bits each, two in a word.
#[inline]
fn widened(codes: &[u8; CODES]) -> [[u32; 4]; 2] {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    return arch::widened(codes);
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    bytemuck::cast(codes.map(u16::from))
}

/// Writes word `w` of each of four vectors side by side into row `w` of `out`.
#[inline]
fn lay_down(four: [[u32; 4]; 4], out: &mut [u8], width: usize, quarter: usize) {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    let turned = arch::turned_words(&four);
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    let turned: [[u32; 4]; 4] = std::array::from_fn(|word| four.map(|words| words[word]));
    for (side_by_side, row) in turned.into_iter().zip(out.chunks_exact_mut(width * GROUP_BYTES)) {
        if let Some(place) = row.as_chunks_mut::<16>().0.get_mut(quarter) {
            *place = bytemuck::cast(side_by_side);
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

fn run_scalar(block: &Block, columns: &Columns<'_>, out: &mut Out<'_>) {
    let (across, down) = out.starts(4, columns);
    for (tile, (panel, terms)) in columns.panels::<4, 8>(block).enumerate() {
        let mut products = [[0u32; 8]; 4];
        let rows = block.groups.as_chunks::<GROUP_BYTES>().0.chunks_exact(4);
        let panel = panel.as_chunks::<GROUP_BYTES>().0.chunks_exact(8);
        for (rows, columns) in rows.zip(panel) {
            for (products, row) in products.iter_mut().zip(rows) {
                for (product, column) in products.iter_mut().zip(columns) {
                    let pairs = row.iter().zip(column);
                    *product += pairs.map(|(a, b)| u32::from(*a) * u32::from(*b)).sum::<u32>();
                }
            }
        }
        for (row, products) in products.iter().enumerate() {
            for (column, (term, product)) in terms.iter().zip(products).enumerate() {
                let both = block.terms[row].wrapping_add(*term);
                let distance = both.wrapping_sub(block.dots * product);
                let column = 8 * tile + column;
                if let Some(across) = across {
                    out.distances[across + row * out.stride + column] = distance;
                }
                if let Some(down) = down {
                    out.distances[down + column * out.stride + row] = distance;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Rng;

    fn forms() -> Vec<Form> {
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        return arch::available().chain([SCALAR]).collect();
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        return vec![*form(), SCALAR];
    }

    #[test]
    fn every_form_gives_the_distances_of_the_definition() {
        let mut rng = Rng(3);
        for form in forms() {
            assert!(form.rows <= MOST_ROWS && form.rows % 4 == 0, "{}", form.name);
            assert!(MOST_COLUMNS.is_multiple_of(form.columns), "{}", form.name);
            for codes in [16, 48, 128, 384, 784, 1536] {
                let more = form.columns + 3;
                for (rows, width) in
                    [(1, 1), (form.rows, form.columns), (form.rows - 1, 5), (form.rows, more)]
                {
                    for dots in [1, 2] {
                        check(&form, &mut rng, codes, rows, width, dots);
                    }
                }
            }
        }
    }

    fn check(form: &Form, rng: &mut Rng, codes: usize, rows: usize, width: usize, dots: u32) {
        let top = if rng.next().is_multiple_of(2) { 127 } else { 2 };
        let mut vector = || -> Vec<u8> {
            (0..codes).map(|_| (rng.next() % top * (126 / (top - 1))) as u8).collect()
        };
        let a: Vec<_> = (0..rows).map(|_| vector()).collect();
        let b: Vec<_> = (0..width).map(|_| vector()).collect();
        let term = |codes: &Vec<u8>| -> u32 {
            if dots == 1 {
                63 * codes.iter().map(|code| u32::from(*code)).sum::<u32>()
            } else {
                codes.iter().map(|code| u32::from(*code).pow(2)).sum()
            }
        };
        let (a_slices, b_slices): (Vec<_>, Vec<_>) =
            (a.iter().map(Vec::as_slice).collect(), b.iter().map(Vec::as_slice).collect());
        let terms: Vec<_> = a.iter().map(term).collect();
        let mut block = Block::default();
        block.load_as(form, &a_slices, &terms, dots);
        let written_columns = width.next_multiple_of(form.columns);
        let mut panels = vec![0; form.panel_bytes(codes) * written_columns / form.columns];
        let places = panels.chunks_mut(form.panel_bytes(codes));
        for (panel, vectors) in places.zip(b_slices.chunks(form.columns)) {
            interleave(form.layout, vectors, form.columns, panel);
        }
        let mut column_terms: Vec<_> = b.iter().map(term).collect();
        column_terms.resize(written_columns, 0);
        // A matrix with the rows at its top and the columns turned at its bottom.
        let stride = 2 * MOST_COLUMNS + 3;
        let bottom = (MOST_ROWS + 1) * stride;
        for (across, down) in [(Some(1), None), (None, Some(2)), (Some(1), Some(2))] {
            let mut distances = vec![7; bottom + (2 * MOST_COLUMNS + 1) * stride];
            let columns = Columns { panels: &panels, terms: &column_terms };
            let down = down.map(|down| bottom + down);
            (form.run)(
                &block,
                &columns,
                &mut Out { distances: &mut distances, stride, across, down },
            );
            let written = |row: usize, column: usize| distances[row * stride + column] != 7;
            for (row, a) in a.iter().enumerate() {
                for (column, b) in b.iter().enumerate() {
                    let product: u32 =
                        a.iter().zip(b).map(|(x, y)| u32::from(*x) * u32::from(*y)).sum();
                    let want = terms[row] + column_terms[column] - dots * product;
                    for (start, place) in [
                        (across, 1 + row * stride + column),
                        (down, bottom + 2 + column * stride + row),
                    ] {
                        let want = if start.is_some() { want } else { 7 };
                        assert_eq!(distances[place], want, "{}, row {row}", form.name);
                    }
                }
            }
            // Nothing is written beside the tile.
            assert!((0..MOST_ROWS).all(|row| !written(row, 0)), "{}", form.name);
            assert!(!written(0, 1 + written_columns) && !written(form.rows, 1), "{}", form.name);
            let bottom = MOST_ROWS + 1;
            assert!(!written(bottom, 1) && !written(bottom, 2 + form.rows), "{}", form.name);
            assert!(!written(bottom + written_columns, 2), "{}", form.name);
        }
    }

    #[test]
    fn a_tile_for_which_there_is_no_room_is_not_written() {
        for form in forms() {
            let mut block = Block::default();
            block.load_as(&form, &[&[1; 16]], &[16], 1);
            let mut panel = vec![0; form.panel_bytes(16)];
            interleave(form.layout, &[&[1; 16]], form.columns, &mut panel);
            let columns = Columns { panels: &panel, terms: &[0; MOST_COLUMNS][..form.columns] };
            for (start, stride) in [(40 * MOST_COLUMNS, 40), (usize::MAX, 1), (1, usize::MAX)] {
                for (across, down) in [(Some(start), None), (None, Some(start))] {
                    let mut distances = vec![7; 40 * MOST_COLUMNS];
                    let mut out = Out { distances: &mut distances, stride, across, down };
                    (form.run)(&block, &columns, &mut out);
                    assert!(distances.iter().all(|distance| *distance == 7), "{}", form.name);
                }
            }
        }
    }
}
