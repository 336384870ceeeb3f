/** Memory is given back, grows no more than is said, and when there is none the call fails and nothing else. */

import { expect } from 'chai';
import { EdgeVec } from 'edgevec';
import { planBatch, runBatch } from '../dist/batch.js';
import { moduleMemoryBytes } from '../dist/engine.js';
import type { RawIndex } from '../dist/wasm/edgevec.js';
import { clustered, range, rowOf, rowsOf, uniform } from './data.js';
import { inNode } from './environment.js';
import { expectBatchError, expectError, rejectionOf, thrownBy } from './failures.js';
import { filled, fresh } from './indexes.js';
import { digest } from './savable.js';
import { newModule } from './modules.js';

const MIB = 1 << 20;

/** Inserts a batch into an index of the binding, as the package does. */
function insertBatch(raw: RawIndex, rows: Float32Array): Promise<{ inserted: number }> {
  return runBatch(() => raw, planBatch(rows, {}, raw.dimensions));
}

describe('memory', () => {
  for (const dimensions of [128, 768]) {
    it(`grows by less than 100 MB for 10,000 rows of ${dimensions} dimensions`, async () => {
      const { glue, memory } = await newModule();
      const raw = new glue.RawIndex(dimensions, 'l2', 16, 200, 0);
      const before = memory.buffer.byteLength;
      const { inserted } = await insertBatch(raw, clustered(10_000, dimensions));
      expect(inserted).to.equal(10_000);
      const grown = memory.buffer.byteLength - before;
      expect(grown).to.be.within(10_000 * dimensions * 4, 100e6);
      expect(raw.memoryBytes).to.be.within(10_000 * dimensions * 4, grown + before);
    });
  }

  it('grows in few steps for a large batch: each makes an engine collect garbage', async () => {
    const { glue, memory } = await newModule();
    const raw = new glue.RawIndex(128, 'l2', 16, 200, 0);
    const sizes = new Set<number>();
    const step = raw.stepBatch.bind(raw);
    raw.stepBatch = (budget) => {
      sizes.add(memory.buffer.byteLength);
      return step(budget);
    };
    const rows = clustered(30_000, 128);
    const before = memory.buffer.byteLength;
    await insertBatch(raw, rows);
    const pieces = (memory.buffer.byteLength - before) / (16 * MIB);
    expect(pieces).to.be.above(2);
    expect(sizes.size, 'sizes while it worked').to.be.below(2 * pieces);
    raw.free();
  });

  it('is used again by the next index when one is closed', async () => {
    const rows = clustered(2000, 32);
    const after: number[] = [];
    for (const round of range(12)) {
      const index = await EdgeVec.create({ dimensions: 32, metric: 'cosine' });
      await index.insertBatch(rows.subarray(0, 1000 * 32));
      await index.insertBatch(rows.subarray(1000 * 32));
      index.insert(rowOf(rows, 32, round));
      index.search(rowOf(rows, 32, round), { k: 100, ef: 200 });
      const copy = await EdgeVec.fromBytes(index.toBytes());
      index.close();
      copy.close();
      after.push(moduleMemoryBytes());
    }
    expect(after.at(-1)).to.equal(after[2]);
  });

  it('is given back by an index that is closed while a batch runs, and by rejected batches', async () => {
    const rows = clustered(3000, 32);
    const after: number[] = [];
    for (const _ of range(12)) {
      const index = await EdgeVec.create({ dimensions: 32 });
      const stop = new AbortController();
      const onProgress = (): void => {
        index.insert(rowOf(rows, 32, 7));
        stop.abort();
      };
      await rejectionOf(index.insertBatch(rows, { signal: stop.signal, onProgress }));
      await rejectionOf(index.insertBatch([...rowsOf(rows, 32), [1]], { ids: range(3001) }));
      await rejectionOf(index.insertBatch(rows, { onProgress: () => index.close() }));
      after.push(moduleMemoryBytes());
    }
    expect(after.at(-1)).to.equal(after[2]);
  });

  it('is not taken by arguments that are refused', async () => {
    const index = await fresh({ dimensions: 4 });
    const before = moduleMemoryBytes();
    const large = new Float32Array(MIB * 16);
    const long = 'x'.repeat(MIB * 64);
    for (const _ of range(3)) {
      expectError(thrownBy(() => index.search(large)), 'DIMENSION_MISMATCH', { expected: 4, actual: large.length });
      expectError(thrownBy(() => index.insert(large)), 'DIMENSION_MISMATCH', { expected: 4, actual: large.length });
      expectError(thrownBy(() => index.search(new Array(2 ** 32 - 1))), 'DIMENSION_MISMATCH', { actual: 2 ** 32 - 1 });
      expectError(await rejectionOf(EdgeVec.create({ dimensions: 4, metric: long as never })), 'INVALID_ARGUMENT');
      expectError(await rejectionOf(index.insertBatch([[1, 2, 3, 4]], { mode: long as never })), 'INVALID_ARGUMENT');
      expectError(await rejectionOf(index.insertBatch(large, { ids: [1] })), 'CAPACITY_EXCEEDED');
    }
    expect(moduleMemoryBytes()).to.equal(before);
  });

  it('of the module is handed out by no call', async () => {
    const index = await filled(uniform(300, 4), { dimensions: 4 });
    const { glue, memory } = await newModule();
    const raw = new glue.RawIndex(4, 'l2', 16, 200, 0);
    const row = uniform(1, 4);
    raw.insert(row, undefined);
    raw.beginBatch(1, undefined, 'strict', true);
    raw.fillBatch(row);
    while (raw.stepBatch(1e6) >= 0);
    const { ids } = raw.finishBatch() as { ids: Float64Array };
    for (const given of [raw.toBytes(), raw.get(0), raw.search(row, 1, 64), ids]) {
      expect(given?.buffer).not.to.equal(memory.buffer);
      expect(given?.buffer.byteLength).to.equal(given?.byteLength);
    }
    raw.free();
    index.close();
  });
});

