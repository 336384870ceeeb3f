// Rows to measure with, queries, and what each query must find: as the workloads of bench/js want them.

import { loadSample } from '../batch_insert/data.js';

const TOP = 10;
export const QUERIES = 200;
/** Centres of the generated clusters, and how far rows are from theirs: almost one lump, so that neighbours are hard to find. */
const CLUSTERS = 100;
const SCATTER = 0.9;
/** Milliseconds of exact searches between two yields. */
const SLICE_MS = 12;

export const SAMPLE_ROWS = 9500;
export const SAMPLE_DIMENSIONS = 384;

const pause = () => new Promise((resolve) => { setTimeout(resolve, 0); });

/** Rows around centres, the same in every engine: mulberry32 with a fixed seed. */
function generate(rows, dimensions) {
  let state = 7;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
  const centres = Float32Array.from({ length: CLUSTERS * dimensions }, random);
  const values = new Float32Array(rows * dimensions);
  for (let row = 0; row < rows; row++) {
    const centre = ((row * 7) % CLUSTERS) * dimensions;
    for (let i = 0; i < dimensions; i++) values[row * dimensions + i] = centres[centre + i] + SCATTER * random();
  }
  return values;
}

/** Rows of length 1. */
function scaled(values, dimensions) {
  const out = new Float32Array(values);
  for (let at = 0; at < out.length; at += dimensions) {
    let square = 0;
    for (let i = at; i < at + dimensions; i++) square += out[i] * out[i];
    const factor = 1 / Math.sqrt(square);
    for (let i = at; i < at + dimensions; i++) out[i] *= factor;
  }
  return out;
}

/** The nearest rows of each query by looking at all, in slices. */
async function exact(rows, queries, dimensions, signal) {
  const truth = new Uint32Array((queries.length / dimensions) * TOP);
  let yielded = performance.now();
  for (let query = 0; query * dimensions < queries.length; query++) {
    const near = []; // [similarity, row], nearest first
    for (let row = 0; row * dimensions < rows.length; row++) {
      let dot = 0;
      for (let i = 0; i < dimensions; i++) dot += rows[row * dimensions + i] * queries[query * dimensions + i];
      if (near.length === TOP && dot <= near[TOP - 1][0]) continue;
      const place = near.findIndex(([other]) => dot > other);
      near.splice(place < 0 ? near.length : place, 0, [dot, row]);
      near.length = Math.min(near.length, TOP);
    }
    truth.set(near.map(([, row]) => row), query * TOP);
    if (performance.now() - yielded < SLICE_MS) continue;
    await pause();
    signal.throwIfAborted();
    yielded = performance.now();
  }
  return truth;
}

/** A source of data sets: `open(rows)` gives the first rows with the true neighbours among them. */
export async function openSource({ source, rows, dimensions, signal }) {
  let values;
  if (source === 'sample') {
    const sample = await loadSample();
    dimensions = sample.dimensions;
    values = sample.vectors;
    rows = Math.min(rows, sample.rows - QUERIES);
  } else {
    values = generate(rows + QUERIES, dimensions);
  }
  values = scaled(values, dimensions);
  const queries = values.slice(-QUERIES * dimensions);
  const opened = new Map();
  return {
    rows,
    dimensions,
    async open(count) {
      if (!opened.has(count)) {
        const some = values.subarray(0, count * dimensions);
        const truth = await exact(some, queries, dimensions, signal);
        opened.set(count, { count, queryCount: QUERIES, dimensions, metric: 'cosine', top: TOP, rows: some, queries, truth });
      }
      return opened.get(count);
    },
  };
}
