/** Calls made while a batch runs: inserts queue behind it, everything else sees the index from before. */

import { expect } from 'chai';
import type { EdgeVec } from 'edgevec';
import { countTime } from './clock.js';
import { clustered, range, rowOf, rowsOf } from './data.js';
import { laterTask } from './environment.js';
import { expectError, rejectionOf, thrownBy } from './failures.js';
import { filled, fresh, keep, stateOf } from './indexes.js';
import { digest } from './savable.js';

const DIMENSIONS = 8;
const rows = clustered(3000, DIMENSIONS);
const queries = rowsOf(clustered(10, DIMENSIONS, 5), DIMENSIONS);

function part(first: number, count: number): Float32Array {
  return rows.subarray(first * DIMENSIONS, (first + count) * DIMENSIONS);
}

function row(place: number): Float32Array {
  return rowOf(rows, DIMENSIONS, place);
}

/** Runs `during` once, in the first pause of the batch. */
function inFirstPause(during: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    during();
  };
}

describe('while a batch runs', () => {
  countTime();

  for (const [kind, already] of [['an empty', 0], ['a small', 100], ['a large', 900]] as const) {
    it(`${kind} index is seen as it was before`, async () => {
      const index = await fresh({ dimensions: DIMENSIONS });
      if (already > 0) await index.insertBatch(part(0, already));
      const before = stateOf(index, queries);
      let pauses = 0;
      await index.insertBatch(part(already, 1200), {
        onProgress: () => {
          pauses += 1;
          expect(stateOf(index, queries)).to.deep.equal(before);
          expect([index.has(already), index.get(already)]).to.deep.equal([false, undefined]);
        },
      });
      expect(pauses).to.be.at.least(2);
      expect([index.size, index.has(already)]).to.deep.equal([already + 1200, true]);
    });
  }

  it('an index is seen as it was before, also when the batch brings its own ids', async () => {
    const index = await filled(part(0, 100), { dimensions: DIMENSIONS });
    const before = stateOf(index, queries);
    await index.insertBatch(part(100, 900), {
      ids: range(900, 5000),
      onProgress: () => expect(stateOf(index, queries)).to.deep.equal(before),
    });
    expect(index.has(5899)).to.equal(true);
  });

  it('insert returns its id at once, and the row is found when the batch is done', async () => {
    for (const already of [0, 900]) {
      const index = await fresh({ dimensions: DIMENSIONS });
      if (already > 0) await index.insertBatch(part(0, already));
      const inserted: number[] = [];
      const result = await index.insertBatch(part(1000, 600), {
        onProgress: inFirstPause(() => {
          // So many that giving them their places takes slices, too.
          for (const place of range(700, 2000)) inserted.push(index.insert(row(place)));
          inserted.push(index.insert(row(2700), 123_456));
          expect(index.size).to.equal(already);
        }),
      });
      expect(inserted.at(-1)).to.equal(123_456);
      expect(new Set([...inserted, ...result.ids]).size).to.equal(1301);
      expect(index.size).to.equal(already + 1301);
      inserted.forEach((id, place) => {
        expect(index.search(row(2000 + place), { k: 1 })).to.deep.equal([{ id, distance: 0 }]);
      });
      result.ids.forEach((id, place) => expect(index.get(id)).to.deep.equal(row(1000 + place)));
    }
  });

  it('insert refuses what it always refuses', async () => {
    const index = await filled(part(0, 300), { dimensions: DIMENSIONS });
    await index.insertBatch(part(300, 600), {
      onProgress: inFirstPause(() => {
        expectError(thrownBy(() => index.insert([1])), 'DIMENSION_MISMATCH');
        expectError(thrownBy(() => index.insert(range(7).concat(NaN))), 'INVALID_VECTOR');
        expectError(thrownBy(() => index.insert(row(0), 299)), 'DUPLICATE_ID', { id: 299 });
        expect(index.insert(row(0), 5000)).to.equal(5000);
        expectError(thrownBy(() => index.insert(row(0), 5000)), 'DUPLICATE_ID', { id: 5000 });
      }),
    });
    expect(index.size).to.equal(901);
  });

  it('insert never takes an id that the batch will have', async () => {
    const index = await fresh({ dimensions: DIMENSIONS });
    const running = index.insertBatch(part(0, 400), { ids: range(400) });
    const id = index.insert(row(2000));
    expect((await running).ids).to.deep.equal(range(400));
    expect(index.search(row(2000), { k: 1 })).to.deep.equal([{ id, distance: 0 }]);
  });

  it('rows inserted meanwhile stay when the batch is rejected', async () => {
    for (const end of ['abort', 'error'] as const) {
      const index = await filled(part(0, 300), { dimensions: DIMENSIONS });
      const stop = new AbortController();
      const batch = rowsOf(part(300, 500), DIMENSIONS);
      if (end === 'error') batch[499] = new Float32Array(DIMENSIONS).fill(NaN);
      const running = index.insertBatch(batch, { signal: stop.signal, validateDimensions: false });
      const id = index.insert(row(2000));
      if (end === 'abort') stop.abort();
      await rejectionOf(running);
      expect(index.size).to.equal(301);
      expect(index.search(row(2000), { k: 1 })).to.deep.equal([{ id, distance: 0 }]);
    }
  });

  it('other batches wait, and are inserted in the order of the calls', async () => {
    const index = await fresh({ dimensions: DIMENSIONS });
    const done: string[] = [];
    const insert = async (name: string, first: number, count: number): Promise<number[]> => {
      const { ids } = await index.insertBatch(part(first, count));
      done.push(name);
      return ids;
    };
    const all = await Promise.all([insert('first', 0, 800), insert('second', 800, 300), insert('third', 1100, 1)]);
    expect(all).to.deep.equal([range(800), range(300, 800), [1100]]);
    expect(done).to.deep.equal(['first', 'second', 'third']);
    const together = await filled(part(0, 1101), { dimensions: DIMENSIONS });
    for (const query of queries) {
      // With so many candidates every row is looked at.
      expect(index.search(query, { ef: 1101 })).to.deep.equal(together.search(query, { ef: 1101 }));
    }
  });

  it('a batch behind one that is rejected is inserted all the same', async () => {
    const index = await fresh({ dimensions: DIMENSIONS });
    const stop = new AbortController();
    const outcomes = Promise.allSettled([
      index.insertBatch(part(0, 700), { signal: stop.signal }),
      index.insertBatch([[1, 2]]),
      index.insertBatch(part(700, 50)),
    ]);
    stop.abort('first');
    const [first, second, third] = await outcomes;
    expect(first).to.deep.equal({ status: 'rejected', reason: 'first' });
    expectError((second as PromiseRejectedResult).reason, 'DIMENSION_MISMATCH');
    expect(third).to.have.deep.nested.property('value.ids', range(50));
    expect(index.size).to.equal(50);
  });

  it('an aborted batch that waits is rejected at once; those around it are not touched', async () => {
    const index = await fresh({ dimensions: DIMENSIONS });
    const stop = new AbortController();
    const order: string[] = [];
    const first = index.insertBatch(part(0, 1500)).finally(() => order.push('first'));
    const second = index.insertBatch(part(1500, 100), { signal: stop.signal }).catch((reason) => order.push(reason));
    const third = index.insertBatch(part(1600, 100)).finally(() => order.push('third'));
    stop.abort('second');
    await Promise.all([first, second, third]);
    expect(order).to.deep.equal(['second', 'first', 'third']);
    expect(index.size).to.equal(1600);
  });

  it('a waiting batch has copied its rows and ids: the caller may write over both', async () => {
    for (const form of ['flat', 'rows'] as const) {
      const index = await fresh({ dimensions: DIMENSIONS });
      const flat = part(1000, 300).slice();
      const list = rowsOf(flat, DIMENSIONS).map((each) => (form === 'rows' ? Array.from(each) : each));
      const ids = range(300, 7000);
      const first = index.insertBatch(part(0, 500));
      const second = index.insertBatch(form === 'flat' ? flat : list, { ids });
      flat.fill(NaN);
      for (const each of list) each.fill(NaN);
      list.length = 0;
      ids.fill(0);
      await Promise.all([first, second]);
      for (const place of range(300)) expect(index.get(7000 + place)).to.deep.equal(row(1000 + place));
    }
  });

  it('a waiting batch leaves no listener on its signal', async () => {
    const index = await fresh({ dimensions: DIMENSIONS });
    const signal = new AbortController().signal;
    let listeners = 0;
    signal.addEventListener = () => void (listeners += 1);
    signal.removeEventListener = () => void (listeners -= 1);
    const first = index.insertBatch(part(0, 300), { signal });
    const second = index.insertBatch(part(300, 300), { signal });
    expect(listeners).to.equal(1);
    await Promise.all([first, second]);
    expect(listeners).to.equal(0);
  });

  it('a batch may be called for in onProgress, and in a getter of a row', async () => {
    const index = await fresh({ dimensions: DIMENSIONS });
    const others: Promise<{ ids: number[] }>[] = [];
    const begin = (): void => void others.push(index.insertBatch(part(1000 + others.length, 1)));
    const getting = Array.from(row(0));
    Object.defineProperty(getting, 3, { get: () => (begin(), 1) });
    const ids = range(301, 10_000);
    Object.defineProperty(ids, 7, { get: () => (begin(), 10_007) });
    const batch = [getting, ...rowsOf(part(1, 300), DIMENSIONS)];
    const result = await index.insertBatch(batch, { ids, onProgress: inFirstPause(begin) });
    expect(result.inserted).to.equal(301);
    expect((await Promise.all(others)).length).to.be.at.least(3);
    expect(index.size).to.equal(301 + others.length);
  });

  it('batches of two indexes do not disturb each other', async () => {
    const [one, two] = [await fresh({ dimensions: DIMENSIONS }), await fresh({ dimensions: DIMENSIONS })];
    await Promise.all([one.insertBatch(part(0, 900)), two.insertBatch(part(900, 900)), one.insertBatch(part(1800, 10))]);
    const alone = await filled(part(0, 900), { dimensions: DIMENSIONS });
    const also = await filled(part(900, 900), { dimensions: DIMENSIONS });
    await alone.insertBatch(part(1800, 10));
    expect(digest(one.toBytes())).to.equal(digest(alone.toBytes()));
    expect(digest(two.toBytes())).to.equal(digest(also.toBytes()));
  });

  it('an error of another index in onProgress rejects the batch and leaves nothing pending', async () => {
    const closed = await fresh({ dimensions: DIMENSIONS });
    closed.close();
    const index = await filled(part(0, 300), { dimensions: DIMENSIONS });
    const running = index.insertBatch(part(300, 600), { onProgress: inFirstPause(() => closed.size) });
    expectError(await rejectionOf(running), 'CLOSED');
    expect(index.size).to.equal(300);
    expect((await index.insertBatch(part(300, 600))).ids).to.deep.equal(range(600, 300));
  });
});

