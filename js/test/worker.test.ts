/** The index in a worker: the same answers, errors and bytes as without, each as a promise. */

import { expect } from 'chai';
import { BatchInsertError, EdgeVec as Local, EdgeVecError, type BatchProgress, type EdgeVecOptions } from 'edgevec';
import { EdgeVec } from 'edgevec/worker';
import { clustered, range, rowOf, rowsOf, uniform } from './data.js';
import { inNode, sharedMemory } from './environment.js';
import { expectBatchError, expectError, rejectionOf, thrownBy } from './failures.js';
import { hostileValues } from './hostile.js';
import { fresh } from './indexes.js';
import { digest } from './savable.js';
import { watching } from './threads.js';

const DIMENSIONS = 16;
const rows = clustered(3000, DIMENSIONS);
const opened: EdgeVec[] = [];

afterEach(() => {
  for (const index of opened.splice(0)) index.close();
});

async function remote(options: Partial<EdgeVecOptions> = {}): Promise<EdgeVec> {
  const index = await EdgeVec.create({ dimensions: DIMENSIONS, metric: 'l2', ...options });
  opened.push(index);
  return index;
}

function part(first: number, end: number): Float32Array {
  return rows.subarray(first * DIMENSIONS, end * DIMENSIONS);
}

async function bytesOf(index: EdgeVec | Local): Promise<string> {
  return digest(await index.toBytes());
}

describe('an index in a worker', () => {
  it('has every method of the class without one', () => {
    const members = (object: object): PropertyKey[] => Reflect.ownKeys(object);
    expect(members(EdgeVec.prototype)).to.have.members(members(Local.prototype));
    expect(members(EdgeVec)).to.include.members(members(Local));
  });

  it('answers as one without, for every metric', async () => {
    for (const metric of ['l2', 'cosine', 'dot'] as const) {
      const [here, there] = [await fresh({ dimensions: DIMENSIONS, metric, seed: 5 }), await remote({ metric, seed: 5 })];
      for (const config of [{}, { ids: range(700, 5000) }, { workers: 2 }]) {
        const batch = part(0, 700);
        expect(await there.insertBatch(batch, config)).to.deep.equal(await here.insertBatch(batch, config));
      }
      expect(await there.insert(rowOf(rows, DIMENSIONS, 2900))).to.equal(here.insert(rowOf(rows, DIMENSIONS, 2900)));
      expect(await there.insert([...range(DIMENSIONS)], 77_777)).to.equal(here.insert([...range(DIMENSIONS)], 77_777));
      const searches = rowsOf(part(800, 820), DIMENSIONS).flatMap((query) =>
        [{}, { k: 3, ef: 200 }, { k: 5000 }].map((options) => ({ query, options })),
      );
      const found = searches.map(({ query, options }) => here.search(query, options));
      for (const form of [(query: Float32Array) => query, (query: Float32Array) => [...query]]) {
        const asked = searches.map(({ query, options }) => there.search(form(query), options));
        expect(await Promise.all(asked)).to.deep.equal(found);
      }
      expect([await there.get(5000), await there.get(1e9)]).to.deep.equal([here.get(5000), undefined]);
      expect([await there.has(77_777), await there.has(77_778)]).to.deep.equal([true, false]);
      const seen = [await there.size, there.dimensions, there.metric, EdgeVec.backend];
      expect(seen).to.deep.equal([here.size, here.dimensions, here.metric, Local.backend]);
      expect(await bytesOf(there)).to.equal(await bytesOf(here));
    }
  });

  it('is saved and loaded, in a worker and without', async () => {
    const there = await remote();
    await there.insertBatch(part(0, 900));
    const bytes = await there.toBytes();
    const again = await EdgeVec.fromBytes(bytes);
    const local = await Local.fromBytes(bytes.slice().buffer);
    opened.push(again);
    expect([await bytesOf(again), await bytesOf(local)]).to.deep.equal([digest(bytes), digest(bytes)]);
    expect(await again.search(rowOf(rows, DIMENSIONS, 5))).to.deep.equal(local.search(rowOf(rows, DIMENSIONS, 5)));
    local.close();
    expectError(await rejectionOf(EdgeVec.fromBytes(bytes.subarray(1))), 'CORRUPT');
  });

  it('takes nothing away from the caller, and has copied when the call returns', async () => {
    const there = await remote();
    const all = rows.slice();
    const query = rowOf(all, DIMENSIONS, 3);
    const ids = Float64Array.from(range(1000, 9000));
    const running = there.insertBatch(all.subarray(0, 1000 * DIMENSIONS), { ids });
    const alsoRunning = there.insertBatch(rowsOf(all.subarray(1000 * DIMENSIONS, 1500 * DIMENSIONS), DIMENSIONS));
    expect([all.length, ids.length]).to.deep.equal([rows.length, 1000]);
    all.fill(NaN);
    ids.fill(0);
    expect((await running).ids).to.deep.equal(range(1000, 9000));
    await alsoRunning;
    all.set(rows);
    const searching = there.search(query, { k: 1 });
    expect(query.length).to.equal(DIMENSIONS);
    expect(await searching).to.deep.equal([{ id: 9003, distance: 0 }]);
    const shared = sharedMemory(4 * DIMENSIONS);
    if (shared !== undefined) await there.insertBatch(new Float32Array(shared, 0, DIMENSIONS).fill(2));
    const bytes = await there.toBytes();
    opened.push(await EdgeVec.fromBytes(bytes));
    expect(bytes.length).to.be.greaterThan(0);
  });

  it('does calls in the order in which they are made', async () => {
    const there = await remote();
    const outcomes = await Promise.all([
      there.insert(rowOf(rows, DIMENSIONS, 0)),
      there.insertBatch(part(1, 2801)),
      there.insertBatch(part(2801, 2901)),
      there.insert(rowOf(rows, DIMENSIONS, 2901)),
      there.size,
    ]);
    expect([outcomes[0], outcomes[1].ids.length, outcomes[2].ids.length, outcomes[4]]).to.deep.equal([0, 2800, 100, 1]);
    expect(await there.size).to.equal(2902);
  });
});

