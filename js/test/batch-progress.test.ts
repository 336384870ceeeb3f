/** The page stays alive: a batch runs in slices, with real tasks and reports of progress between them. */

import { expect } from 'chai';
import type { BatchProgress } from 'edgevec';
import { RawIndex } from '../dist/wasm/edgevec.js';
import { clustered, rowsOf } from './data.js';
import { inNode } from './environment.js';
import { filled, fresh } from './indexes.js';

const ROWS = 10_000;
const DIMENSIONS = 128;
const rows = clustered(ROWS, DIMENSIONS);

/** Longer than any slice on any machine that runs tests, however busy. */
const ABSURD_GAP_MS = 500;

/** Every slice of a batch and what else happens meanwhile, in order. */
async function trace(run: (log: string[]) => Promise<unknown>): Promise<string[]> {
  const log: string[] = [];
  const { stepBatch, finishBatch } = RawIndex.prototype;
  let start = 0;
  RawIndex.prototype.stepBatch = function (budget) {
    const now = performance.now();
    if (log.at(-1) !== 'slice') {
      log.push('slice');
      start = now;
    }
    // A slice is some milliseconds of steps; without an end it would take the whole batch.
    expect(now - start, 'a step of a slice').to.be.below(50);
    return stepBatch.call(this, budget);
  };
  RawIndex.prototype.finishBatch = function () {
    log.push('finish');
    return finishBatch.call(this);
  };
  try {
    await run(log);
  } finally {
    Object.assign(RawIndex.prototype, { stepBatch, finishBatch });
  }
  return log;
}

/** Counts calls of `again` until `stop`, and the longest time between two. */
function ticker(again: (tick: () => void) => void): { ticks: number; longestMs: number; stop: () => void } {
  let running = true;
  let last = performance.now();
  const ticker = { ticks: 0, longestMs: 0, stop: () => void (running = false) };
  const tick = (): void => {
    if (!running) return;
    const now = performance.now();
    ticker.longestMs = Math.max(ticker.longestMs, now - last);
    ticker.ticks += 1;
    last = now;
    again(tick);
  };
  again(tick);
  return ticker;
}

describe('progress', () => {
  it('never falls, stays within 0 and total, and ends with done === total, once', async () => {
    const small = [1, 200, 900].map((count): [Float32Array, number] => [clustered(count, 4), 4]);
    const batches: [Float32Array, number][] = [[rows.subarray(0, 2000 * DIMENSIONS), DIMENSIONS], ...small];
    for (const [batch, dimensions] of batches) {
      for (const index of [await fresh({ dimensions }), await filled(clustered(600, dimensions), { dimensions })]) {
        const seen: BatchProgress[] = [];
        const total = batch.length / dimensions;
        await index.insertBatch(batch, { onProgress: (progress) => seen.push(progress) });
        expect(seen.every((progress) => progress.total === total && Number.isInteger(progress.done))).to.equal(true);
        const done = seen.map((progress) => progress.done);
        expect(done).to.deep.equal(done.toSorted((a, b) => a - b));
        expect([Math.min(...done) >= 0, done.at(-1), done.indexOf(total)]).to.deep.equal([true, total, done.length - 1]);
      }
    }
  });

  it('advances while the work is done, not only at its ends', async () => {
    const seen = new Set<number>();
    await (await fresh({ dimensions: DIMENSIONS })).insertBatch(rows, { onProgress: ({ done }) => seen.add(done) });
    expect(seen.size).to.be.at.least(10);
    const between = [...seen].filter((done) => done > ROWS / 10 && done < (ROWS * 9) / 10);
    expect(between.length).to.be.at.least(3);
  });

  it('counts all rows given, also those that are skipped', async () => {
    const batch: Float32Array[] = rowsOf(clustered(500, 4), 4);
    for (let place = 0; place < 500; place += 2) batch[place] = Float32Array.of(1, NaN, 1, 1);
    const seen: BatchProgress[] = [];
    const index = await fresh({ dimensions: 4 });
    const { inserted } = await index.insertBatch(batch, { mode: 'skip', onProgress: (progress) => seen.push(progress) });
    expect(inserted).to.equal(250);
    expect(seen.at(-1)).to.deep.equal({ done: 500, total: 500 });
  });

  it('is reported at most once a slice and after every slice', async () => {
    const log = await trace(async (log) => {
      const index = await fresh({ dimensions: DIMENSIONS });
      await index.insertBatch(rows, { workers: 0, onProgress: () => log.push('progress') });
    });
    const slices = log.filter((entry) => entry === 'slice').length;
    expect(slices).to.be.at.least(20);
    // Slices aim at some milliseconds, so a report after each comes far more often than every 100 ms.
    const expected = [...Array.from({ length: slices }, () => ['slice', 'progress']).flat(), 'finish'];
    expect(log).to.deep.equal(expected);
  });

  it('is not reported before the call has returned', async () => {
    const index = await fresh({ dimensions: 4 });
    let returned = false;
    const running = index.insertBatch(clustered(300, 4), { onProgress: () => expect(returned).to.equal(true) });
    returned = true;
    await running;
  });

  it('is reported before the rows can be found, because a report may still reject the batch', async () => {
    const index = await fresh({ dimensions: 4 });
    const sizes: number[] = [];
    await index.insertBatch(clustered(300, 4), { onProgress: () => sizes.push(index.size) });
    expect(new Set(sizes)).to.deep.equal(new Set([0]));
    expect(index.size).to.equal(300);
  });
});

