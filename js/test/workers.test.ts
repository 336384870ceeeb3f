/** Threads help with batches: the result is the same for any number of them, and whatever happens to them. */

import { expect } from 'chai';
import type { BatchInsertConfig, BatchProgress, EdgeVec, EdgeVecOptions } from 'edgevec';
import { clustered, range, rowsOf, uniform } from './data.js';
import { inNode, laterTask } from './environment.js';
import { expectError, rejectionOf } from './failures.js';
import { fresh, stateOf } from './indexes.js';
import { nearest, recall } from './oracle.js';
import { digest } from './savable.js';
import { answers, ready, sent, watching, type Started, type Tampering } from './threads.js';

const DIMENSIONS = 24;
const ROWS = 2500;
const rows = clustered(ROWS, DIMENSIONS);
const queries = rowsOf(clustered(5, DIMENSIONS, 5), DIMENSIONS);

function part(first: number, end: number, of = rows): Float32Array {
  return of.subarray(first * DIMENSIONS, end * DIMENSIONS);
}

/** An empty index whose threads have started, so that they help from the first slice. */
async function staffed(started: Started[], workers: number, options: Partial<EdgeVecOptions> = {}): Promise<EdgeVec> {
  const index = await fresh({ dimensions: DIMENSIONS, ...options });
  const already = started.length;
  await rejectionOf(index.insertBatch([], { workers }));
  await ready(started.slice(already), workers);
  return index;
}

/** The bytes of an index that was given these batches, and how many units its threads did. */
async function built(
  batches: readonly Float32Array[],
  options: Partial<EdgeVecOptions>,
  workers: number,
  tampering: Tampering = {},
): Promise<{ index: EdgeVec; bytes: string; done: number }> {
  return watching(async (started) => {
    const index = tampering.start === undefined ? await staffed(started, workers, options) : await fresh(options);
    for (const batch of batches) await index.insertBatch(batch, { workers });
    return { index, bytes: digest(index.toBytes()), done: answers(started) };
  }, tampering);
}

/** Expects the same bytes for 0, 1, 2 and 4 threads, and every row to be reached; returns the last index. */
async function expectSame(batches: readonly Float32Array[], options: Partial<EdgeVecOptions>): Promise<EdgeVec> {
  const alone = await built(batches, options, 0);
  expect(alone.done).to.equal(0);
  let last = alone.index;
  for (const workers of [1, 2, 4]) {
    const { index, bytes } = await built(batches, options, workers);
    expect(bytes, `${workers} workers`).to.equal(alone.bytes);
    last = index;
  }
  const { size } = last;
  const row = batches[0]?.subarray(0, options.dimensions) as Float32Array;
  expect(last.search(row, { k: size, ef: size }).length, 'rows that are reached').to.equal(size);
  return last;
}

describe('a batch has the same bytes for 0, 1, 2 and 4 workers', () => {
  const batches: [string, EdgeVecOptions, Float32Array[]][] = [
    ['clusters, l2', { dimensions: 24, metric: 'l2' }, [rows]],
    ['clusters, cosine', { dimensions: 96, metric: 'cosine', seed: 7 }, [clustered(1500, 96)]],
    ['clusters, dot', { dimensions: 8, metric: 'dot', m: 6 }, [clustered(3000, 8)]],
    ['attach after attach', { dimensions: 24, metric: 'l2' }, [part(0, 1200), part(1200, 1900), part(1900, ROWS)]],
    ['one row', { dimensions: 3 }, [uniform(1, 3)]],
    ['two rows', { dimensions: 3 }, [uniform(2, 3)]],
    ['1 dimension', { dimensions: 1, metric: 'l2' }, [uniform(1500, 1)]],
    ['3 dimensions', { dimensions: 3, metric: 'l2' }, [uniform(1500, 3)]],
    ['128 dimensions', { dimensions: 128, metric: 'cosine' }, [clustered(900, 128)]],
    ['1536 dimensions', { dimensions: 1536, metric: 'cosine' }, [clustered(600, 1536)]],
  ];
  for (const [kind, options, parts] of batches) it(`of ${kind}`, async () => void (await expectSame(parts, options)));

  it('of rows far from all others', async () => {
    const far = rows.slice();
    for (const place of range(20)) part(100 * place, 100 * place + 1, far).fill((place + 1) * 1e4);
    await expectSame([far], { dimensions: DIMENSIONS });
  });

  it('of rows that differ in some dimensions only', async () => {
    const flat = rows.map((component, at) => (at % DIMENSIONS < 4 ? component : 0.5));
    await expectSame([flat], { dimensions: DIMENSIONS });
  });

  it('of 10,000 equal rows', async () => {
    const equal = new Float32Array(10_000 * 4).fill(0.25);
    const { bytes } = await built([equal], { dimensions: 4 }, 0);
    const { bytes: helped, index } = await built([equal], { dimensions: 4 }, 2);
    expect(helped).to.equal(bytes);
    const hits = index.search([0.25, 0.25, 0.25, 0.25], { k: 10 });
    expect(hits.map(({ distance }) => distance)).to.deep.equal(range(10).fill(0));
  });

  it('and the threads do a part of the work, at the recall of a batch without', async () => {
    const options = { dimensions: DIMENSIONS };
    const { index, done } = await built([rows], options, 2);
    expect(done).to.be.at.least(3);
    const all = rowsOf(rows, DIMENSIONS);
    for (const query of queries) {
      expect(recall(index.search(query, { ef: 128 }), nearest('l2', all, query, 10))).to.be.at.least(0.9);
    }
  });
});

