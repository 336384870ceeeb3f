/** No call of the package, however wrong its arguments, does more than fail; the index works after each. */

import { expect } from 'chai';
import { EdgeVec, EdgeVecError, type BatchInsertConfig, type BatchVectors } from 'edgevec';
import { COPY_AT_ONCE_BYTES } from '../dist/batch.js';
import { range, rowsOf, uniform } from './data.js';
import { sharedMemory } from './environment.js';
import { expectBatchError, expectError, rejectionOf, thrownBy } from './failures.js';
import { CallersError, floats, hostileValues } from './hostile.js';
import { fresh, keep } from './indexes.js';
import { digest } from './savable.js';

type Values = Record<string, () => unknown>;
type Method = (...given: unknown[]) => unknown;

/** Good arguments of every method. A method that is not here fails a test. */
const METHODS: Record<string, (() => unknown)[]> = {
  insert: [floats, () => undefined],
  insertBatch: [() => [[1, 2, 3, 4], floats()], () => ({})],
  search: [floats, () => ({ k: 3, ef: 64 })],
  get: [() => 0],
  has: [() => 0],
  toBytes: [],
};
const STATICS: Record<string, (() => unknown)[]> = {
  create: [() => ({ dimensions: 4 })],
  fromBytes: [() => new Uint8Array(0)],
  batchLimit: [() => 4],
};
const GETTERS = ['size', 'dimensions', 'metric'];

/** Fields of the objects that calls take, in whose places hostile values are put. */
const FIELDS: [string, string[]][] = [
  ['create', ['dimensions', 'metric', 'm', 'efConstruction', 'seed']],
  ['search', ['k', 'ef']],
  ['insertBatch', ['validateDimensions', 'ids', 'mode', 'onProgress', 'signal', 'workers']],
];

async function made(): Promise<EdgeVec> {
  const index = await fresh({ dimensions: 4 });
  index.insert(floats(), 1000);
  return index;
}

/** Expects the index to insert and to find. */
function expectWorks(index: EdgeVec, what: string): void {
  const size = index.size;
  const id = index.insert([size, -5, 0, 0]);
  expect(index.size, what).to.equal(size + 1);
  expect(index.search([size, -5, 0, 0], { k: 1 }), what).to.deep.equal([{ id, distance: 0 }]);
}

/**
 * Calls, and takes success, an error of the package with a code, and what the caller's own getters, proxies
 * and callbacks throw: a `CallersError`, or for a revoked proxy and a class a `TypeError` of the engine.
 */
async function attempt(what: string, call: () => unknown): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    const theirs = error instanceof CallersError || (error instanceof TypeError && /: a (revoked proxy|class)/.test(what));
    if (theirs) return undefined;
    if (!(error instanceof EdgeVecError)) expect.fail(`${what}: ${String(error)}`);
    if (error.code === 'INTERNAL_ERROR' || error.code === 'LOAD_FAILED') expect.fail(`${what}: ${error.message}`);
    if (error.message.length > 300) expect.fail(`${what}: a message of ${error.message.length} letters`);
    return undefined;
  }
}