describe('while a batch of 10,000 rows runs', () => {
  // Engines compile what is called for the first time; how long that takes is not what is tested here.
  before(async () => (await filled(clustered(600, DIMENSIONS), { dimensions: DIMENSIONS })).close());

  it('no two slices follow each other without a task between them', async () => {
    /** Calls `done` behind so many microtasks that only a task comes later. */
    const behindMicrotasks = (count: number, done: () => void): void =>
      queueMicrotask(count === 0 ? done : () => behindMicrotasks(count - 1, done));
    const log = await trace(async (log) => {
      const index = await fresh({ dimensions: DIMENSIONS });
      const onProgress = ({ done }: BatchProgress): void => {
        if (done < ROWS) behindMicrotasks(1000, () => log.push('a task ends'));
      };
      await index.insertBatch(rows, { workers: 0, onProgress });
    });
    const slices = log.filter((entry) => entry === 'slice').length;
    expect(slices).to.be.at.least(20);
    const expected = Array.from({ length: slices - 1 }, () => ['slice', 'a task ends']).flat();
    expect(log).to.deep.equal([...expected, 'slice', 'finish']);
  });

  it('timers and messages keep coming, in a small part of the slices at least', async () => {
    const index = await fresh({ dimensions: DIMENSIONS });
    const channel = new MessageChannel();
    const timers = ticker((tick) => setTimeout(tick, 0));
    const messages = ticker((tick) => {
      channel.port1.onmessage = tick;
      channel.port2.postMessage(null);
    });
    let slices = 0;
    await index.insertBatch(rows, { onProgress: () => (slices += 1) });
    timers.stop();
    messages.stop();
    channel.port1.close();
    expect(slices).to.be.at.least(20);
    // Engines hold nested timers back for 4 ms, and let several messages wait for one timer.
    expect(timers.ticks).to.be.at.least(slices / 10);
    expect(messages.ticks).to.be.at.least(slices / 10);
    expect(timers.longestMs).to.be.below(ABSURD_GAP_MS);
    expect(messages.longestMs).to.be.below(ABSURD_GAP_MS);
  });

  it('frames are painted', async function () {
    if (inNode || document.visibilityState !== 'visible') return this.skip();
    const index = await fresh({ dimensions: DIMENSIONS });
    const frames = ticker((tick) => requestAnimationFrame(tick));
    await index.insertBatch(rows);
    frames.stop();
    expect(frames.ticks).to.be.at.least(5);
    expect(frames.longestMs).to.be.below(ABSURD_GAP_MS);
  });

  it('searches are answered in every pause', async () => {
    const index = await filled(clustered(300, DIMENSIONS, 7), { dimensions: DIMENSIONS });
    const query = rows.subarray(0, DIMENSIONS);
    const before = index.search(query);
    let answered = 0;
    await index.insertBatch(rows, {
      onProgress: () => {
        expect(index.search(query)).to.deep.equal(before);
        answered += 1;
      },
    });
    expect(answered).to.be.at.least(20);
    expect(index.search(query)[0]).to.deep.equal({ id: 300, distance: 0 });
  });
});
