//! From bytes to an index. Any bytes are taken: what is not an index is an error that says where.
//!
//! Sizes are compared with the bytes that are there before memory is asked for, so a short file
//! cannot ask for much. What was read is checked by the rules the index keeps while it lives.

use super::format::{CHECKSUM, HAS_CELLS, HAS_GRAPH, HAS_IDS, MAGIC, SPLIT, VERSION, checksum};
use super::write::metric_number;
use crate::config::{Builder, Config, MAX_ID, MAX_ROWS, Metric};
use crate::error::{Error, OutOfMemory};
use crate::hnsw::bulk::partition::{Child, Partition, Split};
use crate::hnsw::graph::{Graph, Links, TOP_LEVEL};
use crate::index::Index;
use crate::vectors::check;
use crate::vectors::quantizer::{Fit, Quantizer};

/// Bytes not read yet.
struct Reader<'a> {
    bytes: &'a [u8],
    offset: u64,
}

impl<'a> Reader<'a> {
    fn corrupt(&self, reason: &'static str) -> Error {
        Error::Corrupt { offset: self.offset, reason }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let Some((taken, rest)) = self.bytes.split_at_checked(count) else {
            return Err(self.corrupt("it ends too early"));
        };
        self.bytes = rest;
        self.offset += count as u64;
        Ok(taken)
    }

    /// Takes `count` values of `N` bytes each.
    fn values<const N: usize>(
        &mut self,
        count: usize,
    ) -> Result<impl Iterator<Item = [u8; N]> + use<'a, N>, Error> {
        let bytes =
            count.checked_mul(N).ok_or_else(|| self.corrupt("a count is larger than memory"))?;
        Ok(self.take(bytes)?.as_chunks::<N>().0.iter().copied())
    }

    fn one<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        self.values(1)?.next().ok_or_else(|| self.corrupt("it ends too early"))
    }

    fn u32(&mut self) -> Result<u32, Error> {
        Ok(u32::from_le_bytes(self.one()?))
    }
    fn u64(&mut self) -> Result<u64, Error> {
        Ok(u64::from_le_bytes(self.one()?))
    }
}

impl Index {
    /// The index that [`to_bytes`](Self::to_bytes) wrote. It gives the same answers and goes on
    /// as if it had never been away.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`] for bytes that are not an index of this version, were cut or changed;
    /// [`Error::CapacityExceeded`] when there is no memory for it. Never panics.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let (body, sum) = bytes.split_at(bytes.len().saturating_sub(CHECKSUM));
        let mut header = Reader { bytes: body, offset: 0 };
        if header.take(MAGIC.len())? != MAGIC {
            return Err(Error::Corrupt { offset: 0, reason: "it does not start as an index" });
        }
        if header.u32()? != VERSION {
            return Err(Error::Corrupt { offset: 8, reason: "its version is not known" });
        }
        if sum != checksum(body).to_le_bytes() {
            let offset = body.len() as u64;
            return Err(Error::Corrupt { offset, reason: "the checksum does not match" });
        }
        read_body(&mut header)
    }
}

fn read_body(reader: &mut Reader<'_>) -> Result<Index, Error> {
    let flags = reader.u32()?;
    if flags & !(HAS_IDS | HAS_GRAPH | HAS_CELLS) != 0 {
        return Err(reader.corrupt("a flag is not known"));
    }
    let config = read_config(reader)?;
    let rows = reader.u64()?;
    let next_id = reader.u64()?;
    if next_id > MAX_ID {
        return Err(reader.corrupt("the next id is too large"));
    }
    // No row takes less than its vector, so this also keeps the counts below inside usize.
    let row_bytes = 4 * config.dimensions as u64;
    if rows > MAX_ROWS as u64 || rows * row_bytes > reader.bytes.len() as u64 {
        return Err(reader.corrupt("it has fewer bytes than rows"));
    }
    let rows = rows as usize;
    let full = |OutOfMemory| Error::CapacityExceeded { current: rows, max: 0 };

    let mut index = Index::new(config);
    index.vectors.reserve(rows).map_err(full)?;
    for row in 0..rows {
        read_vector(reader, &config, index.vectors.row_mut(row))?;
    }
    let mut ids = reader.values(if flags & HAS_IDS == 0 { 0 } else { rows })?;
    for _ in 0..rows {
        let id = ids.next().map(u64::from_le_bytes);
        if id.is_some_and(|id| id > MAX_ID) {
            return Err(reader.corrupt("an id is too large"));
        }
        index.ids.assign(id).map_err(|_| reader.corrupt("an id is there twice"))?;
    }
    index.ids.set_next(next_id);
    if flags & HAS_GRAPH != 0 {
        index.codes.quantizer = Some(read_quantizer(reader, &config)?);
        index.codes.reserve(rows).map_err(full)?;
        index.code_rows(rows);
        index.graph = read_graph(reader, &config, rows)?;
    }
    if flags & HAS_CELLS != 0 {
        index.partition = read_partition(reader, rows)?;
    }
    index.len = rows;
    if !reader.bytes.is_empty() {
        return Err(reader.corrupt("it goes on behind the end"));
    }
    index
        .validate()
        .map_err(|_| reader.corrupt("a rule of the graph or of its cells is broken"))?;
    Ok(index)
}

