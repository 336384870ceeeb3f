// What is measured in JavaScript, the same in Node and in a page.
//
// A workload gets `lab`, the place it runs in: `EdgeVec`; `core()`, the module of `bench/wasm` (an
// index without the package); `memoryBytes()` of the package's module; `cpuMs()`, time that all
// processes of the engine have worked, or undefined; `open(name)`, a data set that `edgevec-bench prepare`
// wrote; and `saved(name)`, the bytes of an index of it. A page that shows what happens while it
// happens also has `tell(what)`, which hears of rows done, times, points and gaps, and `signal`, which stops
// the workload.

/** The rows of one call between two looks at the clock: a loop must let the engine answer. */
const ROWS_BETWEEN_PAUSES = 2000;
const ATTACHED = 1000;
/** Threads that help with a batch. */
const HELPERS = 2;
/** A browser is at rest when its processes work less than a tenth of this long; it is waited for so many times. */
const REST_MS = 300;
const RESTS = 20;
/** What searches are timed at: from the least that finds ten rows to far beyond recall 0.99. */
const EFS = [10, 16, 24, 32, 48, 64, 96, 128, 192, 256];
/** Queries that a loaded index must answer as the one that was saved. */
const COMPARED = 100;
/** Batches of a few milliseconds are timed together, so many rows at a time. */
const ROWS_TIMED = 5000;

const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
const laterTask = () => sleep(0);

async function timed(lab, work) {
  const cpu = await lab.cpuMs();
  const wall = performance.now();
  await work();
  const wallMs = performance.now() - wall;
  const after = await lab.cpuMs();
  return { ...(cpu === undefined ? {} : { cpuMs: after - cpu }), wallMs };
}

/** Rows `from` to `to` of a data set, one after another. */
const part = (data, from, to) => data.rows.subarray(from * data.dimensions, to * data.dimensions);

async function insertEach(lab, index, data, from = 0, to = data.count) {
  for (let row = from; row < to; row += 1) {
    index.insert(part(data, row, row + 1));
    const done = row + 1 - from;
    if (done % ROWS_BETWEEN_PAUSES !== 0) continue;
    lab.tell?.({ done, total: to - from });
    await laterTask();
    lab.signal?.throwIfAborted();
  }
}

/** Alone where nothing else is said: what is compared is the way of building, and helpers would add threads to one side. */
function insertBatch(lab, index, rows, workers = 0) {
  const { signal, tell } = lab;
  return index.insertBatch(rows, { workers, ...(signal && { signal }), ...(tell && { onProgress: tell }) });
}

const batchHelpedBy = (workers) => async (lab, data) => {
  const index = await lab.EdgeVec.create(data);
  return { index, run: () => insertBatch(lab, index, data.rows, workers), close: () => index.close() };
};

/** The ways of filling an index. Each resolves to what has to be closed. */
const WAYS = {
  async loop(lab, data) {
    const index = await lab.EdgeVec.create(data);
    return { index, run: () => insertEach(lab, index, data), close: () => index.close() };
  },
  batch: batchHelpedBy(0),
  /** The index starts the threads, and that counts. */
  helped: batchHelpedBy(HELPERS),
  async f32Loop(lab, data) {
    const core = new (await lab.core()).Core(data.dimensions, data.metric, true);
    return { run: () => insertEach(lab, core, data), close: () => core.free() };
  },
};
WAYS.batchAgain = WAYS.batch;
WAYS.alone = WAYS.batch;

const queryOf = (data, query) => data.queries.subarray(query * data.dimensions, (query + 1) * data.dimensions);

/** The hits of every query. */
function searchAll(index, data, ef) {
  return Array.from({ length: data.queryCount }, (_, query) => index.search(queryOf(data, query), { k: data.top, ef }));
}

/** Of the true neighbours of all queries, the share that is among the hits. */
function recallOf(hits, data) {
  let found = 0;
  for (const [query, answer] of hits.entries()) {
    const truth = data.truth.subarray(query * data.top, (query + 1) * data.top);
    found += answer.filter(({ id }) => truth.includes(id)).length;
  }
  return found / data.truth.length;
}

/** Times of `ways` in turn, in an engine that has compiled everything. */
async function inTurn(lab, { data: name, rounds }, ways) {
  const data = await lab.open(name);
  const times = Object.fromEntries(ways.map((way) => [way, []]));
  const order = [...ways];
  // One more for the engine to compile everything.
  for (let round = 0; round <= rounds; round += 1) {
    for (const way of order) {
      const { run, close } = await WAYS[way](lab, data);
      const time = await timed(lab, run);
      if (round > 0) times[way].push(time);
      close();
      lab.signal?.throwIfAborted();
    }
    order.reverse();
  }
  return { times };
}

/** A/A: the same batch twice in each round, so that what two equal series differ by is known. */
const noise = (lab, settings) => inTurn(lab, settings, ['batch', 'batchAgain']);