describe('the package', () => {
  let values: Values;

  before(async () => {
    values = await hostileValues();
  });

  it('has no method that is not tested with hostile arguments', () => {
    const ends = ['close', Symbol.dispose].filter((name) => name !== undefined);
    const members = [...Object.keys(METHODS), ...GETTERS, ...ends, 'constructor'];
    expect(Reflect.ownKeys(EdgeVec.prototype)).to.have.members(members);
    const statics = Reflect.ownKeys(EdgeVec).filter((name) => !['length', 'name', 'prototype'].includes(String(name)));
    expect(statics).to.have.members([...Object.keys(STATICS), 'backend']);
  });

  for (const [name, good] of Object.entries(METHODS)) {
    it(`${name} takes anything in the place of any argument`, async () => {
      const index = await made();
      const method = index[name as keyof EdgeVec] as Method;
      await attempt(name, () => method.call(index));
      for (const [kind, make] of Object.entries(values)) {
        for (const place of range(good.length + 1)) {
          const given = good.map((argument) => argument());
          given[place] = make();
          const what = `${name}, argument ${place}: ${kind}`;
          await attempt(what, () => method.apply(index, given));
          expectWorks(index, what);
        }
      }
    });

    it(`${name} demands an index as this`, async () => {
      const method = EdgeVec.prototype[name as keyof EdgeVec] as Method;
      const given = good.map((argument) => argument());
      for (const other of [{}, EdgeVec, Object.create(EdgeVec.prototype), 5, undefined, null]) {
        // The engine refuses it before anything of the package runs.
        expect(await rejectionOf((async () => method.apply(other, given))())).to.be.instanceOf(TypeError);
      }
    });
  }

  for (const [name, good] of Object.entries(STATICS)) {
    it(`${name} takes anything in the place of any argument, with or without its class`, async () => {
      const method = EdgeVec[name as 'create'] as Method;
      await attempt(name, () => method());
      for (const [kind, make] of Object.entries(values)) {
        for (const place of range(good.length + 1)) {
          const given = good.map((argument) => argument());
          given[place] = make();
          const outcome = await attempt(`${name}, argument ${place}: ${kind}`, () => method(...given));
          if (outcome instanceof EdgeVec) expectWorks(keep(outcome), name);
        }
      }
    });
  }

  for (const [name, fields] of FIELDS) {
    it(`${name} takes anything in the fields ${fields.join(', ')}`, async () => {
      for (const field of fields) {
        const index = await made();
        const method = (name === 'create' ? EdgeVec.create : index[name as keyof EdgeVec]) as Method;
        for (const [kind, make] of Object.entries(values)) {
          const [first, second] = (METHODS[name] ?? STATICS[name] ?? []).map((argument) => argument());
          const options = { ...((second ?? first) as object), [field]: make() };
          const what = `${name} with ${field}: ${kind}`;
          const given = second === undefined ? [options] : [first, options];
          const outcome = await attempt(what, () => method.apply(index, given));
          if (outcome instanceof EdgeVec) keep(outcome);
          expectWorks(index, what);
        }
      }
    });
  }

  it('takes anything as a row and as a number of a row, in both modes; a rejected batch changes nothing', async () => {
    for (const mode of ['strict', 'skip'] as const) {
      const index = await made();
      for (const [kind, make] of Object.entries(values)) {
        const batches = [[floats(), make(), [5, 6, 7, 8]], [[1, 2, make(), 4]]];
        for (const [place, batch] of batches.entries()) {
          const before = digest(index.toBytes());
          const what = `${['row', 'number'][place]}: ${kind}, ${mode}`;
          const outcome = await attempt(what, () => index.insertBatch(batch as number[][], { mode }));
          if (outcome === undefined) expect(digest(index.toBytes()), what).to.equal(before);
          else expect(outcome, what).to.have.property('total', batch.length);
          expectWorks(index, what);
        }
      }
    }
  });

  it('makes an index by create and fromBytes only', async () => {
    const Constructor = EdgeVec as unknown as new (...given: unknown[]) => EdgeVec;
    expectError(thrownBy(() => new Constructor()), 'INVALID_ARGUMENT');
    for (const [kind, make] of Object.entries(values)) {
      expect(await attempt(`raw: ${kind}`, () => new Constructor(make())), kind).to.equal(undefined);
    }
  });
});

