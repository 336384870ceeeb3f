// The two ways of filling an index, measured alike: same rows, same parameters, a fresh index each,
// created before the clock starts. Nothing here touches the page.

export const PARAMETERS = { metric: 'cosine', m: 16, efConstruction: 200, seed: 7 };
export const EF_SEARCH = 64;
export const ELEMENT_TYPE = 'float32';
// Both ways run over this many rows of an index that is thrown away before the first measurement:
// engines compile WebAssembly again, faster, once they see that a function is hot. A batch of fewer rows has
// only one cell, and does not reach all of the functions.
const WARM_UP_ROWS = 1200;
// Searches between two yields while recall is measured: a few milliseconds.
const SEARCHES_PER_SLICE = 10;

const pause = () => new Promise((resolve) => setTimeout(resolve, 0));

export function createIndex(EdgeVec, sample) {
  return EdgeVec.create({ dimensions: sample.dimensions, ...PARAMETERS });
}

export async function warmUp(EdgeVec, sample) {
  const some = sample.vectors.subarray(0, WARM_UP_ROWS * sample.dimensions);
  const byRow = await createIndex(EdgeVec, sample);
  for (let i = 0; i < WARM_UP_ROWS; i++) {
    byRow.insert(sample.row(i));
    if (i % 20 === 19) await pause();
  }
  byRow.close();
  const byBatch = await createIndex(EdgeVec, sample);
  await byBatch.insertBatch(some, { workers: 0 });
  byBatch.close();
}

/** One `insert()` after the other, in one go: the thread belongs to it until the last row. */
export function insertInLoop(index, sample) {
  const start = performance.now();
  for (let i = 0; i < sample.rows; i++) index.insert(sample.row(i));
  return performance.now() - start;
}

/** One `insertBatch` of all rows, with its report. Rejects with `signal.reason` when aborted. */
export async function insertAsBatch(index, sample, { onProgress, signal, workers }) {
  const start = performance.now();
  const report = await index.insertBatch(sample.vectors, { onProgress, signal, workers });
  return { ms: performance.now() - start, report };
}

/**
 * The share of the exact nearest rows that the index finds, over the queries whose exact answer
 * comes with the data. A query is itself a row, so one hit more is asked for and that row left out.
 */
export async function measureRecall(index, sample) {
  const k = sample.neighbours;
  let found = 0;
  for (const [at, { query, nearest }] of sample.truth.entries()) {
    const hits = index.search(sample.row(query), { k: k + 1, ef: EF_SEARCH });
    const others = hits.filter(({ id }) => id !== query).slice(0, k);
    found += others.filter(({ id }) => nearest.includes(id)).length;
    if (at % SEARCHES_PER_SLICE === SEARCHES_PER_SLICE - 1) await pause();
  }
  return found / (sample.truth.length * k);
}

/**
 * Searches, repeated until the clock can tell the time of one: browsers round their clocks to as
 * much as a millisecond, which is longer than a search.
 */
export function timedSearch(index, query, k) {
  const start = performance.now();
  let hits;
  let runs = 0;
  do {
    hits = index.search(query, { k, ef: EF_SEARCH });
    runs++;
  } while (performance.now() - start < 10 && runs < 1000);
  return { hits, runs, ms: (performance.now() - start) / runs };
}
