// What is measured in JavaScript, the same in Node and in a page.
//
// A workload gets `lab`, the place it runs in: `EdgeVec`; `core()`, the module of `bench/wasm` (an
// index without the package); `memoryBytes()` of the package's module; `cpuMs()`, time that all
// processes of the engine have worked, or undefined; and `open(name)`, a data set that
// `edgevec-bench prepare` wrote. It runs in a process or page of its own.

/** The rows of one call between two looks at the clock: a loop must let the engine answer. */
const ROWS_BETWEEN_PAUSES = 2000;
const ATTACHED = 1000;
/** Batches of a few milliseconds are timed together, so many rows at a time. */
const ROWS_TIMED = 5000;
/** What is compared is the way of building: helpers would add threads to one side. */
const ONE_THREAD = { workers: 0 };

const laterTask = () => new Promise((resolve) => { setTimeout(resolve, 0); });

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

async function insertEach(index, data, from = 0, to = data.count) {
  for (let row = from; row < to; row += 1) {
    index.insert(part(data, row, row + 1));
    if (row % ROWS_BETWEEN_PAUSES === 0) await laterTask();
  }
}

/** The ways of filling an index. Each resolves to what has to be closed. */
const WAYS = {
  async loop(lab, data) {
    const index = await lab.EdgeVec.create(data);
    return { index, run: () => insertEach(index, data), close: () => index.close() };
  },
  async batch(lab, data) {
    const index = await lab.EdgeVec.create(data);
    return { index, run: () => index.insertBatch(data.rows, ONE_THREAD), close: () => index.close() };
  },
  async f32Loop(lab, data) {
    const core = new (await lab.core()).Core(data.dimensions, data.metric, true);
    return { run: () => insertEach(core, data), close: () => core.free() };
  },
};
WAYS.batchAgain = WAYS.batch;

/** Of the true neighbours of all queries, the share that is found. */
function recall(index, data, ef) {
  let found = 0;
  for (let query = 0; query < data.queryCount; query += 1) {
    const truth = data.truth.subarray(query * data.top, (query + 1) * data.top);
    const vector = data.queries.subarray(query * data.dimensions, (query + 1) * data.dimensions);
    found += index.search(vector, { k: data.top, ef }).filter(({ id }) => truth.includes(id)).length;
  }
  return found / data.truth.length;
}

/** `ways` in rounds; the first of the first round meets an engine that has compiled nothing yet. */
async function build(lab, { data: name, rounds, ways, ef = 64 }) {
  const data = await lab.open(name);
  const result = { times: {}, ef, recall: {} };
  const order = [...ways];
  for (let round = 0; round < rounds; round += 1) {
    for (const way of order) {
      const { index, run, close } = await WAYS[way](lab, data);
      const time = await timed(lab, run);
      lab.say(`${name}, round ${round + 1} of ${rounds}: ${way} ${Math.round(time.wallMs)} ms`);
      (result.times[way] ??= []).push(time);
      if (round === 0 && index !== undefined) result.recall[way] = recall(index, data, ef);
      close();
    }
    order.reverse();
  }
  return result;
}

/** The first batch of an engine that has just started. */
const cold = (lab, { data }) => build(lab, { data, rounds: 1, ways: ['batch'] });

/** Small portions into a full index, in turn by a batch and by a loop. */
async function attach(lab, { data: name, before, rounds }) {
  const data = await lab.open(name);
  const index = await lab.EdgeVec.create(data);
  await index.insertBatch(part(data, 0, before), ONE_THREAD);
  const result = { before, attached: ATTACHED, times: { batch: [], loop: [] } };
  let from = before;
  for (let round = 0; round < rounds && from + 2 * ATTACHED <= data.count; round += 1) {
    for (const way of ['batch', 'loop']) {
      const [start, end] = [from, from + ATTACHED];
      const run = way === 'batch' ? () => index.insertBatch(part(data, start, end), ONE_THREAD) : () => insertEach(index, data, start, end);
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
      await index.insertBatch(data.rows, ONE_THREAD);
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
  await index.insertBatch(data.rows, ONE_THREAD);
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
  for (let round = 0; round < rounds; round += 1) {
    const index = await lab.EdgeVec.create(data);
    const start = performance.now();
    const gaps = await gapsDuring(() => index.insertBatch(data.rows, ONE_THREAD));
    const taken = performance.now() - start;
    const idle = await gapsDuring(() => new Promise((resolve) => { setTimeout(resolve, taken); }));
    index.close();
    result.longestMs.push(gaps.at(-1));
    result.p90Ms.push(gaps[Math.floor(gaps.length * 0.9)]);
    result.idleLongestMs.push(idle.at(-1));
  }
  return result;
}

/** Gaps of at least a millisecond while `work` is done, shortest first: shorter ones hold nobody. */
async function gapsDuring(work) {
  const gaps = [0];
  const channel = new MessageChannel();
  let last = performance.now();
  channel.port1.onmessage = () => {
    const now = performance.now();
    if (now - last >= 1) gaps.push(now - last);
    last = now;
    channel.port2.postMessage(null);
  };
  channel.port2.postMessage(null);
  await work();
  channel.port1.close();
  return gaps.sort((a, b) => a - b);
}

export const WORKLOADS = { build, cold, attach, overhead, memory, blocked };
