/** All or nothing: a batch that is rejected, by an error or by an abort, leaves the index as it was. */

import { expect } from 'chai';
import { EdgeVecError, type BatchInsertConfig, type BatchVectors, type EdgeVec } from 'edgevec';
import { countTime } from './clock.js';
import { clustered, range, rowsOf } from './data.js';
import { laterTask } from './environment.js';
import { rejectionOf } from './failures.js';
import { fresh, stateOf } from './indexes.js';
import { digest } from './savable.js';

const DIMENSIONS = 8;
const BATCH = 900;
const rows = clustered(3000, DIMENSIONS);
const queries = rowsOf(clustered(15, DIMENSIONS, 5), DIMENSIONS);

/** The rows of every batch here: enough for several slices. */
const batch = rows.subarray(rows.length - BATCH * DIMENSIONS);

/** Indexes of every kind: without rows, without a graph, with one, and with ids of the caller. */
const kinds: Record<string, (index: EdgeVec) => Promise<unknown> | void> = {
  'an empty index': () => {},
  'a small index': (index) => index.insertBatch(rows.subarray(0, 100 * DIMENSIONS)),
  'an index with a graph': (index) => index.insertBatch(rows.subarray(0, 800 * DIMENSIONS)),
  'an index with chosen ids': (index) =>
    index.insertBatch(rows.subarray(0, 800 * DIMENSIONS), { ids: range(800, 5000) }),
  'an index of much smaller numbers': (index) =>
    index.insertBatch(rows.subarray(0, 800 * DIMENSIONS).map((component) => component / 1000)),
};

async function made(kind: string): Promise<EdgeVec> {
  const index = await fresh({ dimensions: DIMENSIONS });
  await kinds[kind]?.(index);
  return index;
}

/** Rejects a batch, and expects the index to be, and to go on, as if there had been none. */
async function expectUnchanged(kind: string, reject: (index: EdgeVec) => Promise<unknown>): Promise<unknown> {
  const index = await made(kind);
  const before = stateOf(index, queries);
  const reason = await rejectionOf(reject(index));
  expect(stateOf(index, queries)).to.deep.equal(before);

  const untouched = await made(kind);
  const [after, expected] = [await index.insertBatch(batch), await untouched.insertBatch(batch)];
  expect(after).to.deep.equal(expected);
  expect(stateOf(index, queries)).to.deep.equal(stateOf(untouched, queries));
  return reason;
}

/** A copy of the batch with another last row. */
function endingWith(last: readonly number[]): BatchVectors {
  return [...rowsOf(batch, DIMENSIONS).slice(0, -1), last];
}

const good = range(DIMENSIONS);
const errors: Record<string, [string, BatchVectors, BatchInsertConfig]> = {
  'a last row with NaN': ['INVALID_VECTOR', endingWith([...good.slice(1), NaN]), {}],
  'a last row with NaN that is not looked for first': [
    'INVALID_VECTOR',
    endingWith([...good.slice(1), NaN]),
    { validateDimensions: false },
  ],
  'a last row that is too short': ['DIMENSION_MISMATCH', endingWith(good.slice(1)), {}],
  'a flat array that is no multiple': ['DIMENSION_MISMATCH', rows.subarray(0, 5 * DIMENSIONS + 1), {}],
  'an id given twice, at the end': ['DUPLICATE_ID', batch, { ids: [...range(BATCH - 1, 10_000), 10_000] }],
  'a last id that is no integer': ['INVALID_ARGUMENT', batch, { ids: [...range(BATCH - 1, 10_000), 0.5] }],
  'no rows': ['EMPTY_BATCH', [], {}],
};

for (const kind of Object.keys(kinds)) {
  describe(`a rejected batch leaves ${kind} as it was`, () => {
    countTime();

    for (const [cause, [code, vectors, config]] of Object.entries(errors)) {
      it(`by ${cause}`, async () => {
        const error = await expectUnchanged(kind, (index) => index.insertBatch(vectors, config));
        expect((error as EdgeVecError).code).to.equal(code);
      });
    }

    it('by an abort in any slice, from the first to the last', async () => {
      let slices = 0;
      await (await made(kind)).insertBatch(batch, { onProgress: () => (slices += 1) });
      const index = await made(kind);
      const before = stateOf(index, queries);
      for (let slice = 1; ; slice += Math.max(1, Math.floor(slices / 25))) {
        const stop = new AbortController();
        let calls = 0;
        let last;
        const onProgress = ({ done, total }: { done: number; total: number }): void => {
          calls += 1;
          last = done === total;
          if (calls === slice || last) stop.abort(slice);
        };
        expect(await rejectionOf(index.insertBatch(batch, { signal: stop.signal, onProgress }))).to.equal(slice);
        expect(stateOf(index, queries), `aborted in slice ${slice}`).to.deep.equal(before);
        if (last) break;
      }
      expect(slices).to.be.at.least(2);
    });

    it('by what onProgress throws, in the first slice, a later one and the last', async () => {
      const moments: ((call: number, ended: boolean) => boolean)[] = [
        (call) => call === 1,
        (call, ended) => call === 3 || ended,
        (_, ended) => ended,
      ];
      for (const moment of moments) {
        const thrown = new RangeError('a bar that is too long');
        let call = 0;
        const onProgress = ({ done, total }: { done: number; total: number }): void => {
          if (moment((call += 1), done === total)) throw thrown;
        };
        expect(await expectUnchanged(kind, (index) => index.insertBatch(batch, { onProgress }))).to.equal(thrown);
      }
    });
  });
}

