//! Leaders that draw about as many nodes each.
//!
//! In many dimensions a few leaders are near to everything; their cells would be many times larger
//! than others, and what cells cost grows with the square of their size. So each leader gets a bias
//! that is added to its distances: it grows where a sample of nodes finds the leader too often, and
//! falls where it does so too rarely.

use super::PAIRS_PER_DISTANCE;
use super::filled;
use super::route::Compass;
use crate::error::OutOfMemory;
use crate::vectors::codes::Codes;

/// Nodes of the sample for each leader.
const SAMPLE: usize = 4;
/// Leaders that a node of the sample counts for, about as many as nodes join.
const COUNTED: usize = 8;
/// How often the sample is looked at.
const ROUNDS: usize = 3;
/// The largest change in a round, in shares of the distance between the first leader counted and the
/// last: three rounds bring cells of five times the mean size below one and a half times.
const STEP: f64 = 0.8;
/// Nodes of the sample looked at in one unit of work.
const UNIT_NODES: usize = 64;

/// Leaders being balanced.
pub(super) struct Balance {
    sample: Vec<u32>,
    biases: Vec<f64>,
    counts: Vec<u32>,
    counted: usize,
    /// Sum of the distances between the first leader counted and the last.
    spread: u64,
    next: usize,
    rounds: usize,
    joined: Vec<u16>,
}

impl Balance {
    /// Of leaders in `compass`, by a sample of the nodes that come to them.
    pub(super) fn new(members: &[u32], compass: &Compass) -> Result<Self, OutOfMemory> {
        let leaders = compass.len();
        let count = (SAMPLE * leaders).min(members.len());
        let mut sample = filled(count, 0)?;
        for (i, node) in sample.iter_mut().enumerate() {
            *node = members[i * members.len() / count];
        }
        let counted = COUNTED.min(leaders);
        Ok(Self {
            sample,
            biases: filled(leaders, 0.0)?,
            counts: filled(leaders, 0)?,
            counted,
            spread: 0,
            next: 0,
            rounds: 0,
            joined: filled(UNIT_NODES * counted, 0)?,
        })
    }

    pub(super) fn bytes(&self) -> usize {
        4 * self.sample.capacity() + 12 * self.biases.capacity()
    }

    pub(super) fn is_done(&self) -> bool {
        self.rounds == ROUNDS
    }

    /// Does the next unit of work and returns what it cost in distances. The biases go to `compass`
    /// and, in the end, to the partition.
    pub(super) fn step(&mut self, compass: &mut Compass, codes: &Codes) -> u64 {
        let end = (self.next + UNIT_NODES).min(self.sample.len());
        let members = &self.sample[self.next..end];
        let joined = &mut self.joined[..members.len() * self.counted];
        self.spread += compass.find(members, codes, joined);
        joined.iter().for_each(|leader| self.counts[usize::from(*leader)] += 1);
        let cost = (members.len() * compass.len()) as u64 / PAIRS_PER_DISTANCE;
        self.next = end;
        if self.next == self.sample.len() {
            self.next = 0;
            self.rounds += 1;
            self.adjust(compass);
        }
        cost
    }

    /// Changes the biases by what was counted.
    fn adjust(&mut self, compass: &mut Compass) {
        let mean = (self.sample.len() * self.counted) as f64 / self.counts.len() as f64;
        let step = STEP * self.spread as f64 / self.sample.len() as f64;
        for (bias, count) in self.biases.iter_mut().zip(&self.counts) {
            // Near the logarithm of their ratio, in operations that are the same everywhere.
            let count = f64::from(*count);
            *bias += step * (count - mean) / (count + mean);
        }
        let least = self.biases.iter().copied().fold(f64::INFINITY, f64::min);
        compass.set_biases(self.biases.iter().map(|bias| (bias - least) as u32));
        self.counts.fill(0);
        self.spread = 0;
    }
}
