//! Units of a build as numbers, for helpers that share no memory with it.
//!
//! A [`Helper`] has the codes of all rows. It is given units as a list of `u32` and answers with
//! another; who carries them, from one WebAssembly instance to another say, is not its affair. What
//! comes back is checked before it is used: whatever it holds, the graph keeps its rules.
//!
//! ```text
//! units   kind, first unit, end, then what the kind needs
//! answer  kind, first unit, end, then what was made of them
//! ```

use std::ops::Range;

use super::axes::{self, Axes, Scratch};
use super::chooser::{self, Chooser};
use super::compass::{self, Compass};
use super::leaf::Leaf;
use super::sketch::Rows;
use super::{PAIRS_PER_DISTANCE, leaves};
use crate::config::{Builder, Metric};
use crate::error::{Error, OutOfMemory};
use crate::memory::check_headroom;
use crate::vectors::codes::Codes;
use crate::vectors::key;

/// What units are about; the first word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Sketch,
    Probe,
    Route,
    Leaves,
    Select,
    Prune,
}

impl Kind {
    const ALL: [Self; 6] =
        [Self::Sketch, Self::Probe, Self::Route, Self::Leaves, Self::Select, Self::Prune];

    pub(super) fn of(word: u32) -> Option<Self> {
        Self::ALL.get(word as usize).copied()
    }
}

/// Words to come.
#[derive(Default)]
pub(super) struct Words(Vec<u32>);

impl Words {
    pub(super) fn push(&mut self, word: usize) {
        self.0.push(word as u32);
    }

    #[cfg(test)]
    pub(super) fn into_words(self) -> Vec<u32> {
        self.0
    }

    /// Some words without their number.
    pub(super) fn extend(&mut self, words: &[u32]) {
        self.0.extend_from_slice(words);
    }

    /// Some words after their number.
    pub(super) fn list(&mut self, words: impl ExactSizeIterator<Item = u32>) {
        self.push(words.len());
        self.0.extend(words);
    }

    /// Bytes after their number.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.push(bytes.len());
        let (words, rest) = bytes.as_chunks();
        self.0.extend(words.iter().map(|word| u32::from_le_bytes(*word)));
        if !rest.is_empty() {
            let mut last = [0; 4];
            last.iter_mut().zip(rest).for_each(|(place, byte)| *place = *byte);
            self.0.push(u32::from_le_bytes(last));
        }
    }

    /// Keys after their number.
    pub(super) fn keys(&mut self, keys: impl Iterator<Item = u64>) {
        let place = self.0.len();
        self.push(0);
        for key in keys {
            self.0.extend([(key >> 32) as u32, key as u32]);
        }
        self.0[place] = ((self.0.len() - place - 1) / 2) as u32;
    }
}

/// Words not read yet. What is not there, or is no node, is none.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    words: &'a [u32],
    /// Nodes are numbers below it.
    nodes: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(words: &'a [u32], nodes: usize) -> Self {
        Self { words, nodes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether there are at least so many nodes.
    pub(super) fn has(&self, nodes: u32) -> bool {
        nodes as usize <= self.nodes
    }

    pub(super) fn one(&mut self) -> Option<u32> {
        self.take(1)?.first().copied()
    }

    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u32]> {
        let (taken, rest) = self.words.split_at_checked(count)?;
        self.words = rest;
        Some(taken)
    }

    /// One node.
    pub(super) fn node(&mut self) -> Option<u32> {
        self.one().filter(|node| (*node as usize) < self.nodes)
    }

    /// A list of nodes.
    pub(super) fn nodes(&mut self) -> Option<&'a [u32]> {
        let count = self.one()?;
        let list = self.take(count as usize)?;
        list.iter().all(|node| (*node as usize) < self.nodes).then_some(list)
    }

    /// Bytes.
    pub(super) fn bytes(&mut self) -> Option<Vec<u8>> {
        let count = self.one()? as usize;
        let words = self.take(count.div_ceil(4))?;
        let mut bytes = words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
        bytes.truncate(count);
        Some(bytes)
    }

    /// A list of keys, whose nodes are nodes.
    pub(super) fn keys(&mut self) -> Option<impl Iterator<Item = u64> + use<'a>> {
        let count = self.one()? as usize;
        let (pairs, _) = self.take(count.checked_mul(2)?)?.as_chunks::<2>();
        let are_nodes = pairs.iter().all(|pair| (pair[1] as usize) < self.nodes);
        are_nodes.then(|| pairs.iter().map(|[distance, node]| key(*distance, *node)))
    }
}