fn read_config(reader: &mut Reader<'_>) -> Result<Config, Error> {
    let dimensions = reader.u32()? as usize;
    let number = reader.u32()?;
    let metric = [Metric::L2, Metric::Cosine, Metric::Dot]
        .into_iter()
        .find(|metric| metric_number(*metric) == number)
        .ok_or_else(|| reader.corrupt("its metric is not known"))?;
    let m = reader.u32()? as usize;
    let ef_construction = reader.u32()? as usize;
    let seed = reader.u64()?;
    let builder = Builder::new(dimensions).metric(metric).m(m);
    let config = builder.ef_construction(ef_construction).seed(seed).check();
    config.map_err(|_| reader.corrupt("a parameter is outside its range"))
}

fn read_vector(reader: &mut Reader<'_>, config: &Config, row: &mut [f32]) -> Result<(), Error> {
    for (x, bytes) in row.iter_mut().zip(reader.values(config.dimensions)?) {
        *x = f32::from_le_bytes(bytes);
    }
    check(config.metric, row).map_err(|_| reader.corrupt("a vector is not one of its metric"))?;
    let mut scaled = row.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
    if config.metric != Metric::Cosine {
        scaled = 1.0;
    }
    // A stored row of length 1 is off by the rounding of its components.
    if (scaled - 1.0).abs() > 1e-5 {
        return Err(reader.corrupt("a vector is not of length 1"));
    }
    Ok(())
}

fn read_quantizer(reader: &mut Reader<'_>, config: &Config) -> Result<Quantizer, Error> {
    let trained_rows = reader.u64()?;
    let trained_energy = f64::from_bits(reader.u64()?);
    let fit = Fit { rows: reader.u64()?, saturated: reader.u64()?, energy: reader.u64()? };
    let scale = f32::from_le_bytes(reader.one()?);
    let mut mean = Vec::new();
    let means = reader.values(config.dimensions)?;
    mean.try_reserve_exact(config.dimensions)
        .map_err(|_| Error::CapacityExceeded { current: 1, max: 0 })?;
    mean.extend(means.map(f32::from_le_bytes));
    let sound = scale.is_finite()
        && scale > 0.0
        && trained_energy.is_finite()
        && mean.iter().all(|x| x.is_finite());
    if !sound {
        return Err(reader.corrupt("the quantizer is not one"));
    }
    Ok(Quantizer { mean, scale, trained_rows, trained_energy, fit, last_saturated: 0 })
}

fn read_graph(reader: &mut Reader<'_>, config: &Config, nodes: usize) -> Result<Graph, Error> {
    let full = |OutOfMemory| Error::CapacityExceeded { current: nodes, max: 0 };
    let mut graph = Graph::new(config.m);
    let entry = reader.u32()?;
    let upper_rows = reader.u32()?;
    let mut links = Vec::new();
    for node in 0..nodes as u32 {
        let [level] = reader.one()?;
        let level = usize::from(level);
        if level > TOP_LEVEL {
            return Err(reader.corrupt("a node is on a layer that does not exist"));
        }
        graph.add_node(level).map_err(full)?;
        for layer in 0..=level {
            let count = usize::from(u16::from_le_bytes(reader.one()?));
            if count > graph.capacity(layer) {
                return Err(reader.corrupt("a node has too many links"));
            }
            links.clear();
            links.extend(reader.values(count)?.map(u32::from_le_bytes));
            graph.set_links(node, layer, &links).map_err(full)?;
        }
    }
    if entry as usize >= nodes || graph.upper_rows() != upper_rows as usize {
        return Err(reader.corrupt("the graph is not whole"));
    }
    graph.set_entry(entry);
    Ok(graph)
}

fn read_partition(reader: &mut Reader<'_>, rows: usize) -> Result<Partition, Error> {
    let full = |OutOfMemory| Error::CapacityExceeded { current: rows, max: 0 };
    let mut partition = Partition {
        nodes: reader.u32()? as usize,
        drawn_from: reader.u32()? as usize,
        fan_out: reader.u32()? as usize,
        ..Partition::default()
    };
    let (splits, cells) = (reader.u32()?, reader.u32()?);
    for _ in 0..splits {
        let count = reader.u32()? as usize;
        let mut split = Split::default();
        for pair in reader.values::<8>(count)? {
            let [leader, child]: [u32; 2] = bytemuck::cast(pair);
            let (leader, child) = (u32::from_le(leader), u32::from_le(child));
            split.leaders.push(leader);
            let number = child & !SPLIT;
            let is_split = child & SPLIT != 0;
            split.children.push(if is_split { Child::Split(number) } else { Child::Cell(number) });
        }
        partition.splits.push(split);
    }
    for _ in 0..cells {
        let count = reader.u32()? as usize;
        let nodes = reader.values::<4>(count)?.map(u32::from_le_bytes);
        let mut cell = Vec::new();
        cell.try_reserve_exact(count).map_err(|_| full(OutOfMemory))?;
        cell.extend(nodes);
        partition.cells.push(cell);
    }
    Ok(partition)
}