describe('the option workers', () => {
  it('is "auto" or an integer from 0 to 64', async () => {
    const index = await fresh({ dimensions: 1 });
    const details = { name: 'workers', limit: "'auto' or an integer from 0 to 64" };
    for (const workers of [-1, 0.5, 65, NaN, Infinity, '2', 'none', null, true, [], {}, 2n]) {
      const error = await rejectionOf(index.insertBatch([[1]], { workers: workers as never }));
      expectError(error, 'INVALID_ARGUMENT', details);
    }
    for (const workers of [undefined, 'auto', 0, -0, 1] as const) {
      await index.insertBatch([[1]], { workers } as BatchInsertConfig);
    }
    expect(index.size).to.equal(5);
  });

  it('starts no thread for 0, nor for a small batch by itself', async () => {
    await watching(async (started) => {
      const index = await fresh({ dimensions: DIMENSIONS });
      await index.insertBatch(rows, { workers: 0 });
      await index.insertBatch(part(0, 100));
      expect(started.length).to.equal(0);
    });
  });

  it('starts threads once, which help with all batches of the index', async () => {
    await watching(async (started) => {
      const index = await staffed(started, 2);
      // Large enough to be handed out: a small batch is over before a thread could answer.
      const all = clustered(3 * ROWS, DIMENSIONS);
      for (const at of range(3)) {
        const before = answers(started);
        await index.insertBatch(part(ROWS * at, ROWS * (at + 1), all), { workers: 2 });
        expect(answers(started), `batch ${at}`).to.be.greaterThan(before);
      }
      expect([started.length, sent(started, 'start')]).to.deep.equal([2, 2]);
      await index.insertBatch([[...range(DIMENSIONS)]], { workers: 3 });
      expect(started.length).to.equal(3);
    });
  });

  it('gives no thread more than was asked for', async () => {
    await watching(async (started) => {
      const index = await staffed(started, 3);
      await index.insertBatch(rows, { workers: 1 });
      expect(started.map((thread) => sent([thread], 'work') > 0)).to.deep.equal([true, false, false]);
    });
  });
});

describe('with workers', () => {
  it('progress never falls and ends with done === total, once', async () => {
    await watching(async (started) => {
      const index = await staffed(started, 2);
      const seen: BatchProgress[] = [];
      await index.insertBatch(rows, { workers: 2, onProgress: (progress) => seen.push(progress) });
      const done = seen.map((progress) => progress.done);
      expect(done).to.deep.equal(done.toSorted((a, b) => a - b));
      expect([done.at(-1), done.indexOf(ROWS)]).to.deep.equal([ROWS, done.length - 1]);
    });
  });

  it('an abort in any slice leaves the bytes as they were, and the next batch is as if none had been', async () => {
    const [first, second] = [part(0, 1000), part(1000, ROWS)];
    const { bytes: expected } = await built([first, second], { dimensions: DIMENSIONS }, 0);
    await watching(async (started) => {
      const index = await staffed(started, 2);
      await index.insertBatch(first, { workers: 2 });
      const before = stateOf(index, queries);
      let slices = 0;
      for (let slice = 1; ; slice += Math.max(1, Math.floor(slices / 12))) {
        const stop = new AbortController();
        let calls = 0;
        let last = false;
        const onProgress = ({ done, total }: BatchProgress): void => {
          calls += 1;
          last = done === total;
          if (calls === slice || last) stop.abort(slice);
        };
        const config = { workers: 2, signal: stop.signal, onProgress };
        expect(await rejectionOf(index.insertBatch(second, config))).to.equal(slice);
        expect(stateOf(index, queries), `aborted in slice ${slice}`).to.deep.equal(before);
        if (last) break;
        slices = Math.max(slices, calls);
      }
      expect(answers(started)).to.be.at.least(1);
      await index.insertBatch(second, { workers: 2 });
      expect(digest(index.toBytes())).to.equal(expected);
      expect(started.length).to.equal(2);
    });
  });

  it('closing the index ends the threads, between batches and in one', async () => {
    await watching(async (started) => {
      const index = await staffed(started, 2);
      index.close();
      expectError(await rejectionOf(index.insertBatch(rows, { workers: 2 })), 'CLOSED');
      const other = await staffed(started, 2);
      const running = other.insertBatch(rows, { workers: 2, onProgress: () => other.close() });
      expectError(await rejectionOf(running), 'CLOSED');
      await laterTask();
      expect(started.length).to.equal(4);
    });
  });
});