/// Does units of a batch that another instance gave away
/// ([`Index::give_units`](crate::Index::give_units)), without sharing its memory.
///
/// ```
/// use edgevec::{BatchMode, Helper, Index, Metric};
///
/// let rows: Vec<f32> = (0..2400).map(|i| (i as f32 * 0.37).sin()).collect();
/// let mut index = Index::builder(4).metric(Metric::L2).build()?;
/// index.begin_batch(600, None, BatchMode::Strict, true)?;
/// let mut next = 0;
/// index.fill_batch(600, &mut |piece| {
///     piece.copy_from_slice(&rows[next..next + piece.len()]);
///     next += piece.len();
/// })?;
///
/// let mut helper = Helper::new(4, Metric::L2, index.m())?;
/// let mut loaded = 0;
/// loop {
///     let progress = index.step_batch(10_000)?;
///     if progress.ready {
///         break;
///     }
///     let parts = index.shared_parts(); // they become more as rows are coded
///     helper.load(&index.batch_parts(loaded, parts - loaded)?)?; // in as many portions as one likes
///     loaded = parts;
///     if let Some(units) = index.give_units() {
///         let answer = helper.work(&units)?; // elsewhere, while `step_batch` does what nobody was given
///         assert!(index.accept_units(&answer)?);
///     }
/// }
/// assert_eq!(index.finish_batch()?.inserted, 600);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Helper {
    codes: Codes,
    /// Those of the same rows, if there are any.
    sketches: Option<Codes>,
    /// Rows whose codes were loaded, and whose sketches.
    rows: usize,
    sketched: usize,
    m: usize,
    axes: Option<Axes>,
    scratch: Scratch,
    compass: Compass,
    leaf: Leaf,
    chooser: Chooser,
}

impl std::fmt::Debug for Helper {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Helper").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Helper {
    /// A helper for an index that was built with these parameters.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`].
    pub fn new(dimensions: usize, metric: Metric, m: usize) -> Result<Self, Error> {
        Builder::new(dimensions).metric(metric).m(m).ef_construction(m).build()?;
        Ok(Self {
            codes: Codes::new(dimensions, metric),
            sketches: None,
            rows: 0,
            sketched: 0,
            m,
            axes: None,
            scratch: Scratch::default(),
            compass: Compass::default(),
            leaf: Leaf::default(),
            chooser: Chooser::default(),
        })
    }

    /// Adds the next parts, as [`Index::batch_parts`](crate::Index::batch_parts) gives them.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] when they are not whole parts, [`Error::CapacityExceeded`] when
    /// memory runs out.
    pub fn load(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let rows = self.rows;
        let full = |OutOfMemory| Error::CapacityExceeded { current: rows, max: rows };
        if self.try_load(bytes).map_err(full)? {
            return Ok(());
        }
        let limit = "parts of the index's rows, as it gives them";
        Err(Error::argument("bytes", format!("{} bytes", bytes.len()), limit))
    }

    fn try_load(&mut self, bytes: &[u8]) -> Result<bool, OutOfMemory> {
        let Some((header, parts)) = bytes.split_first_chunk::<HEADER>() else {
            return Ok(bytes.is_empty());
        };
        let [a, b, c, d, coded @ ..] = *header;
        let dimensions = u32::from_le_bytes([a, b, c, d]) as usize;
        let coded = u32::from_le_bytes(coded) as usize;
        let split = coded.checked_mul(self.codes.row_bytes());
        let Some((codes, sketches)) = split.and_then(|split| parts.split_at_checked(split)) else {
            return Ok(false);
        };
        if !take_rows(&mut self.codes, &mut self.rows, codes)? {
            return Ok(false);
        }
        if sketches.is_empty() {
            return Ok(true);
        }
        if dimensions == 0 || dimensions > self.codes.dimensions() {
            return Ok(false);
        }
        let metric = self.codes.metric();
        let own = self.sketches.get_or_insert_with(|| Codes::new(dimensions, metric));
        Ok(own.dimensions() == dimensions && take_rows(own, &mut self.sketched, sketches)?)
    }

