/** The page stays alive: a batch runs in slices, with real tasks and reports of progress between them. */

import { expect } from 'chai';
import type { BatchProgress } from 'edgevec';
import { RawIndex } from '../dist/wasm/edgevec.js';
import { countTime } from './clock.js';
import { clustered, rowsOf } from './data.js';
import { inNode } from './environment.js';
import { filled, fresh } from './indexes.js';

const ROWS = 10_000;
const DIMENSIONS = 128;
const rows = clustered(ROWS, DIMENSIONS);

/** More batches than it takes for anything that has a turn in one at all, however busy the machine. */
const MANY_BATCHES = 100;

/** Every slice of a batch and what else happens meanwhile, in order. */
async function trace(run: (log: string[]) => Promise<unknown>): Promise<string[]> {
  const log: string[] = [];
  const { stepBatch, finishBatch } = RawIndex.prototype;
  let steps = 0;
  RawIndex.prototype.stepBatch = function (budget) {
    if (log.at(-1) !== 'slice') {
      log.push('slice');
      steps = 0;
    }
    steps += 1;
    // A slice aims at 4 ms of steps of 1 ms; without an end it would take the whole batch.
    expect(steps, 'steps of a slice').to.be.at.most(4);
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

/** How often `again` calls back while a batch runs; the most of several batches, as many as it takes to be enough. */
async function turns(again: (turn: () => void) => void): Promise<number> {
  let most = 0;
  for (let batch = 0; batch < MANY_BATCHES && most < 5; batch += 1) {
    let count = 0;
    const index = await fresh({ dimensions: DIMENSIONS });
    let isOver = false;
    const turn = (): void => {
      if (isOver) return;
      count += 1;
      again(turn);
    };
    again(turn);
    await index.insertBatch(rows, { workers: 0 });
    isOver = true;
    index.close();
    most = Math.max(most, count);
  }
  return most;
}

describe('progress', () => {
  countTime();

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
  countTime();

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

  it('timers and messages have their turn', async () => {
    expect(await turns((turn) => setTimeout(turn, 0)), 'timers').to.be.at.least(5);
    const channel = new MessageChannel();
    const messages = await turns((turn) => {
      channel.port1.onmessage = turn;
      channel.port2.postMessage(null);
    });
    channel.port1.close();
    expect(messages, 'messages').to.be.at.least(5);
  });

  it('what the page sends itself waits for one slice, not for two', async () => {
    const channel = new MessageChannel();
    let messages = 0;
    channel.port1.onmessage = () => {
      messages += 1;
      channel.port2.postMessage(null);
    };
    channel.port2.postMessage(null);
    let slices = 0;
    const index = await fresh({ dimensions: DIMENSIONS });
    try {
      await index.insertBatch(rows, { workers: 0, onProgress: () => (slices += 1) });
    } finally {
      channel.port1.close();
    }
    expect(slices).to.be.at.least(20);
    expect(messages / slices, 'messages for each slice').to.be.at.least(0.8);
  });

  it('frames are painted', async function () {
    if (inNode || document.visibilityState !== 'visible') return this.skip();
    expect(await turns((turn) => requestAnimationFrame(turn)), 'frames').to.be.at.least(5);
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