describe('a batch in a worker', () => {
  it('reports progress as one without', async () => {
    const there = await remote();
    const seen: BatchProgress[] = [];
    await there.insertBatch(rows, { onProgress: (progress) => seen.push(progress) });
    const done = seen.map((progress) => progress.done);
    expect(done).to.deep.equal(done.toSorted((a, b) => a - b));
    expect([done.at(-1), done.indexOf(3000), seen[0]?.total]).to.deep.equal([3000, done.length - 1, 3000]);
  });

  it('is aborted in any slice, also the last, and changes nothing', async () => {
    const there = await remote();
    await there.insertBatch(part(0, 600));
    const before = await bytesOf(there);
    for (const moment of [1, 2, 4, Infinity]) {
      const stop = new AbortController();
      let calls = 0;
      const onProgress = ({ done, total }: BatchProgress): void => {
        if ((calls += 1) === moment || done === total) stop.abort(moment);
      };
      expect(await rejectionOf(there.insertBatch(part(600, 3000), { signal: stop.signal, onProgress }))).to.equal(moment);
      expect(await bytesOf(there), `aborted in slice ${moment}`).to.equal(before);
    }
    const late = new AbortController();
    const running = there.insertBatch(part(600, 3000), { signal: late.signal });
    late.abort();
    expect(await rejectionOf(running)).to.have.property('name', 'AbortError');
    expect(await rejectionOf(there.insertBatch(rows, { signal: AbortSignal.abort('early') }))).to.equal('early');
    expect(await bytesOf(there)).to.equal(before);
  });

  it('is rejected with what onProgress throws, in the first slice and in the last', async () => {
    for (const last of [false, true]) {
      const there = await remote();
      const thrown = new RangeError('a bar that is too long');
      const onProgress = ({ done, total }: BatchProgress): void => {
        if (!last || done === total) throw thrown;
      };
      expect(await rejectionOf(there.insertBatch(rows, { onProgress }))).to.equal(thrown);
      expect(await there.size).to.equal(0);
    }
  });

  it('is sent in pieces when it is large, and what is called meanwhile keeps its place', async () => {
    const large = uniform(40_000, 256); // 39 MiB
    const there = await remote({ dimensions: 256 });
    const stop = new AbortController();
    const running = there.insertBatch(large, { signal: stop.signal });
    const next = there.insertBatch([...rowsOf(large.subarray(0, 20 * 256), 256)]);
    stop.abort('enough');
    expect(await rejectionOf(running)).to.equal('enough');
    expect((await next).ids).to.deep.equal(range(20));
    const lists = rowsOf(large, 256).map((row, at) => (at < 39_999 ? row : row.subarray(1)));
    const details = { index: 39_999, expected: 256, actual: 255 };
    expectBatchError(await rejectionOf(there.insertBatch(lists)), 'DIMENSION_MISMATCH', details);
    expect(await there.size).to.equal(20);
  });

  it('names the rows it leaves out', async () => {
    const batch = [[1, 2], [NaN, 1], [1], [3, 4, 5], [5, 6]];
    const [here, there] = [await fresh({ dimensions: 2 }), await remote({ dimensions: 2 })];
    const config = { mode: 'skip' } as const;
    expect(await there.insertBatch(batch, config)).to.deep.equal(await here.insertBatch(batch, config));
  });
});

