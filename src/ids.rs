//! Which id belongs to which row.
//!
//! A node is the place of a row in memory, counted from 0; an id is what users call the row. As
//! long as nobody chooses ids they are the same number and nothing is stored. The first id that
//! differs makes a table in both directions.
//!
//! An id may be taken before its row has a place: by an insert that waits for a batch.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::config::MAX_ID;
use crate::error::OutOfMemory;

/// The place of an id whose row waits for one.
const WAITING: u32 = u32::MAX;

/// Spreads integer ids. Keys are the caller's own numbers, so no attack needs to be held off, and
/// SipHash would double the size of this table's code in WebAssembly.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, value: u64) {
        let product = (self.0 ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = product ^ (product >> 32);
    }
}

#[derive(Default)]
struct Table {
    by_node: Vec<u64>,
    nodes: HashMap<u64, u32, BuildHasherDefault<IdHasher>>,
}

/// Why an id could not be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdError {
    /// The id belongs to another row.
    Taken(u64),
    /// No memory, or no id is left.
    Full,
}

impl From<OutOfMemory> for IdError {
    fn from(_: OutOfMemory) -> Self {
        Self::Full
    }
}

/// The ids of the rows `0..rows`.
#[derive(Default)]
pub(crate) struct Ids {
    rows: usize,
    /// No id below it is free for the index to choose.
    next: u64,
    /// Absent while every id is its node's number.
    table: Option<Table>,
}

impl Ids {
    /// The id the index would try next.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    pub(crate) fn bytes(&self) -> usize {
        self.table.as_ref().map_or(0, |table| {
            table.by_node.capacity() * 8 + table.nodes.capacity() * (size_of::<(u64, u32)>() + 1)
        })
    }

    /// Whether the ids of the first `rows` rows are not all their nodes' numbers.
    pub(crate) fn are_chosen(&self, rows: usize) -> bool {
        (0..rows as u32).any(|node| self.id_of(node) != u64::from(node))
    }

    /// The id of a row.
    #[inline]
    pub(crate) fn id_of(&self, node: u32) -> u64 {
        let stored = self.table.as_ref().and_then(|table| table.by_node.get(node as usize));
        stored.copied().unwrap_or(u64::from(node))
    }

    /// The row of an id.
    pub(crate) fn node_of(&self, id: u64) -> Option<u32> {
        match &self.table {
            None => (id < self.rows as u64).then_some(id as u32),
            Some(table) => table.nodes.get(&id).copied().filter(|node| *node != WAITING),
        }
    }

    fn is_taken(&self, id: u64) -> bool {
        match &self.table {
            None => id < self.rows as u64,
            Some(table) => table.nodes.contains_key(&id),
        }
    }

    /// Gives the next row the id asked for, or the next free one.
    pub(crate) fn assign(&mut self, wanted: Option<u64>) -> Result<u64, IdError> {
        let id = self.choose(wanted, &[])?;
        if self.table.is_none() && id != self.rows as u64 {
            self.make_table()?;
        }
        if let Some(table) = &mut self.table {
            table.add(id, self.rows)?;
        }
        self.rows += 1;
        self.pass(id);
        Ok(id)
    }

    /// Takes an id for a row that gets its place later, by [`bind`](Self::bind). Those in `held`, which
    /// rise, are somebody else's.
    pub(crate) fn take(&mut self, wanted: Option<u64>, held: &[u64]) -> Result<u64, IdError> {
        let id = self.choose(wanted, held)?;
        if self.table.is_none() {
            self.make_table()?;
        }
        if let Some(table) = &mut self.table {
            table.nodes.try_reserve(1).map_err(OutOfMemory::from)?;
            table.nodes.insert(id, WAITING);
        }
        self.pass(id);
        Ok(id)
    }

    /// Makes room for one more row, so that [`bind`](Self::bind) cannot fail.
    pub(crate) fn reserve_one(&mut self) -> Result<(), OutOfMemory> {
        if let Some(table) = &mut self.table {
            table.by_node.try_reserve(1)?;
        }
        Ok(())
    }

    /// Gives the next row an id that was taken for it.
    pub(crate) fn bind(&mut self, id: u64) {
        if let Some(table) = &mut self.table {
            table.by_node.push(id);
            table.nodes.insert(id, self.rows as u32);
        }
        self.rows += 1;
    }

    /// Takes back what was given to the rows from `rows` on; `next` is what it was then. Ids taken
    /// for rows without a place stay taken.
    pub(crate) fn truncate(&mut self, rows: usize, next: u64) {
        if let Some(table) = &mut self.table {
            for id in table.by_node.drain(rows.min(table.by_node.len())..) {
                table.nodes.remove(&id);
            }
        }
        self.rows = rows;
        self.next = next;
        let none_waits = self.table.as_ref().is_some_and(|table| table.nodes.len() == rows);
        if none_waits && !self.are_chosen(rows) {
            self.table = None;
        }
    }

    /// Sets the id tried next; for reading a file.
    pub(crate) fn set_next(&mut self, next: u64) {
        self.next = next;
    }

    fn choose(&self, wanted: Option<u64>, held: &[u64]) -> Result<u64, IdError> {
        let is_taken = |id: u64| self.is_taken(id) || held.binary_search(&id).is_ok();
        if let Some(id) = wanted {
            return if is_taken(id) { Err(IdError::Taken(id)) } else { Ok(id) };
        }
        let mut id = self.next;
        while is_taken(id) {
            id += 1;
        }
        if id > MAX_ID { Err(IdError::Full) } else { Ok(id) }
    }

    fn pass(&mut self, id: u64) {
        if id == self.next {
            self.next += 1;
        }
    }

    fn make_table(&mut self) -> Result<(), OutOfMemory> {
        let mut table = Table::default();
        table.by_node.try_reserve(self.rows + 1)?;
        table.nodes.try_reserve(self.rows + 1)?;
        for node in 0..self.rows {
            table.add(node as u64, node)?;
        }
        self.table = Some(table);
        Ok(())
    }
}