/** A batch alone, and one that threads help with. */
const workers = (lab, settings) => inTurn(lab, settings, ['alone', 'helped']);

/** Waits until a browser that has just started has come to rest: what it still does is none of the work's. */
async function rest(lab) {
  for (let wait = 0; wait < RESTS; wait += 1) {
    const before = await lab.cpuMs();
    if (before === undefined) return;
    await sleep(REST_MS);
    if (await lab.cpuMs() - before < REST_MS / 10) return;
  }
}

/** `ways` in rounds; the first of the first round meets an engine that has compiled nothing yet. */
async function build(lab, { data: name, rounds, ways, ef = 64 }) {
  const data = await lab.open(name);
  await rest(lab);
  const result = { times: {}, ef, recall: {} };
  const order = [...ways];
  for (let round = 0; round < rounds; round += 1) {
    for (const way of order) {
      const { index, run, close } = await WAYS[way](lab, data);
      const time = await timed(lab, run);
      lab.say(`${name}, round ${round + 1} of ${rounds}: ${way} ${Math.round(time.wallMs)} ms`);
      lab.tell?.({ way, rows: data.count, time });
      (result.times[way] ??= []).push(time);
      if (round === 0 && index !== undefined) result.recall[way] = recallOf(searchAll(index, data, ef), data);
      close();
      lab.signal?.throwIfAborted();
    }
    order.reverse();
  }
  return result;
}

/** The first batch of an engine that has just started. */
const cold = (lab, { data }) => build(lab, { data, rounds: 1, ways: ['batch'] });

/** All queries at each `ef`, on the graph of a loop and on that of a batch in turn. */
async function search(lab, { data: name, rounds, efs = EFS }) {
  const data = await lab.open(name);
  const graphs = [];
  for (const way of ['loop', 'batch']) {
    const { index, run, close } = await WAYS[way](lab, data);
    await run();
    lab.say(`${name}: ${way} built for searching`);
    graphs.push({ way, index, close, points: efs.map((ef) => ({ ef, recall: 0, times: [] })) });
  }
  // One more for the engine to compile everything.
  for (let round = 0; round <= rounds; round += 1) {
    for (const { way, index, points } of graphs) {
      for (const point of points) {
        let hits;
        const time = await timed(lab, () => { hits = searchAll(index, data, point.ef); });
        point.recall = recallOf(hits, data);
        if (round > 0) {
          point.times.push(time);
          lab.tell?.({ way, ef: point.ef, recall: point.recall, perSecond: (data.queryCount / time.wallMs) * 1000 });
        }
        await laterTask();
        lab.signal?.throwIfAborted();
      }
    }
    graphs.reverse();
  }
  graphs.forEach(({ close }) => close());
  return { graphs: Object.fromEntries(graphs.map(({ way, points }) => [way, points])) };
}

/** To bytes and back; what comes back must answer as what was saved. */
async function save(lab, { data: name, rounds }) {
  const data = await lab.open(name);
  const { index, run, close } = await WAYS.batch(lab, data);
  await run();
  const few = { ...data, queryCount: Math.min(data.queryCount, COMPARED) };
  const before = JSON.stringify(searchAll(index, few, 64));
  const result = { bytes: 0, times: { save: [], load: [] } };
  for (let round = 0; round < rounds; round += 1) {
    let bytes;
    let loaded;
    result.times.save.push(await timed(lab, () => { bytes = index.toBytes(); }));
    result.times.load.push(await timed(lab, async () => { loaded = await lab.EdgeVec.fromBytes(bytes); }));
    const after = JSON.stringify(searchAll(loaded, few, 64));
    loaded.close();
    if (after !== before) throw new Error(`${name}: the loaded index answers otherwise than the saved one`);
    result.bytes = bytes.length;
    lab.tell?.({ bytes: bytes.length, save: result.times.save.at(-1), load: result.times.load.at(-1) });
    lab.signal?.throwIfAborted();
  }
  close();
  return result;
}

/**
 * From the start of the page, or of the process, to the first hits: with rows that are inserted, or with an index
 * that was saved. Times are from the very beginning, so a page is good for one; they take turns.
 */
async function start(lab, { data: name, page }) {
  const now = () => performance.now();
  const time = { scriptsMs: now() };
  const way = page % 2 === 0 ? 'insert' : 'load';
  let data;
  let index;
  if (way === 'insert') {
    data = await lab.open(name);
    time.dataMs = now();
    index = await lab.EdgeVec.create(data);
    time.moduleMs = now();
    await index.insertBatch(data.rows);
  } else {
    const bytes = await lab.saved(name);
    time.dataMs = now();
    index = await lab.EdgeVec.fromBytes(bytes);
  }
  time.readyMs = now();
  const hits = index.search(index.get(0), { k: 10 });
  time.hitsMs = now();
  if (hits[0]?.id !== 0) throw new Error(`${name}: a stored row is not its own nearest`);
  const size = index.size;
  index.close();
  if (data !== undefined && size !== data.count) throw new Error(`${name}: ${size} of ${data.count} rows`);
  return { times: { [way]: [time] } };
}

