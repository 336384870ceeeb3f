/** What a search finds, and what its numbers mean. */

import { expect } from 'chai';
import type { Metric } from 'edgevec';
import { Random, clustered, range, rowOf, rowsOf, uniform } from './data.js';
import { expectError, thrownBy } from './failures.js';
import { filled, fresh } from './indexes.js';
import { distance, nearest, recall } from './oracle.js';

const METRICS = ['l2', 'cosine', 'dot'] as const satisfies readonly Metric[];

/** How far a distance added in 32-bit floats, in any order, may be from one added in doubles. */
function tolerance(metric: Metric, a: Float32Array, b: Float32Array): number {
  const epsilon = 2 ** -23;
  const lengths = Math.sqrt(distance('dot', a, a) * distance('dot', b, b));
  // Under cosine both vectors were scaled, which rounds each component once more.
  const size = { l2: distance('l2', a, b), cosine: 2, dot: lengths }[metric];
  return (a.length + 4) * epsilon * size;
}

describe('distance', () => {
  it('is the squared Euclidean distance for l2', async () => {
    const index = await filled(Float32Array.of(0, 0, 3, 4, -1, 0), { metric: 'l2' });
    expect(index.search([0, 0])).to.deep.equal([
      { id: 0, distance: 0 },
      { id: 2, distance: 1 },
      { id: 1, distance: 25 },
    ]);
  });

  it('is 1 − cosine similarity for cosine, whatever the lengths', async () => {
    const index = await filled(Float32Array.of(0, 7, 0.001, 0.001, 5, 0, 0, -2), { metric: 'cosine' });
    const hits = index.search([0, 100]);
    expect(hits.map(({ id }) => id)).to.deep.equal([0, 1, 2, 3]);
    [0, 1 - Math.SQRT1_2, 1, 2].forEach((expected, place) => expect(hits[place]?.distance).to.be.closeTo(expected, 1e-6));
  });

  it('is the negative inner product for dot', async () => {
    const index = await filled(Float32Array.of(1, 2, 10, 0, -3, -3), { metric: 'dot' });
    expect(index.search([2, 1])).to.deep.equal([
      { id: 1, distance: -20 },
      { id: 0, distance: -4 },
      { id: 2, distance: 9 },
    ]);
  });

  for (const metric of METRICS) {
    it(`has the same meaning in a small index and in one with a graph (${metric})`, async () => {
      for (const count of [50, 2000]) {
        const flat = clustered(count, 20);
        const index = await filled(flat, { dimensions: 20, metric });
        for (const query of rowsOf(uniform(10, 20, 77), 20)) {
          for (const hit of index.search(query, { k: 50 })) {
            const row = rowOf(flat, 20, hit.id);
            expect(hit.distance).to.be.closeTo(distance(metric, row, query), tolerance(metric, row, query));
          }
        }
      }
    });
  }

  it('of a stored vector to itself is about 0, and it is the first hit', async () => {
    for (const metric of ['l2', 'cosine'] as const) {
      const flat = clustered(1500, 32);
      const index = await filled(flat, { dimensions: 32, metric });
      for (const place of range(1500)) {
        const [first] = index.search(rowOf(flat, 32, place), { k: 1 });
        expect(first?.id).to.equal(place);
        expect(first?.distance).to.be.within(0, 1e-6);
      }
    }
  });
});