describe('an argument that changes while it is used', () => {
  const DIMENSIONS = 16_384;
  /** More than is copied at once, so that the batch pauses between its rows. */
  const ROWS = COPY_AT_ONCE_BYTES / (4 * DIMENSIONS) + 40;
  const good = new Float32Array(ROWS * DIMENSIONS).map((_, place) => place % 1009);

  /** Runs `change` in the first pause of a batch that is still being copied. */
  async function changed(vectors: BatchVectors, change: () => void, config: BatchInsertConfig = {}): Promise<unknown> {
    const index = await fresh({ dimensions: DIMENSIONS });
    let once = false;
    const onProgress = (): void => {
      if (!once) change();
      once = true;
    };
    const outcome = await index.insertBatch(vectors, { onProgress, ...config }).catch((error: unknown) => error);
    expect(once).to.equal(true);
    if (outcome instanceof Error) expect(index.size).to.equal(0);
    expect(index.search(new Float32Array(DIMENSIONS).fill(1), { k: 1 })).to.have.lengthOf(Math.min(index.size, 1));
    return outcome;
  }

  it('a flat array that is detached between two slices rejects the batch', async () => {
    const flat = new Float32Array(ROWS * DIMENSIONS);
    const outcome = await changed(flat, () => structuredClone(flat.buffer, { transfer: [flat.buffer] }));
    expectError(outcome, 'INVALID_ARGUMENT', { name: 'vectors' });
  });

  it('a flat array whose memory is cut between two slices rejects the batch', async function () {
    if (!('resize' in ArrayBuffer.prototype)) return this.skip();
    const buffer = new ArrayBuffer(ROWS * DIMENSIONS * 4, { maxByteLength: ROWS * DIMENSIONS * 4 });
    for (const flat of [new Float32Array(buffer, 0, ROWS * DIMENSIONS), new Float32Array(buffer)]) {
      const outcome = await changed(flat, () => buffer.resize(DIMENSIONS * 4));
      expectError(outcome, 'INVALID_ARGUMENT', { name: 'vectors' });
      buffer.resize(ROWS * DIMENSIONS * 4);
    }
  });

  it('rows that are taken away, replaced or made longer are refused where their turn comes', async () => {
    const changes: ((rows: unknown[]) => void)[] = [
      (rows) => void (rows.length = 1),
      (rows) => void (rows[ROWS - 1] = [1, 2]),
      (rows) => void (rows[ROWS - 1] = undefined),
      (rows) => void (rows[ROWS - 1] = new Float32Array(DIMENSIONS + 1)),
    ];
    for (const change of changes) {
      const rows = rowsOf(good, DIMENSIONS);
      expectError(await changed(rows, () => change(rows)), 'DIMENSION_MISMATCH', { expected: DIMENSIONS });
      const again = rowsOf(good, DIMENSIONS);
      const outcome = await changed(again, () => change(again), { mode: 'skip' });
      expect(outcome).to.include({ total: ROWS });
    }
  });

  it('rows that are added after the call are not looked at', async () => {
    const rows = rowsOf(good, DIMENSIONS);
    const outcome = await changed(rows, () => rows.push(new Float32Array(3)));
    expect(outcome).to.include({ inserted: ROWS, total: ROWS });
  });

  it('a row that closes the index while it is read ends the call with CLOSED', async () => {
    const calls: ((index: EdgeVec, row: number[]) => unknown)[] = [
      (index, row) => index.insert(row),
      (index, row) => index.search(row),
      (index, row) => index.insertBatch([[1, 2, 3, 4], row]),
    ];
    for (const call of calls) {
      const index = await made();
      const row = Object.defineProperty([1, 2, 3, 4], 1, { get: () => (index.close(), 2) });
      expectError(await rejectionOf((async () => call(index, row))()), 'CLOSED');
    }
    const index = await made();
    const options = { get k() { return index.close(), 3; } };
    expectError(thrownBy(() => index.search([1, 2, 3, 4], options)), 'CLOSED');
  });

  it('a row that shortens itself while it is read is refused', async () => {
    const index = await made();
    const row = [1, 2, 3, 4];
    Object.defineProperty(row, 1, { get: () => ((row.length = 2), 2), configurable: true });
    expectError(thrownBy(() => index.insert(row)), 'INVALID_VECTOR');
    expectWorks(index, 'afterwards');
  });
});