describe('a thread costs time and no data', () => {
  const options = { dimensions: DIMENSIONS };
  let expected: string;

  before(async () => {
    expected = (await built([rows], options, 0)).bytes;
  });

  const faults: Record<string, Tampering> = {
    'that is killed while it works': {
      post: (message, thread) => {
        if (message['kind'] === 'work' && sent([thread], 'work') === 3) thread.terminate();
        return message;
      },
    },
    'that is killed before it has its codes': {
      post: (message, thread) => {
        if (message['kind'] === 'load') thread.terminate();
        return message;
      },
    },
    'that falls silent': { post: (message) => (message['kind'] === 'work' ? undefined : message) },
    'that says it cannot': {
      hear: (message) => ('round' in message ? { round: message['round'] } : message),
    },
    'that answers with no words': {
      hear: (message) => ('round' in message ? { ...message, answer: 'nonsense' } : message),
    },
    'that answers what it was not asked': {
      hear: (message) => ('round' in message ? { ...message, answer: Uint32Array.of(0, 1, 2, 3) } : message),
    },
    'that is sent units which are none': {
      post: (message) => (message['kind'] === 'work' ? { ...message, units: Uint32Array.of(9, 9, 9) } : message),
    },
    'that lost a part of its codes': {
      post: (message) => (message['kind'] === 'load' ? undefined : message),
    },
  };
  for (const [kind, tampering] of Object.entries(faults)) {
    it(kind, async () => {
      const { bytes, index } = await built([rows], options, 2, tampering);
      expect(bytes).to.equal(expected);
      index.close();
    });
  }

  it('that cannot be started, and no other is tried', async () => {
    let tries = 0;
    const start = (): never => {
      tries += 1;
      throw new DOMException('refused', 'SecurityError');
    };
    const parts = [part(0, 1000), part(1000, ROWS)];
    const { bytes } = await built(parts, options, 2, { start });
    const { bytes: alone } = await built(parts, options, 0);
    expect([bytes, tries]).to.deep.equal([alone, 1]);
  });

  it('and one that was killed is replaced for the next batch', async () => {
    let kill = true;
    const post: Tampering['post'] = (message, thread) => {
      if (kill && message['kind'] === 'work') thread.terminate();
      return message;
    };
    await watching(async (started) => {
      const index = await staffed(started, 1);
      await index.insertBatch(part(0, 1500), { workers: 1 });
      kill = false;
      await index.insertBatch(part(1500, ROWS), { workers: 1 });
      expect(started.length).to.equal(2);
    }, { post });
  });
});

/** What a program prints before it ends by itself. */
async function run(program: string, ...options: string[]): Promise<string> {
  const { execFileSync } = await import('node:child_process');
  const { fileURLToPath } = await import('node:url');
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const given = ['--input-type=module', ...options, '-e', program];
  return execFileSync(process.execPath, given, { cwd, encoding: 'utf8', timeout: 30_000 });
}

describe('a program', () => {
  it('that forgets to close an index loses its threads when the index is collected', async function () {
    if (!inNode) return this.skip();
    for (const entry of ['node', 'worker-node']) {
      expect(await run(`
        import wt from 'node:worker_threads';
        import { syncBuiltinESMExports } from 'node:module';
        import { setTimeout as later } from 'node:timers/promises';
        let [started, ended] = [0, 0];
        wt.Worker = class extends wt.Worker {
          constructor(...given) { super(...given); started += 1; this.on('exit', () => (ended += 1)); }
        };
        syncBuiltinESMExports();
        const { EdgeVec } = await import('./dist/entry/${entry}.js');
        await (async () => {
          const index = await EdgeVec.create({ dimensions: 8 });
          await index.insertBatch(new Float32Array(80).fill(1), { workers: 1 });
        })();
        for (let turn = 0; turn < 500 && ended === 0; turn += 1) { globalThis.gc(); await later(10); }
        console.log(started, ended);`, '--expose-gc')).to.equal('1 1\n');
    }
  });

  it('ends though its index has threads that wait for a batch', async function () {
    if (!inNode) return this.skip();
    for (const entry of ['node', 'worker-node']) {
      expect(await run(`
        import { EdgeVec } from './dist/entry/${entry}.js';
        const index = await EdgeVec.create({ dimensions: 8 });
        await index.insertBatch(Float32Array.from({ length: 8000 }, (_, i) => Math.sin(i)), { workers: 2 });
        console.log(await index.size);`)).to.equal('1000\n');
    }
  });
});
