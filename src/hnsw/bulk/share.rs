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

use super::leaf::Leaf;
use super::link::{self, Chooser};
use super::route::{self, Compass};
use super::sketch::Rows;
use super::{PAIRS_PER_DISTANCE, leaves};
use crate::config::{Builder, Metric};
use crate::error::{Error, OutOfMemory, check_headroom};
use crate::vectors::codes::Codes;
use crate::vectors::key;

/// What units are about; the first word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Route,
    Leaves,
    Select,
    Prune,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Route, Self::Leaves, Self::Select, Self::Prune];

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

    /// Some words without their number.
    pub(super) fn extend(&mut self, words: &[u32]) {
        self.0.extend_from_slice(words);
    }

    /// Some words after their number.
    pub(super) fn list(&mut self, words: impl ExactSizeIterator<Item = u32>) {
        self.push(words.len());
        self.0.extend(words);
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
/// let mut helper = None;
/// loop {
///     let progress = index.step_batch(10_000)?;
///     if progress.ready {
///         break;
///     }
///     let Some(shared) = index.shared_rows() else { continue }; // rows are not coded yet
///     if helper.is_none() {
///         let mut new = Helper::new(4, Metric::L2, index.m())?;
///         new.load(&index.batch_codes(0, shared)?)?; // once, in as many portions as one likes
///         helper = Some(new);
///     }
///     if let (Some(helper), Some(units)) = (&mut helper, index.give_units()) {
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
    rows: usize,
    m: usize,
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
            m,
            compass: Compass::default(),
            leaf: Leaf::default(),
            chooser: Chooser::default(),
        })
    }

    /// Adds the codes of the next rows, as [`Index::batch_codes`](crate::Index::batch_codes) gives
    /// them.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] when they are not whole rows, [`Error::CapacityExceeded`] when
    /// memory runs out.
    pub fn load(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let rows = self.rows;
        let full = |OutOfMemory| Error::CapacityExceeded { current: rows, max: rows };
        if self.try_load(bytes).map_err(full)? {
            return Ok(());
        }
        let limit = "codes of the index's rows, as it gives them";
        Err(Error::argument("bytes", format!("{} bytes", bytes.len()), limit))
    }

    fn try_load(&mut self, bytes: &[u8]) -> Result<bool, OutOfMemory> {
        let Some((dimensions, rows)) = bytes.split_first_chunk::<HEADER>() else {
            return Ok(bytes.is_empty());
        };
        let dimensions = u32::from_le_bytes(*dimensions) as usize;
        let loaded = self.sketches.as_ref().map_or(0, Codes::dimensions);
        if dimensions > self.codes.dimensions() || (self.rows > 0 && dimensions != loaded) {
            return Ok(false);
        }
        if dimensions != loaded {
            let metric = self.codes.metric();
            self.sketches = (dimensions > 0).then(|| Codes::new(dimensions, metric));
        }
        let split = self.codes.row_bytes();
        let row_bytes = split + self.sketches.as_ref().map_or(0, Codes::row_bytes);
        let rows = rows.chunks_exact(row_bytes);
        let are_whole = rows.remainder().is_empty();
        for row in rows {
            let (codes, sketch) = row.split_at(split);
            let is_sound = self.codes.load(self.rows, codes)?
                && match &mut self.sketches {
                    Some(sketches) => sketches.load(self.rows, sketch)?,
                    None => true,
                };
            if !is_sound {
                return Ok(false);
            }
            self.rows += 1;
        }
        Ok(are_whole)
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
        let mut words = Reader::new(rest, self.rows);
        let Self { codes, sketches, compass, leaf, chooser, m, .. } = self;
        let rows = Rows::new(codes, sketches.as_ref());
        let done = match Kind::of(header[0]) {
            Some(Kind::Route) => route::work(&mut words, compass, rows, &mut out)?,
            Some(Kind::Leaves) => leaves::work(&mut words, leaf, rows.near, &mut out)?,
            Some(Kind::Select) => link::work_select(&mut words, chooser, *m, codes, &mut out),
            Some(Kind::Prune) => link::work_prune(&mut words, chooser, 2 * *m, codes, &mut out),
            None => None,
        };
        Ok(done.map(|()| out.0))
    }
}

/// Bytes before a portion of rows: how many dimensions sketches have, 0 where there are none.
const HEADER: usize = 4;

/// The codes of some rows for helpers, each with its sketch behind it.
pub(crate) fn portion(
    codes: &Codes,
    sketches: Option<&Codes>,
    rows: Range<usize>,
) -> Result<Vec<u8>, OutOfMemory> {
    let mut bytes = Vec::new();
    if !rows.is_empty() {
        let row_bytes = codes.row_bytes() + sketches.map_or(0, Codes::row_bytes);
        bytes.try_reserve_exact(HEADER + rows.len() * row_bytes)?;
        bytes.extend((sketches.map_or(0, Codes::dimensions) as u32).to_le_bytes());
    }
    for row in rows {
        codes.append_to(row, &mut bytes);
        if let Some(sketches) = sketches {
            sketches.append_to(row, &mut bytes);
        }
    }
    Ok(bytes)
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