describe('a batch', () => {
  it('takes views on shared memory, with and without an offset', async function () {
    const rows = uniform(400, 4);
    const memory = sharedMemory(rows.byteLength + 8);
    if (memory === undefined) return this.skip();
    const plain = await fresh({ dimensions: 4 });
    await plain.insertBatch(rows);
    const shared = new Float32Array(memory, 8, rows.length);
    shared.set(rows);
    for (const form of [shared, rowsOf(shared, 4)]) {
      const index = await fresh({ dimensions: 4 });
      await index.insertBatch(form);
      expect(digest(index.toBytes())).to.equal(digest(plain.toBytes()));
    }
    expect(plain.search(shared.subarray(8, 12), { k: 1 })).to.deep.equal([{ id: 2, distance: 0 }]);
  });

  it('takes part of an array, which it neither changes nor keeps', async () => {
    const all = uniform(500, 4);
    const untouched = all.slice();
    const part = all.subarray(40, 40 + 1200);
    for (const form of [part, rowsOf(part, 4), rowsOf(part, 4).map((row) => Object.freeze(Array.from(row)))]) {
      const index = await fresh({ dimensions: 4, metric: 'cosine' });
      await index.insertBatch(form);
      expect(all).to.deep.equal(untouched);
      const before = digest(index.toBytes());
      all.fill(NaN);
      expect(digest(index.toBytes())).to.equal(before);
      all.set(untouched);
    }
  });

  it('has copied what is not large when the call returns', async () => {
    const rows = uniform(1000, 4);
    const expected = await fresh({ dimensions: 4 });
    await expected.insertBatch(rows);
    for (const form of [(copy: Float32Array) => copy, (copy: Float32Array) => rowsOf(copy, 4)]) {
      const copy = rows.slice();
      const index = await fresh({ dimensions: 4 });
      const running = index.insertBatch(form(copy));
      copy.fill(NaN);
      await running;
      expect(digest(index.toBytes())).to.equal(digest(expected.toBytes()));
    }
  });

  it('takes a configuration whose fields are inherited, and none that is not there', async () => {
    const index = await fresh({ dimensions: 2 });
    const config = Object.create({ mode: 'skip', ids: [7, 8] }) as BatchInsertConfig;
    const { ids, skipped } = await index.insertBatch([[1, 2], [NaN, 3]], config);
    expect([ids, skipped.length]).to.deep.equal([[7], 1]);
    const nothing = ['mode', 'ids', 'onProgress', 'signal', 'validateDimensions'].map((name) => [name, undefined]);
    expect((await index.insertBatch([[1, 2]], Object.fromEntries(nothing))).ids).to.deep.equal([0]);
  });

  it('takes holes and what is no number for bad rows, and names them', async () => {
    const index = await fresh({ dimensions: 2 });
    const rows = [[1, 2], , [1, ,], [1, '2'], [1, null], 'ab', 5, null, { length: 2, 0: 3, 1: 4 }, Float64Array.of(5, 6)];
    const { ids, skipped } = await index.insertBatch(rows as number[][], { mode: 'skip' });
    expect(ids).to.deep.equal([0, 1, 2]);
    expect(skipped.map(({ index: row, code }) => [row, code])).to.deep.equal([
      [1, 'DIMENSION_MISMATCH'],
      [2, 'INVALID_VECTOR'],
      [3, 'INVALID_VECTOR'],
      [4, 'INVALID_VECTOR'],
      [5, 'DIMENSION_MISMATCH'],
      [6, 'DIMENSION_MISMATCH'],
      [7, 'DIMENSION_MISMATCH'],
    ]);
  });

  it('does not read ids of which there are not as many as rows, however many they say there are', async () => {
    const index = await fresh({ dimensions: 2 });
    let read = 0;
    for (const length of [0, 2, 2 ** 31, 2 ** 40, Infinity, NaN, -1, '1']) {
      const ids = { length, get 0() { return (read += 1); } } as ArrayLike<number>;
      const details = { name: 'ids.length', limit: '1, one for each row' };
      expectError(await rejectionOf(index.insertBatch([[1, 2]], { ids })), 'INVALID_ARGUMENT', details);
    }
    const endless = { length: 1, 0: 5, *[Symbol.iterator]() { for (;;) yield 5; } };
    expect((await index.insertBatch([[1, 2]], { ids: endless })).ids).to.deep.equal([5]);
    expect(read).to.equal(0);
    const rows = new Array(2 ** 32 - 1);
    expectBatchError(await rejectionOf(index.insertBatch(rows, { ids: { length: 2 ** 32 - 1 } })), 'CAPACITY_EXCEEDED', {
      current: 2 ** 32 - 1,
      max: EdgeVec.batchLimit(2),
    });
  });

  it('rejects with what a getter of the caller throws, and changes nothing', async () => {
    const index = await made();
    const before = digest(index.toBytes());
    const thrown = new CallersError('mine');
    const complain = (): never => {
      throw thrown;
    };
    const throwing = (target: object, name: PropertyKey): never =>
      Object.defineProperty(target, name, { get: complain }) as never;
    const calls: (() => Promise<unknown>)[] = [
      () => index.insertBatch(throwing([floats(), floats()], 1)),
      () => index.insertBatch([floats(), throwing([1, 2, 3, 4], 2)]),
      () => index.insertBatch([floats(), throwing({}, 'length')]),
      () => index.insertBatch([floats()], throwing({}, 'mode')),
      () => index.insertBatch([floats()], { ids: throwing([0], 0) }),
      () => index.insertBatch([floats()], { signal: throwing({}, 'aborted') }),
    ];
    for (const call of calls) {
      expect(await rejectionOf(call())).to.equal(thrown);
      expect(digest(index.toBytes())).to.equal(before);
    }
    expect((await index.insertBatch([floats()])).ids).to.deep.equal([0]);
  });
});
