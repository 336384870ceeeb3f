/** What a batch leads to: which rows are in, under which ids, and how well they are found. */

import { expect } from 'chai';
import type { BatchVectors, EdgeVec, Metric } from 'edgevec';
import { Random, clustered, range, rowOf, rowsOf, uniform } from './data.js';
import { expectBatchError, rejectionOf } from './failures.js';
import { filled, fresh } from './indexes.js';
import { nearest, recall } from './oracle.js';
import { digest } from './savable.js';

/** The mean recall@10 of 100 rows as queries. */
function recallOf(index: EdgeVec, rows: readonly Float32Array[], metric: Metric): number {
  const queries = range(100).map((place) => rows[Math.floor((place * rows.length) / 100)] as Float32Array);
  const shares = queries.map((query) => recall(index.search(query), nearest(metric, rows, query, 10)));
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

describe('a batch', () => {
  it('inserts exactly 1, 100, 255, 256 and 1000 rows', async () => {
    for (const count of [1, 100, 255, 256, 1000]) {
      const index = await fresh({ dimensions: 8 });
      const result = await index.insertBatch(uniform(count, 8));
      expect(result).to.deep.equal({ inserted: count, total: count, ids: range(count), skipped: [] });
      expect(index.size).to.equal(count);
    }
  });

  it('inserts exactly 10,000 rows of 128 dimensions', async () => {
    const rows = clustered(10_000, 128);
    const index = await fresh({ dimensions: 128 });
    const { inserted, ids } = await index.insertBatch(rows);
    expect([inserted, index.size, ids.length, ids.at(-1)]).to.deep.equal([10_000, 10_000, 10_000, 9999]);
    for (const row of [0, 1, 4999, 9999]) {
      expect(index.search(rowOf(rows, 128, row), { k: 1 })).to.deep.equal([{ id: row, distance: 0 }]);
    }
  });

  for (const metric of ['l2', 'cosine'] as const) {
    it(`resolves only when every inserted row is found by search (${metric})`, async () => {
      for (const count of [100, 600, 1500, 3000]) {
        const rows = clustered(count, 16);
        const index = await fresh({ dimensions: 16, metric });
        const { ids } = await index.insertBatch(rows);
        ids.forEach((id, place) => {
          const [hit] = index.search(rowOf(rows, 16, place), { k: 1 });
          expect(hit?.id).to.equal(id);
          expect(hit?.distance).to.be.closeTo(0, 1e-6);
          expect(index.has(id)).to.equal(true);
        });
      }
    });
  }

  it('gives the answers of a loop of insert, to the last bit, while the index is exact', async () => {
    for (const metric of ['l2', 'cosine', 'dot'] as const) {
      const rows = rowsOf(uniform(200, 12), 12);
      const looped = await fresh({ dimensions: 12, metric });
      for (const row of rows) looped.insert(row);
      const batched = await fresh({ dimensions: 12, metric });
      await batched.insertBatch(rows);
      for (const query of rowsOf(uniform(50, 12, 9), 12)) {
        expect(batched.search(query, { k: 200 })).to.deep.equal(looped.search(query, { k: 200 }));
      }
    }
  });

  for (const metric of ['l2', 'cosine', 'dot'] as const) {
    it(`has the recall of a loop of insert, in an empty index and in a full one (${metric})`, async () => {
      const flat = clustered(4000, 24);
      const rows = rowsOf(flat, 24);
      const looped = await fresh({ dimensions: 24, metric });
      for (const row of rows) looped.insert(row);
      const reached = recallOf(looped, rows, metric);

      const atOnce = await filled(flat, { dimensions: 24, metric });
      const inHalves = await filled(flat.subarray(0, 2000 * 24), { dimensions: 24, metric });
      await inHalves.insertBatch(flat.subarray(2000 * 24));
      // The same 100 queries: two in a hundred neighbours are more than chance moves.
      expect(recallOf(atOnce, rows, metric)).to.be.at.least(reached - 0.02);
      expect(recallOf(inHalves, rows, metric)).to.be.at.least(reached - 0.02);
      expect(reached).to.be.at.least(0.9);
    });
  }

  it('gives the next free ids, behind chosen ones', async () => {
    const index = await fresh();
    expect(index.insert([0, 0])).to.equal(0);
    expect((await index.insertBatch([[1, 0], [2, 0]], { ids: [2, 3] })).ids).to.deep.equal([2, 3]);
    expect((await index.insertBatch([[3, 0], [4, 0]])).ids).to.deep.equal([1, 4]);
    expect(index.insert([5, 0])).to.equal(5);
  });

  it('keeps the ids of the caller, up to 2^53 − 1, in the order of the input', async () => {
    const ids = [7, 0, Number.MAX_SAFE_INTEGER, 2 ** 32, 3];
    const rows = uniform(5, 3);
    const index = await fresh({ dimensions: 3 });
    expect((await index.insertBatch(rows, { ids })).ids).to.deep.equal(ids);
    ids.forEach((id, place) => {
      expect(index.search(rowOf(rows, 3, place), { k: 1 })).to.deep.equal([{ id, distance: 0 }]);
      expect(index.get(id)).to.deep.equal(rowOf(rows, 3, place));
    });
  });

  it('takes ids as an array, as a typed array and as anything with places', async () => {
    const kinds: ArrayLike<number>[] = [[5, 6], Uint32Array.of(5, 6), Float64Array.of(5, 6), { length: 2, 0: 5, 1: 6 }];
    for (const ids of kinds) {
      const index = await fresh();
      expect((await index.insertBatch([[0, 1], [1, 1]], { ids })).ids).to.deep.equal([5, 6]);
    }
  });

  it('in skip mode leaves out bad rows, names each, and takes the others', async () => {
    const index = await fresh({ dimensions: 2, metric: 'cosine' });
    index.insert([1, 1], 40);
    const rows = [[1, 0], [NaN, 1], [0, 1], [1], [0, 0], [2, 2], [3, 1], [1, -Infinity]];
    const result = await index.insertBatch(rows, { mode: 'skip', ids: [10, 11, 12, 13, 14, 40, 10, 17] });
    expect(result.ids).to.deep.equal([10, 12]);
    expect([result.inserted, result.total, index.size]).to.deep.equal([2, 8, 3]);
    expect(result.skipped.map(({ index: row, code }) => [row, code])).to.deep.equal([
      [1, 'INVALID_VECTOR'],
      [3, 'DIMENSION_MISMATCH'],
      [4, 'INVALID_VECTOR'],
      [5, 'DUPLICATE_ID'],
      [6, 'DUPLICATE_ID'],
      [7, 'INVALID_VECTOR'],
    ]);
    for (const { index: row, message } of result.skipped) expect(message).to.include(`row ${row}`);
    expect(index.search([0, 1], { k: 3 }).map(({ id }) => id)).to.deep.equal([12, 40, 10]);
  });

  it('has inserted + skipped.length === total, whatever is bad', async () => {
    const random = new Random(3);
    for (let round = 0; round < 30; round += 1) {
      const index = await fresh({ dimensions: 4, metric: random.pick(['l2', 'cosine', 'dot'] as const) });
      const total = 1 + random.below(400);
      const rows = rowsOf(uniform(total, 4, round), 4).map((row) => {
        const kind = random.below(8);
        if (kind === 0) return Float32Array.of(1, NaN, 1, 1);
        return kind === 1 ? row.subarray(1) : row;
      });
      const good = rows.filter((row) => row.length === 4 && row.every(Number.isFinite)).length;
      const result = await index.insertBatch(rows, { mode: 'skip', validateDimensions: random.below(2) === 0 });
      expect(result.inserted + result.skipped.length).to.equal(total);
      expect([result.total, result.inserted, result.ids.length, index.size]).to.deep.equal([total, good, good, good]);
    }
  });

  it('in skip mode may leave out all rows', async () => {
    const index = await fresh();
    const result = await index.insertBatch([[NaN, 0], [1]], { mode: 'skip' });
    expect([result.inserted, result.total, result.skipped.length, index.size]).to.deep.equal([0, 2, 2, 0]);
    expect(index.insert([1, 1])).to.equal(0);
  });

  it('gives the same bytes for flat rows, for views and for arrays of numbers', async () => {
    const flat = clustered(400, 6);
    const views = rowsOf(flat, 6);
    const mixed = views.map((row, place) => (place % 2 === 0 ? row : Array.from(row)));
    const forms: BatchVectors[] = [flat, views, views.map((row) => Array.from(row)), mixed];
    const saved = [];
    for (const form of forms) {
      const index = await fresh({ dimensions: 6 });
      await index.insertBatch(form);
      saved.push(digest(index.toBytes()));
    }
    expect(new Set(saved).size).to.equal(1);
  });

  it('without validateDimensions gives the same index, and refuses a bad row all the same', async () => {
    const rows = clustered(500, 6);
    const [checked, unchecked] = [await fresh({ dimensions: 6 }), await fresh({ dimensions: 6 })];
    await checked.insertBatch(rows);
    await unchecked.insertBatch(rows, { validateDimensions: false });
    expect(digest(unchecked.toBytes())).to.equal(digest(checked.toBytes()));

    const spoiled = uniform(300, 6);
    spoiled[299 * 6 + 2] = NaN;
    const refused = unchecked.insertBatch(spoiled, { validateDimensions: false });
    expectBatchError(await rejectionOf(refused), 'INVALID_VECTOR', {
      index: 299,
      reason: 'component 2 is NaN, and only finite numbers can be compared',
    });
    const short = unchecked.insertBatch([[1, 2, 3, 4, 5, 6], [1, 2]], { validateDimensions: false });
    expectBatchError(await rejectionOf(short), 'DIMENSION_MISMATCH', { index: 1, expected: 6, actual: 2 });
    expect(digest(unchecked.toBytes())).to.equal(digest(checked.toBytes()));
  });

  it('takes as many batches as come', async () => {
    const rows = clustered(2000, 8);
    const index = await fresh({ dimensions: 8 });
    let first = 0;
    for (const count of [1, 99, 155, 1, 244, 500, 1000]) {
      const { ids } = await index.insertBatch(rows.subarray(first * 8, (first + count) * 8));
      expect(ids).to.deep.equal(range(count, first));
      first += count;
    }
    expect(index.size).to.equal(2000);
    expect(recallOf(index, rowsOf(rows, 8), 'l2')).to.be.at.least(0.95);
  });
});
