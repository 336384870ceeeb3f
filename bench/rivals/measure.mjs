// One contender, one way of building, one data set: what is measured, in Node (`in-node.mjs`) and in a page (`page.mjs`).
//
// An adapter exports `about`, `ways` and a function that loads its library by the help of a host, and resolves to
// `create(data, way)` and, where what was saved can be loaded, `load(file, data, way)`. What `create` returns has
// `parameters`, `one(vector, id)` or `all()`, `count()`, `search(query, k, ef)` (row numbers, nearest first) and
// perhaps `save(file)`. `native/measure.py` and `bench/src/contender.rs` measure the same.
//
// A host has `inPage`, `asset(file)` with the bytes of a file in node_modules, and `write(file, bytes)` and `read(file)` of
// what is saved; for what is here `open()` with the data set, `clock()`, `stopwatch()`, `residentBytes()`, `temporary()`.
import { row } from './adapters/rows.mjs';

const EFS = [10, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512];
/** A sweep ends at this recall, or when two more steps of ef raise it by less than that. */
const [ENOUGH, RISE] = [0.999, 0.001];
/** All queries are asked so often, and until that takes so long; the fastest pass counts. One that takes longer is the only one. */
const [PASSES, TIMED_MS, LONG_MS] = [3, 200, 1500];
/** Every so many-th row is searched for, with so many candidates that it is found if a way leads to it. */
const [PROBE_EVERY, PROBE_EF] = [100, 512];
/** Queries whose answers are compared after loading, and their candidates. */
const [COMPARED, COMPARED_EF] = [50, 64];

/** All vectors at unit length. */
function unit(vectors, dimensions) {
  for (let from = 0; from < vectors.length; from += dimensions) {
    const vector = vectors.subarray(from, from + dimensions);
    const length = Math.hypot(...vector);
    vectors.set(vector.map((value) => value / length), from);
  }
}

/** The data set; what knows squared L2 only gets vectors on which that has the order of cosine. */
async function opened(host, l2Only) {
  const data = await host.open();
  if (data.metric === 'l2') return { ...data, as: 'squared L2' };
  if (!l2Only) return { ...data, as: data.metric };
  unit(data.rows, data.dimensions);
  unit(data.queries, data.dimensions);
  return { ...data, metric: 'l2', as: 'squared L2 of unit vectors' };
}

/** Inserts all rows; `holdMs` is the longest time that nothing else could run. */
async function built(host, index, data) {
  let holdMs = 0;
  const taken = await host.clock();
  if (index.one) {
    for (let id = 0; id < data.count; id += 1) {
      const start = performance.now();
      const inserted = index.one(row(data, id), id);
      if (inserted instanceof Promise) await inserted;
      holdMs = Math.max(holdMs, performance.now() - start);
    }
    return { ...(await taken()), holdMs };
  }
  let last = performance.now();
  const tick = () => {
    const now = performance.now();
    holdMs = Math.max(holdMs, now - last);
    last = now;
  };
  const timer = setInterval(tick, 1);
  await index.all();
  const time = await taken();
  tick();
  clearInterval(timer);
  return { ...time, holdMs };
}

const queryOf = (data, number) => data.queries.subarray(number * data.dimensions, (number + 1) * data.dimensions);

/** Asks every query; returns how many of the true neighbours are among the answers. */
async function askAll(index, data, ef) {
  let found = 0;
  for (let number = 0; number < data.queryCount; number += 1) {
    let hits = index.search(queryOf(data, number), data.top, ef);
    if (hits instanceof Promise) hits = await hits;
    const truth = data.truth.subarray(number * data.top, (number + 1) * data.top);
    for (const id of hits) if (truth.includes(id)) found += 1;
  }
  return found;
}

async function sweep(host, index, data, efs) {
  const points = [];
  for (const ef of efs) {
    // Some libraries make something when `ef` changes.
    await index.search(queryOf(data, 0), data.top, ef);
    const first = host.stopwatch();
    const recall = (await askAll(index, data, ef)) / data.truth.length;
    let fastest = first();
    if (fastest.wallMs < LONG_MS) {
      // That was to warm up.
      fastest = { cpuMs: Infinity };
      const all = host.stopwatch();
      for (let pass = 0; pass < PASSES || all().wallMs < TIMED_MS; pass += 1) {
        const taken = host.stopwatch();
        await askAll(index, data, ef);
        const time = taken();
        if (time.cpuMs < fastest.cpuMs) fastest = time;
      }
    }
    const us = (ms) => (ms * 1000) / data.queryCount;
    points.push({ ef, recall, cpuUs: us(fastest.cpuMs), wallUs: us(fastest.wallMs) });
    if (recall >= ENOUGH || recall - points.at(-3)?.recall < RISE) break;
  }
  return points;
}

/** How many of the rows asked for are the nearest to themselves; a copy of a row is as near. */
async function probe(index, data, ef) {
  const same = (a, b) => row(data, a).every((value, component) => value === row(data, b)[component]);
  const outcome = { asked: 0, found: 0 };
  for (let id = 0; id < data.count; id += PROBE_EVERY) {
    const [hit] = await index.search(row(data, id), 1, ef);
    outcome.asked += 1;
    if (hit < data.count && (hit === id || same(hit, id))) outcome.found += 1;
  }
  return outcome;
}

/** Saves, loads what was saved, and compares answers. */
async function saved(host, library, index, data, way, efs) {
  const ef = efs[0] === null ? null : COMPARED_EF;
  const { file, bytes, remove } = host.temporary();
  const outcome = {};
  try {
    await index.save(file);
    outcome.bytes = bytes();
    const loaded = await library.load(file, data, way);
    outcome.asked = Math.min(COMPARED, data.queryCount);
    outcome.same = 0;
    for (let number = 0; number < outcome.asked; number += 1) {
      const ask = ({ search }) => search(queryOf(data, number), data.top, ef);
      if (String(await ask(loaded)) === String(await ask(index))) outcome.same += 1;
    }
  } catch (error) {
    outcome.error = firstLine(error);
  } finally {
    remove();
  }
  return outcome;
}

/** What an error says, short enough for a table. */
export const firstLine = (error) => String(error?.message ?? error).split('\n')[0].slice(0, 160);

async function measured(host, adapter, way) {
  const { default: opening, efs = EFS, l2Only = false } = await import(`./adapters/${adapter}.mjs`);
  const data = await opened(host, l2Only);
  const library = await opening(host);
  const before = host.residentBytes();
  const index = await library.create(data, way);
  const result = { backend: library.backend, parameters: index.parameters };
  Object.assign(result, await built(host, index, data));
  if (before !== undefined) result.rssBytes = host.residentBytes() - before;
  result.stored = Number(await index.count());
  result.points = await sweep(host, index, data, efs);
  result.probe = await probe(index, data, efs[0] === null ? null : Math.min(PROBE_EF, Math.max(...efs)));
  if (index.save) result.saved = await saved(host, library, index, data, way, efs);
  return result;
}

/** What was measured; or `failed`, with the reason. */
export async function measure(host, adapter, way) {
  try {
    return await measured(host, adapter, way);
  } catch (error) {
    console.error(error);
    return { failed: firstLine(error) };
  }
}