describe('a search', () => {
  for (const metric of METRICS) {
    it(`of an exact index finds what a look at every row finds (${metric})`, async () => {
      const random = new Random(5);
      for (const dimensions of [1, 2, 3, 7, 16, 33]) {
        const count = 1 + random.below(250);
        const rows = rowsOf(uniform(count, dimensions, dimensions), dimensions);
        const index = await fresh({ dimensions, metric });
        for (const row of rows) index.insert(row);
        for (const query of rowsOf(uniform(20, dimensions, 1000 + dimensions), dimensions)) {
          const k = 1 + random.below(count);
          const [found, truth] = [index.search(query, { k }), nearest(metric, rows, query, k)];
          expect(found).to.have.lengthOf(k);
          found.forEach((hit, place) => {
            const expected = truth[place]?.distance ?? NaN;
            const slack = 2 * tolerance(metric, rows[hit.id] as Float32Array, query);
            expect(hit.distance).to.be.closeTo(expected, slack);
          });
        }
      }
    });

    it(`of 3000 clustered rows has a recall@10 of 0.95 (${metric})`, async () => {
      const flat = clustered(3000, 32, 2);
      const rows = rowsOf(flat, 32);
      const index = await filled(flat, { dimensions: 32, metric });
      const queries = rowsOf(clustered(100, 32, 2), 32);
      const truth = queries.map((query) => nearest(metric, rows, query, 10));
      const mean = (ef: number): number =>
        queries.reduce((sum, query, place) => sum + recall(index.search(query, { ef }), truth[place] ?? []), 0) / 100;
      expect(mean(64)).to.be.at.least(0.95);
      expect(mean(200)).to.be.at.least(0.98);
    });
  }

  it('finds more with more candidates', async () => {
    // Rows without any order, which are hard to search, and few links.
    const rows = rowsOf(uniform(3000, 48), 48);
    const index = await filled(uniform(3000, 48), { dimensions: 48, m: 6 });
    const queries = rowsOf(uniform(50, 48, 4), 48);
    const truth = queries.map((query) => nearest('l2', rows, query, 10));
    const [few, some, many] = [10, 40, 300].map((ef) =>
      queries.reduce((sum, query, place) => sum + recall(index.search(query, { ef }), truth[place] ?? []), 0),
    ) as [number, number, number];
    expect(few).to.be.below(some);
    expect(some).to.be.below(many);
  });

  it('gives hits nearest first, equal distances by id', async () => {
    for (const count of [40, 600]) {
      const index = await fresh({ dimensions: 2 });
      const random = new Random(count);
      // Few places, so that many rows share one; ids in no order.
      const ids = range(count).toSorted(() => random.below(3) - 1).map((id) => id * 7);
      await index.insertBatch(ids.map(() => [random.below(4), random.below(4)]), { ids });
      const hits = index.search([1, 1], { k: count, ef: count });
      expect(hits).to.have.lengthOf(count);
      const sorted = hits.toSorted((a, b) => a.distance - b.distance || a.id - b.id);
      expect(hits).to.deep.equal(sorted);
    }
  });

  it('gives the smaller ids where not all rows of one distance fit', async () => {
    const index = await fresh();
    for (const id of [9, 3, 8, 1, 5]) index.insert([1, 1], id);
    expect(index.search([0, 0], { k: 3 }).map(({ id }) => id)).to.deep.equal([1, 3, 5]);
  });

  it('gives all rows when k is larger than the index, however large', async () => {
    for (const count of [3, 500]) {
      const index = await filled(uniform(count, 2));
      for (const k of [count, count + 1, 1e6, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
        const ids = index.search([0, 0], { k }).map(({ id }) => id);
        expect(ids.toSorted((a, b) => a - b)).to.deep.equal(range(count));
      }
    }
  });

  it('gives 10 hits by default, and none from an empty index', async () => {
    expect((await filled(uniform(50, 2))).search([0, 0])).to.have.lengthOf(10);
    const empty = await fresh();
    expect(empty.search([0, 0])).to.deep.equal([]);
    expect(empty.search([0, 0], { k: 1e9 })).to.deep.equal([]);
  });

  it('takes numbers as well as floats, and changes neither', async () => {
    const index = await filled(uniform(50, 3), { dimensions: 3, metric: 'cosine' });
    const floats = Float32Array.of(0.25, -3, 7);
    const hits = index.search(floats);
    expect(index.search([0.25, -3, 7])).to.deep.equal(hits);
    expect(index.search(Object.freeze([0.25, -3, 7]))).to.deep.equal(hits);
    expect(floats).to.deep.equal(Float32Array.of(0.25, -3, 7));
  });

  it('refuses a k and an ef that are none, and names them', async () => {
    const index = await filled(uniform(300, 2));
    for (const wrong of [0, -1, 1.5, NaN, Infinity, -Infinity, 2 ** 53, '5', null, 5n, Symbol('k'), {}]) {
      expectError(thrownBy(() => index.search([0, 0], { k: wrong as number })), 'INVALID_ARGUMENT', { name: 'k' });
      expectError(thrownBy(() => index.search([0, 0], { ef: wrong as number })), 'INVALID_ARGUMENT', { name: 'ef' });
    }
    const limit = 'an integer from 1 to 1048576';
    const large = { name: 'ef', value: '8589934592', limit };
    expectError(thrownBy(() => index.search([0, 0], { ef: 2 ** 33 })), 'INVALID_ARGUMENT', large);
    expect(index.search([0, 0], { k: 1, ef: 2 ** 20 })).to.have.lengthOf(1);
  });
});