    /// Does units and returns the answer, for
    /// [`Index::accept_units`](crate::Index::accept_units).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] when they are not units of an index with the rows that were
    /// loaded, [`Error::CapacityExceeded`] when memory runs out.
    pub fn work(&mut self, units: &[u32]) -> Result<Vec<u32>, Error> {
        let outcome = check_headroom().and_then(|()| self.try_work(units));
        let full = |OutOfMemory| Error::CapacityExceeded { current: self.rows, max: self.rows };
        outcome.map_err(full)?.ok_or_else(|| {
            let limit = "the units of a batch whose codes were loaded";
            Error::argument("units", format!("{} words", units.len()), limit)
        })
    }

    fn try_work(&mut self, units: &[u32]) -> Result<Option<Vec<u32>>, OutOfMemory> {
        let Some((header, rest)) = units.split_first_chunk::<3>() else { return Ok(None) };
        let mut out = Words::default();
        out.extend(header);
        let kind = Kind::of(header[0]);
        let are_sketched = self.sketches.is_some() && kind != Some(Kind::Sketch);
        let loaded = if are_sketched { self.sketched.min(self.rows) } else { self.rows };
        let mut words = Reader::new(rest, loaded);
        let Self { codes, sketches, axes, scratch, compass, leaf, chooser, m, .. } = self;
        let rows = Rows::new(codes, sketches.as_ref());
        let done = match kind {
            Some(Kind::Sketch) => axes::work(&mut words, axes, codes, scratch, &mut out)?,
            Some(kind @ (Kind::Probe | Kind::Leaves)) => {
                let codes = if kind == Kind::Probe { rows.exact } else { rows.near };
                leaves::work(&mut words, leaf, codes, &mut out)?
            }
            Some(Kind::Route) => compass::work(&mut words, compass, rows, &mut out)?,
            Some(Kind::Select) => chooser::work_select(&mut words, chooser, *m, codes, &mut out),
            Some(Kind::Prune) => chooser::work_prune(&mut words, chooser, 2 * *m, codes, &mut out),
            None => None,
        };
        Ok(done.map(|()| out.0))
    }
}

/// What of some rows a helper can be given: parts, first the codes of each row, then the sketches.
pub(crate) struct Parts<'a> {
    pub(crate) codes: &'a Codes,
    /// Rows that are coded.
    pub(crate) coded: usize,
    /// The sketches, and how many rows have theirs.
    pub(crate) sketches: Option<(&'a Codes, usize)>,
}

/// Before parts: how many dimensions sketches have, and how many parts are codes.
const HEADER: usize = 8;

impl Parts<'_> {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.coded + self.sketches.map_or(0, |(_, sketched)| sketched)
    }

    /// Some of them for a [`Helper`]; empty when there are none.
    pub(crate) fn write(&self, parts: Range<usize>) -> Result<Vec<u8>, OutOfMemory> {
        let mut bytes = Vec::new();
        if parts.is_empty() {
            return Ok(bytes);
        }
        let coded = parts.start.min(self.coded)..parts.end.min(self.coded);
        let sketched = parts.start.max(self.coded)..parts.end.max(self.coded);
        let dimensions = self.sketches.map_or(0, |(sketches, _)| sketches.dimensions());
        let longest = self.codes.row_bytes();
        bytes.try_reserve_exact(HEADER + parts.len() * longest)?;
        bytes.extend((dimensions as u32).to_le_bytes());
        bytes.extend((coded.len() as u32).to_le_bytes());
        coded.for_each(|row| self.codes.append_to(row, &mut bytes));
        if let Some((sketches, _)) = self.sketches {
            sketched.for_each(|part| sketches.append_to(part - self.coded, &mut bytes));
        }
        Ok(bytes)
    }
}

/// Takes whole rows behind those that are there; false when they are none.
fn take_rows(codes: &mut Codes, rows: &mut usize, bytes: &[u8]) -> Result<bool, OutOfMemory> {
    let all = bytes.chunks_exact(codes.row_bytes());
    let are_whole = all.remainder().is_empty();
    for row in all {
        if !codes.load(*rows, row)? {
            return Ok(false);
        }
        *rows += 1;
    }
    Ok(are_whole)
}

/// Begins units of a kind.
pub(super) fn begin(kind: Kind, units: &Range<usize>, payload: Words) -> Vec<u32> {
    let mut words = Vec::with_capacity(3 + payload.0.len());
    words.extend([kind as u32, units.start as u32, units.end as u32]);
    words.extend(payload.0);
    words
}

/// Distances that a portion for a helper takes the time of, about: some milliseconds, so that all end
/// at about the same time, and the way there and back does not matter.
pub(super) const PORTION: u64 = 100_000 * PAIRS_PER_DISTANCE / 4;