describe('when memory runs out', () => {
  const DIMENSIONS = 64;
  const rows = clustered(5000, DIMENSIONS);
  const queries = rowsOf(uniform(10, DIMENSIONS, 3), DIMENSIONS);

  interface Seen {
    size: number;
    bytes: string;
    found: string[];
  }

  function fails(call: () => unknown): boolean {
    try {
      call();
      return false;
    } catch (error) {
      expect(error).to.include({ code: 'CAPACITY_EXCEEDED' });
      return true;
    }
  }

  function seen(raw: RawIndex): Seen {
    return {
      size: raw.size,
      bytes: digest(raw.toBytes()),
      found: queries.map((query) => raw.search(query, 10, 64).join()),
    };
  }

  for (const [kind, already, least, step] of [['an empty', 0, 20, 8], ['a full', 700, 90, 2]] as const) {
    it(`a batch into ${kind} index is rejected with CAPACITY_EXCEEDED and changes nothing, at any moment`, async () => {
      const batch = rows.subarray(1000 * DIMENSIONS, 4000 * DIMENSIONS);
      let failed = 0;
      // With every step the memory suffices for a little more of the work, and in the end for all.
      for (let pages = least; ; pages += inNode ? step : 2 * step) {
        const { glue, memory } = await newModule(pages);
        const raw = new glue.RawIndex(DIMENSIONS, 'l2', 16, 50, 0);
        const full = range(already).some((place) => fails(() => raw.insert(rowOf(rows, DIMENSIONS, place), undefined)));
        if (full) continue; // not even for what is there before
        const before = seen(raw);
        const outcome = await insertBatch(raw, batch).catch((error: unknown) => error);
        expect(memory.buffer.byteLength).to.be.at.most(pages * 65_536);
        if (!(outcome instanceof Error)) break;
        failed += 1;
        expectBatchError(outcome, 'CAPACITY_EXCEEDED', (outcome as { details?: object }).details);
        expect(seen(raw)).to.deep.equal(before);
        if (already > 0) expect(raw.insert(rowOf(rows, DIMENSIONS, 4500), undefined)).to.equal(already);
      }
      expect(failed).to.be.at.least(2);
    });
  }

  it('insert fails with CAPACITY_EXCEEDED and every row before it is found', async () => {
    const { glue } = await newModule(8 * 16);
    const raw = new glue.RawIndex(DIMENSIONS, 'l2', 16, 20, 0);
    for (let place = 0; ; place += 1) {
      const id = place % 2 === 0 ? undefined : 1e9 + place;
      if (fails(() => raw.insert(rowOf(rows, DIMENSIONS, place % 5000), id))) break;
    }
    const { size } = raw;
    expect(size).to.be.at.least(1000);
    for (let place = 0; place < size; place += 97) {
      expect(raw.search(rowOf(rows, DIMENSIONS, place % 5000), 1, 200)[1]).to.equal(0);
    }
    const error = thrownBy(() => raw.insert(rowOf(rows, DIMENSIONS, 0), undefined));
    expect(error).to.deep.include({ code: 'CAPACITY_EXCEEDED', details: { current: size + 1, max: size } });
    expect(raw.size).to.equal(size);
  });

  it('saving, loading and a search for everything fail with CAPACITY_EXCEEDED, or work', async () => {
    const { glue: donor } = await newModule();
    const whole = new donor.RawIndex(DIMENSIONS, 'l2', 16, 200, 0);
    await insertBatch(whole, rows.subarray(0, 5000 * DIMENSIONS));
    const bytes = whole.toBytes();
    let [failed, worked] = [0, 0];
    for (const mib of [4, 5, 6, 7, 8, 16]) {
      const { glue } = await newModule(mib * 16);
      let loaded: RawIndex | undefined;
      const calls: (() => unknown)[] = [
        () => (loaded = glue.RawIndex.fromBytes(bytes)),
        () => loaded?.search(rowOf(rows, DIMENSIONS, 3), 1e6, 1 << 20),
        () => loaded?.toBytes(),
      ];
      for (const call of calls) {
        if (fails(call)) failed += 1;
        else worked += 1;
      }
      loaded?.free();
      const small = new glue.RawIndex(2, 'l2', 16, 200, 0);
      small.insert(Float32Array.of(1, 2), undefined);
      expect([...small.search(Float32Array.of(1, 2), 1, 64)]).to.deep.equal([0, 0]);
    }
    expect(failed).to.be.at.least(2);
    expect(worked).to.be.at.least(2);
  });

  it('that of JavaScript, a call fails with CAPACITY_EXCEEDED and the handle still works', async () => {
    const { glue, memory } = await newModule();
    const raw = new glue.RawIndex(DIMENSIONS, 'l2', 16, 200, 0);
    const row = rowOf(rows, DIMENSIONS, 0);
    raw.insert(row, undefined);
    const constructors = { Float32Array, Float64Array, Uint8Array };
    const calls: Record<keyof typeof constructors, () => unknown> = {
      Float32Array: () => raw.get(0),
      Float64Array: () => raw.search(row, 1, 64),
      Uint8Array: () => raw.toBytes(),
    };
    for (const [name, call] of Object.entries(calls) as [keyof typeof constructors, () => unknown][]) {
      const Real = constructors[name];
      // What copies a view of the module's memory fails, as an engine does that has no memory.
      const Failing = new Proxy(Real, {
        construct(target, [source, ...rest]) {
          const copies = ArrayBuffer.isView(source) && source.buffer === memory.buffer;
          if (copies) throw new RangeError('Array buffer allocation failed');
          return Reflect.construct(target, [source, ...rest]) as object;
        },
      });
      Object.assign(globalThis, { [name]: Failing });
      try {
        expect(thrownBy(call), name).to.include({ code: 'CAPACITY_EXCEEDED' });
      } finally {
        Object.assign(globalThis, { [name]: Real });
      }
      expect([...raw.search(row, 1, 64)], name).to.deep.equal([0, 0]);
      raw.insert(row, undefined);
    }
    raw.free();
  });
});
