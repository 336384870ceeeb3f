// What is done in every runtime: batches are inserted and searched, and the answers looked at.

const DIMENSIONS = 32;
const ROWS = 2000;

/** Fails with `message` unless `condition` holds. */
export function expect(condition, message) {
  if (!condition) throw new Error(message);
}

/** Numbers from −1 to 1, the same everywhere. */
function vectors(seed) {
  let state = seed;
  return Float32Array.from({ length: ROWS * DIMENSIONS }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/**
 * Inserts two batches, looks for a row of each, and returns what is in use and how many rows were inserted. The class
 * may be that of `edgevec/worker`, which answers with promises. `between` is called between the batches.
 */
export async function check(EdgeVec, config = {}, between = () => {}) {
  const index = await EdgeVec.create({ dimensions: DIMENSIONS, metric: 'l2' });
  let inserted = 0;
  for (const seed of [1, 2]) {
    const batch = vectors(seed);
    const result = await index.insertBatch(batch, config);
    expect(result.inserted === ROWS && result.ids.length === ROWS, `${result.inserted} of ${ROWS} rows were inserted`);
    inserted += result.inserted;
    expect((await index.size) === inserted, `the index has ${await index.size} rows instead of ${inserted}`);
    const row = ROWS - 1;
    const hits = await index.search(batch.subarray(row * DIMENSIONS), { k: 10 });
    expect(hits.length === 10, `${hits.length} hits instead of 10`);
    const [{ id, distance }] = hits;
    expect(id === result.ids[row] && Math.abs(distance) < 1e-6, `row ${result.ids[row]} is not found: ${id} at ${distance}`);
    if (seed === 1) await between();
  }
  index.close();
  return { backend: EdgeVec.backend, rows: inserted };
}

/** The same with a thread that helps; `heard` gets what threads say, of those that are started meanwhile. */
export async function checkHelped(EdgeVec, heard) {
  const started = Date.now();
  const ready = async () => {
    while (heard.length === 0) {
      expect(Date.now() - started < 20_000, 'the thread that helps does not start');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const result = await check(EdgeVec, { workers: 1 }, ready);
  expect(heard.some(({ answer }) => answer instanceof Uint32Array), 'the thread that helps did nothing');
  return result;
}