impl Table {
    fn add(&mut self, id: u64, node: usize) -> Result<(), OutOfMemory> {
        self.by_node.try_reserve(1)?;
        self.nodes.try_reserve(1)?;
        self.by_node.push(id);
        self.nodes.insert(id, node as u32);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_nobody_chooses_are_the_node_numbers_and_cost_nothing() {
        let mut ids = Ids::default();
        for node in 0..100 {
            assert_eq!(ids.assign(None), Ok(node));
        }
        assert_eq!(ids.assign(Some(100)), Ok(100));
        assert_eq!((ids.bytes(), ids.id_of(100), ids.node_of(100)), (0, 100, Some(100)));
        assert_eq!(ids.node_of(101), None);
        assert_eq!(ids.assign(Some(7)), Err(IdError::Taken(7)));
    }

    #[test]
    fn chosen_ids_are_kept_and_free_ones_skip_them() {
        let mut ids = Ids::default();
        assert_eq!(ids.assign(None), Ok(0));
        assert_eq!(ids.assign(Some(1)), Ok(1));
        assert_eq!(ids.assign(Some(MAX_ID)), Ok(MAX_ID));
        assert_eq!(ids.assign(Some(3)), Ok(3));
        assert_eq!(ids.assign(None), Ok(2));
        assert_eq!(ids.assign(None), Ok(4));
        assert_eq!(ids.node_of(MAX_ID), Some(2));
        assert_eq!(ids.id_of(2), MAX_ID);
        assert_eq!(ids.assign(Some(MAX_ID)), Err(IdError::Taken(MAX_ID)));
    }

    #[test]
    fn taking_back_frees_the_ids_but_not_those_of_waiting_rows() {
        let mut ids = Ids::default();
        assert_eq!(ids.assign(None), Ok(0));
        let before = (1, ids.next());
        assert_eq!(ids.assign(Some(50)), Ok(50));
        assert_eq!(ids.take(None, &[]), Ok(1));
        assert_eq!(ids.node_of(1), None);
        assert_eq!(ids.assign(None), Ok(2));
        ids.truncate(before.0, before.1);
        assert_eq!(ids.node_of(50), None);
        assert_eq!(ids.assign(Some(1)), Err(IdError::Taken(1)));
        ids.bind(1);
        assert_eq!((ids.node_of(1), ids.id_of(1)), (Some(1), 1));
        assert_eq!(ids.assign(None), Ok(2));
    }

    #[test]
    fn nothing_is_left_of_ids_that_were_taken_back() {
        let mut ids = Ids::default();
        assert_eq!(ids.assign(None), Ok(0));
        assert_eq!(ids.assign(Some(70)), Ok(70));
        assert!(!ids.are_chosen(1) && ids.are_chosen(2));
        ids.truncate(1, 1);
        assert!(!ids.are_chosen(1) && ids.bytes() == 0);
        assert_eq!(ids.assign(None), Ok(1));
    }

    #[test]
    fn an_id_that_is_held_for_somebody_is_not_taken() {
        let mut ids = Ids::default();
        assert_eq!(ids.take(Some(5), &[4, 5, 6]), Err(IdError::Taken(5)));
        assert_eq!(ids.take(None, &[0, 1, 3]), Ok(2));
        assert_eq!(ids.take(None, &[0, 1, 3]), Ok(4));
        assert_eq!(ids.assign(Some(3)), Ok(3));
    }
}