describe('close', () => {
  countTime();

  async function expectClosed(close: (index: EdgeVec, running: Promise<unknown>[]) => void): Promise<void> {
    const index = await filled(part(0, 300), { dimensions: DIMENSIONS });
    const running: Promise<unknown>[] = [];
    const onProgress = inFirstPause(() => close(index, running));
    running.push(index.insertBatch(part(300, 2600), { onProgress }), index.insertBatch(part(2900, 5)));
    for (const outcome of await Promise.allSettled(running)) {
      expectError((outcome as PromiseRejectedResult).reason, 'CLOSED');
    }
    expectError(thrownBy(() => index.size), 'CLOSED');
    expectError(await rejectionOf(index.insertBatch(part(0, 1))), 'CLOSED');
    const next = keep(await filled(part(0, 300), { dimensions: DIMENSIONS }));
    expect(next.search(row(7), { k: 1 })).to.deep.equal([{ id: 7, distance: 0 }]);
  }

  it('in onProgress rejects the batch and those that wait', () => expectClosed((index) => index.close()));

  it('between two slices does, too', () => expectClosed((index) => void setTimeout(() => index.close(), 0)));

  it('with rows that wait for the batch does, too', () =>
    expectClosed((index) => {
      index.insert(row(2000));
      index.close();
    }));

  it('right after the call rejects the batch', async () => {
    const index = await fresh({ dimensions: DIMENSIONS });
    const running = index.insertBatch(part(0, 500));
    index.close();
    index.close();
    expectError(await rejectionOf(running), 'CLOSED');
    await laterTask();
    expectError(thrownBy(() => index.search(row(0))), 'CLOSED');
  });
});