/** Small portions into a full index, in turn by a batch and by a loop. */
async function attach(lab, { data: name, before, rounds }) {
  const data = await lab.open(name);
  const index = await lab.EdgeVec.create(data);
  await insertBatch(lab, index, part(data, 0, before));
  const result = { before, attached: ATTACHED, times: { batch: [], loop: [] } };
  let from = before;
  for (let round = 0; round < rounds && from + 2 * ATTACHED <= data.count; round += 1) {
    for (const way of ['batch', 'loop']) {
      const [start, end] = [from, from + ATTACHED];
      const run = way === 'batch' ? () => insertBatch(lab, index, part(data, start, end)) : () => insertEach(lab, index, data, start, end);
      result.times[way].push(await timed(lab, run));
      from = end;
    }
  }
  index.close();
  return result;
}

/**
 * What the package adds to the core: the same rows by `insertBatch`, and by one call into the same code
 * for rows that already lie in its memory. Wall time, which counts yields and promises too.
 */
async function overhead(lab, { data: name, rounds }) {
  const data = await lab.open(name);
  const { Core } = await lab.core();
  const times = Math.max(1, Math.round(ROWS_TIMED / data.count));
  const result = { repeated: times, packageMs: [], coreMs: [] };
  // One more for the engine to compile everything.
  for (let round = 0; round <= rounds; round += 1) {
    let packageMs = 0;
    let coreMs = 0;
    for (let time = 0; time < times; time += 1) {
      const index = await lab.EdgeVec.create(data);
      const core = new Core(data.dimensions, data.metric, false);
      core.layDown(data.rows);
      await laterTask();
      const start = performance.now();
      await insertBatch(lab, index, data.rows);
      packageMs += performance.now() - start;
      await laterTask();
      const again = performance.now();
      core.insertBatch();
      coreMs += performance.now() - again;
      index.close();
      core.free();
    }
    if (round === 0) continue;
    result.packageMs.push(packageMs / times);
    result.coreMs.push(coreMs / times);
  }
  return result;
}

/** Growth of the module's memory, which never shrinks: its peak. In an engine that says so, the heap's too. */
async function memory(lab, { data: name }) {
  const data = await lab.open(name);
  const index = await lab.EdgeVec.create(data);
  const [before, heap] = [lab.memoryBytes(), lab.heapBytes()];
  await insertBatch(lab, index, data.rows);
  const result = { growthBytes: lab.memoryBytes() - before };
  if (heap !== undefined) result.heapGrowthBytes = lab.heapBytes() - heap;
  index.close();
  return result;
}

/**
 * How long the thread is held, by gaps between the tasks of a message channel that always has one
 * waiting: during a batch, and as long again without one, which is what the machine does to us. A gap is a
 * slice, or two where the engine lets a slice go before other tasks.
 */
async function blocked(lab, { data: name, rounds }) {
  const data = await lab.open(name);
  const result = { longestMs: [], p90Ms: [], idleLongestMs: [] };
  const tellOf = (during) => lab.tell && ((gapMs, atMs) => lab.tell({ during, gapMs, atMs }));
  for (let round = 0; round < rounds; round += 1) {
    const index = await lab.EdgeVec.create(data);
    const start = performance.now();
    const gaps = await gapsDuring(() => insertBatch(lab, index, data.rows), tellOf('batch'));
    const taken = performance.now() - start;
    const idle = await gapsDuring(() => sleep(taken), tellOf('idle'));
    index.close();
    result.longestMs.push(gaps.at(-1));
    result.p90Ms.push(gaps[Math.floor(gaps.length * 0.9)]);
    result.idleLongestMs.push(idle.at(-1));
  }
  return result;
}

/** Gaps of at least a millisecond while `work` is done, shortest first: shorter ones hold nobody. */
async function gapsDuring(work, tell) {
  const gaps = [0];
  const channel = new MessageChannel();
  // The first message comes before the work begins: what an engine loads for it is none of the work's.
  await new Promise((resolve) => {
    channel.port1.onmessage = resolve;
    channel.port2.postMessage(null);
  });
  const start = performance.now();
  let last = start;
  channel.port1.onmessage = () => {
    const now = performance.now();
    if (now - last >= 1) {
      gaps.push(now - last);
      tell?.(now - last, now - start);
    }
    last = now;
    channel.port2.postMessage(null);
  };
  channel.port2.postMessage(null);
  await work();
  channel.port1.close();
  return gaps.sort((a, b) => a - b);
}

export const WORKLOADS = { noise, build, cold, search, save, start, workers, attach, overhead, memory, blocked };
