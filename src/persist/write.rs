//! From an index to bytes.

use super::format::{CHECKSUM, HAS_CELLS, HAS_GRAPH, HAS_IDS, MAGIC, SPLIT, VERSION, checksum};
use crate::config::Metric;
use crate::error::Error;
use crate::hnsw::bulk::partition::{Child, Partition};
use crate::hnsw::graph::Links;
use crate::index::Index;
use crate::vectors::quantizer::Fit;

/// Bytes to come, in memory that was reserved for all of them.
struct Writer(Vec<u8>);

impl Writer {
    fn u8(&mut self, value: u8) {
        self.0.push(value);
    }
    fn u16(&mut self, value: u16) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }
    fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }
    fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }
    fn f32s(&mut self, values: &[f32]) {
        values.iter().for_each(|value| self.0.extend_from_slice(&value.to_le_bytes()));
    }
    fn u32s(&mut self, values: &[u32]) {
        values.iter().for_each(|value| self.u32(*value));
    }
}

/// The number that stands for a metric.
pub(super) const fn metric_number(metric: Metric) -> u32 {
    match metric {
        Metric::L2 => 0,
        Metric::Cosine => 1,
        Metric::Dot => 2,
    }
}

impl Index {
    /// The index as bytes, the same on every platform for the same index. Rows of a batch that is
    /// not done, and rows that wait for it, are not in them.
    ///
    /// # Errors
    ///
    /// [`Error::CapacityExceeded`] when there is no memory for the bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let (nodes, upper_rows, next_id, fit) = self.committed();
        let config = &self.config;
        let upper_rows = if nodes == 0 { 0 } else { upper_rows };

        let links: usize = (0..nodes as u32)
            .map(|node| {
                (0..=self.graph.level(node)).map(|l| self.graph.links(node, l).len()).sum::<usize>()
            })
            .sum();
        let size = 256
            + self.len * (8 + 4 * config.dimensions)
            + 4 * config.dimensions
            + 3 * nodes
            + 2 * upper_rows
            + 4 * links
            + partition_bytes(&self.partition);
        let mut bytes = Vec::new();
        if bytes.try_reserve_exact(size).is_err() {
            return Err(Error::CapacityExceeded { current: self.len, max: 0 });
        }
        let mut out = Writer(bytes);

        out.0.extend_from_slice(&MAGIC);
        out.u32(VERSION);
        let flag = |is: bool, flag: u32| if is { flag } else { 0 };
        let (has_ids, has_cells) = (self.ids.are_chosen(self.len), self.partition.nodes > 0);
        out.u32(flag(has_ids, HAS_IDS) | flag(nodes > 0, HAS_GRAPH) | flag(has_cells, HAS_CELLS));
        out.u32(config.dimensions as u32);
        out.u32(metric_number(config.metric));
        out.u32(config.m as u32);
        out.u32(config.ef_construction as u32);
        out.u64(config.seed);
        out.u64(self.len as u64);
        out.u64(next_id);

        for row in 0..self.len {
            out.f32s(self.vectors.row(row));
        }
        if has_ids {
            (0..self.len as u32).for_each(|node| out.u64(self.ids.id_of(node)));
        }
        if nodes > 0 {
            self.write_quantizer(&mut out, fit);
            self.write_graph(&mut out, nodes, upper_rows);
        }
        if has_cells {
            write_partition(&self.partition, &mut out);
        }
        let sum = checksum(&out.0);
        out.u64(sum);
        debug_assert!(out.0.len() <= size && out.0.len() > CHECKSUM);
        Ok(out.0)
    }

    /// What of the graph, the ids and the quantizer is committed: all, or what was before the
    /// batch that is running.
    fn committed(&self) -> (usize, usize, u64, Fit) {
        match &self.job {
            Some(job) => {
                let before = job.before();
                (before.nodes, before.upper_rows, before.next_id, before.fit)
            }
            None => (self.graph.len(), self.graph.upper_rows(), self.ids.next(), self.codes.fit()),
        }
    }

    fn write_quantizer(&self, out: &mut Writer, fit: Fit) {
        let Some(quantizer) = &self.codes.quantizer else { return };
        out.u64(quantizer.trained_rows);
        out.u64(quantizer.trained_energy.to_bits());
        out.u64(fit.rows);
        out.u64(fit.saturated);
        out.u64(fit.energy);
        out.f32s(&[quantizer.scale]);
        out.f32s(&quantizer.mean);
    }

    fn write_graph(&self, out: &mut Writer, nodes: usize, upper_rows: usize) {
        let graph = &self.graph;
        out.u32(graph.entry_node().unwrap_or_default());
        out.u32(upper_rows as u32);
        for node in 0..nodes as u32 {
            let level = graph.level(node);
            out.u8(level as u8);
            for layer in 0..=level {
                let links = graph.links(node, layer);
                out.u16(links.len() as u16);
                out.u32s(links);
            }
        }
    }
}

fn partition_bytes(partition: &Partition) -> usize {
    let splits = partition.splits.iter().map(|split| 4 + 8 * split.leaders.len()).sum::<usize>();
    let cells = partition.cells.iter().map(|cell| 4 + 4 * cell.len()).sum::<usize>();
    20 + splits + cells
}

fn write_partition(partition: &Partition, out: &mut Writer) {
    out.u32(partition.nodes as u32);
    out.u32(partition.drawn_from as u32);
    out.u32(partition.fan_out as u32);
    out.u32(partition.splits.len() as u32);
    out.u32(partition.cells.len() as u32);
    for split in &partition.splits {
        out.u32(split.leaders.len() as u32);
        for (leader, child) in split.leaders.iter().zip(&split.children) {
            out.u32(*leader);
            out.u32(match child {
                Child::Cell(cell) => *cell,
                Child::Split(split) => SPLIT | split,
            });
        }
    }
    for cell in &partition.cells {
        out.u32(cell.len() as u32);
        out.u32s(cell);
    }
}