describe('an abort', () => {
  countTime();

  it('before the call rejects at once, without a slice', async () => {
    let calls = 0;
    const signal = AbortSignal.abort();
    const reason = await expectUnchanged('a small index', (index) =>
      index.insertBatch(batch, { signal, onProgress: () => (calls += 1) }),
    );
    expect(reason).to.equal(signal.reason);
    expect(calls).to.equal(0);
  });

  it('right after the call rejects after one slice at most', async () => {
    const stop = new AbortController();
    let calls = 0;
    await expectUnchanged('a small index', (index) => {
      const running = index.insertBatch(batch, { signal: stop.signal, onProgress: () => (calls += 1) });
      stop.abort();
      return running;
    });
    expect(calls).to.be.at.most(1);
  });

  it('from a timer takes effect within one slice', async () => {
    const index = await fresh({ dimensions: 32 });
    const stop = new AbortController();
    let callsAfter = 0;
    const onProgress = (): void => {
      if (stop.signal.aborted) callsAfter += 1;
    };
    const running = index.insertBatch(clustered(20_000, 32), { signal: stop.signal, onProgress });
    setTimeout(() => stop.abort(), 20);
    expect(((await rejectionOf(running)) as Error).name).to.equal('AbortError');
    expect(callsAfter).to.be.at.most(1);
    expect(index.size).to.equal(0);
  });

  it('after the batch changes nothing', async () => {
    const stop = new AbortController();
    const index = await fresh({ dimensions: DIMENSIONS });
    const { inserted } = await index.insertBatch(batch, { signal: stop.signal });
    stop.abort();
    await laterTask();
    expect([inserted, index.size]).to.deep.equal([BATCH, BATCH]);
  });

  it('rejects with signal.reason, whatever it is', async () => {
    for (const reason of [new TypeError('mine'), 'enough', 0, null, Symbol('stop'), { code: 7 }]) {
      for (const early of [true, false]) {
        const index = await fresh({ dimensions: DIMENSIONS });
        const stop = new AbortController();
        if (early) stop.abort(reason);
        const running = index.insertBatch(batch, { signal: stop.signal, onProgress: () => stop.abort(reason) });
        expect(await rejectionOf(running)).to.equal(reason);
      }
    }
  });

  it('without a reason rejects with an AbortError, by a time limit with a TimeoutError', async () => {
    const index = await fresh({ dimensions: DIMENSIONS });
    const stop = new AbortController();
    const running = index.insertBatch(batch, { signal: stop.signal, onProgress: () => stop.abort() });
    expect(await rejectionOf(running)).to.be.instanceOf(DOMException).with.property('name', 'AbortError');

    const signal = AbortSignal.timeout(1);
    while (!signal.aborted) await laterTask();
    expect(await rejectionOf(index.insertBatch(batch, { signal }))).to.have.property('name', 'TimeoutError');
  });

  it('is taken from a signal of another library', async () => {
    const index = await fresh({ dimensions: DIMENSIONS });
    const signal = Object.assign(new EventTarget(), { aborted: false, reason: 'theirs' });
    const onProgress = (): void => {
      signal.aborted = true;
    };
    expect(await rejectionOf(index.insertBatch(batch, { signal: signal as never, onProgress }))).to.equal('theirs');
    expect(index.size).to.equal(0);
  });
});

describe('a batch of more than is copied at once', () => {
  const large = new Float32Array((33 << 20) / 4);

  it('reports and can be aborted while it is copied', async () => {
    for (const vectors of [large, rowsOf(large, 16_384)]) {
      const index = await fresh({ dimensions: 16_384 });
      const before = digest(index.toBytes());
      const stop = new AbortController();
      const seen: number[] = [];
      const onProgress = ({ done }: { done: number }): void => {
        seen.push(done);
        stop.abort('seen');
      };
      expect(await rejectionOf(index.insertBatch(vectors, { signal: stop.signal, onProgress }))).to.equal('seen');
      expect(seen).to.deep.equal([0]);
      expect(digest(index.toBytes())).to.equal(before);
    }
  });
});