describe('errors of an index in a worker', () => {
  it('are those of one without: classes, codes, messages and details', async () => {
    const [here, there] = [await fresh({ dimensions: 4 }), await remote({ dimensions: 4 })];
    for (const index of [here, there]) await index.insertBatch([[1, 2, 3, 4]], { ids: [7] });
    const calls: ((index: Local | EdgeVec) => unknown)[] = [
      (index) => index.insertBatch([]),
      (index) => index.insertBatch(new Float32Array(0)),
      (index) => index.insertBatch(new Float32Array(5)),
      (index) => index.insertBatch([[1, 2, 3, 4], [1, 2, 3]]),
      (index) => index.insertBatch([[1, 2, 3, 4]], { ids: [7] }),
      (index) => index.insertBatch([[1, NaN, 3, 4]]),
      (index) => index.insertBatch(new Array(2 ** 32 - 1) as number[][]),
      (index) => index.insertBatch([[1, 2, 3, 4]], { mode: 'all' as never }),
      (index) => index.insertBatch([[1, 2, 3, 4]], { workers: 65 }),
      (index) => index.insert([1, 2]),
      (index) => index.insert(new Float32Array(5)),
      (index) => index.insert([1, 2, 3, Infinity]),
      (index) => index.insert([1, 2, 3, 4], 7),
      (index) => index.insert([1, 2, 3, 4], -1),
      (index) => index.search([1, 2, 3, 4], { k: 0 }),
      (index) => index.search([1, 2, 3, 4], { ef: 1.5 }),
      (index) => index.get(-1),
      (index) => index.has(NaN),
    ];
    for (const [place, call] of calls.entries()) {
      const [mine, theirs] = [await rejectionOf((async () => call(here))()), await rejectionOf((async () => call(there))())];
      expect(theirs, `call ${place}`).to.be.instanceOf(EdgeVecError);
      expect((theirs as object).constructor).to.equal((mine as object).constructor);
      const { code, message, details } = mine as EdgeVecError;
      expect(theirs).to.deep.include({ code, message, ...(details && { details }) });
    }
    expect(await rejectionOf(there.insertBatch([]))).to.be.instanceOf(BatchInsertError);
    expectError(await rejectionOf(EdgeVec.create({ dimensions: 0 })), 'INVALID_ARGUMENT');
    expectError(thrownBy(() => EdgeVec.batchLimit(0)), 'INVALID_ARGUMENT');
    expect(EdgeVec.batchLimit(128)).to.equal(Local.batchLimit(128));
  });

  it('come for anything in the place of any argument, and the index works afterwards', async () => {
    const there = await remote({ dimensions: 4 });
    await there.insert([1, 2, 3, 4], 1000);
    const calls: Record<string, (value: never) => Promise<unknown>> = {
      insert: (value) => there.insert(value),
      'insert, id': (value) => there.insert([1, 2, 3, 4], value),
      search: (value) => there.search(value),
      'search, options': (value) => there.search([1, 2, 3, 4], value),
      'search, k': (value) => there.search([1, 2, 3, 4], { k: value }),
      get: (value) => there.get(value),
      has: (value) => there.has(value),
      insertBatch: (value) => there.insertBatch(value),
      'insertBatch, config': (value) => there.insertBatch([[1, 2, 3, 4]], value),
      fromBytes: async (value) => (await EdgeVec.fromBytes(value)).close(),
    };
    for (const [name, call] of Object.entries(calls)) {
      for (const [kind, make] of Object.entries(await hostileValues())) {
        // Starting a worker for each would take long; few kinds are bytes.
        if (name === 'fromBytes' && !/bytes|memory|zero/.test(kind)) continue;
        const error = await call(make() as never).then(() => undefined, (reason: unknown) => reason);
        if (error instanceof EdgeVecError) {
          expect(error.code, `${name}: ${kind}: ${error.message}`).not.to.be.oneOf(['INTERNAL_ERROR', 'LOAD_FAILED', 'CLOSED']);
        } else if (error !== undefined) {
          expect(String(error), `${name}: ${kind}`).to.match(/thrown by the caller|proxy|Proxy|class|revoked/);
        }
      }
      expect(await there.search([1, 2, 3, 4], { k: 1 })).to.have.nested.property('[0].distance', 0);
    }
  });

  it('say CLOSED after close, also to what was not answered', async () => {
    const there = await remote();
    const running = [there.insertBatch(rows), there.search(rowOf(rows, DIMENSIONS, 0)), there.size];
    there.close();
    there.close();
    for (const outcome of await Promise.allSettled(running)) {
      expectError((outcome as PromiseRejectedResult).reason, 'CLOSED');
    }
    const later = [() => there.size, () => there.insert([1]), () => there.toBytes(), () => there.insertBatch([])];
    for (const call of later) expectError(await rejectionOf(call()), 'CLOSED');
    expectError(thrownBy(() => there.dimensions), 'CLOSED');
  });

  it('say INTERNAL_ERROR when the worker dies', async function () {
    if (!inNode) return this.skip(); // browsers tell nobody
    await watching(async (started) => {
      const there = await remote();
      const running = there.insertBatch(rows);
      started[0]?.terminate();
      for (const call of [running, there.size]) expectError(await rejectionOf(call), 'INTERNAL_ERROR');
    });
  });

  it('say LOAD_FAILED when no worker can be started', async () => {
    const start = (): never => {
      throw new DOMException('refused', 'SecurityError');
    };
    await watching(async () => {
      const { message } = expectError(await rejectionOf(EdgeVec.create({ dimensions: 4 })), 'LOAD_FAILED', { reason: 'refused' });
      expect(message).to.include('refused');
    }, { start });
  });
});
