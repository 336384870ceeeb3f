/** An index and its rows: creating it, inserting one row, reading back, closing. */

import { expect } from 'chai';
import { EdgeVec, type EdgeVecOptions } from 'edgevec';
import { uniform } from './data.js';
import { expectError, rejectionOf, thrownBy } from './failures.js';
import { fresh, keep } from './indexes.js';

describe('EdgeVec.create', () => {
  it('makes an empty index of these dimensions and this metric', async () => {
    for (const metric of ['l2', 'cosine', 'dot'] as const) {
      const index = await fresh({ dimensions: 5, metric });
      expect([index.size, index.dimensions, index.metric]).to.deep.equal([0, 5, metric]);
    }
    const byDefault = keep(await EdgeVec.create({ dimensions: 3 }));
    expect(byDefault.metric).to.equal('cosine');
  });

  it('takes the least and the most of everything', async () => {
    const extremes: EdgeVecOptions[] = [
      { dimensions: 1, m: 2, efConstruction: 2, seed: 0 },
      { dimensions: 16_384, m: 256, efConstruction: 1_048_576, seed: Number.MAX_SAFE_INTEGER },
    ];
    for (const options of extremes) {
      const index = await fresh(options);
      const row = uniform(1, options.dimensions);
      expect(index.search(row, { k: index.insert(row) + 1 })).to.deep.equal([{ id: 0, distance: 0 }]);
    }
  });

  it('refuses what is outside its range, and names the value and the limit', async () => {
    const wrong: [string, unknown, string][] = [
      ['dimensions', 0, 'an integer from 1 to 16384'],
      ['dimensions', 16_385, 'an integer from 1 to 16384'],
      ['dimensions', 2 ** 33, 'an integer from 1 to 16384'],
      ['dimensions', 1.5, 'an integer from 1 to 16384'],
      ['dimensions', '3', 'an integer from 1 to 16384'],
      ['dimensions', undefined, 'an integer from 1 to 16384'],
      ['metric', 'L2', "'l2', 'cosine' or 'dot'"],
      ['metric', 'x'.repeat(1e6), "'l2', 'cosine' or 'dot'"],
      ['metric', 3, "'l2', 'cosine' or 'dot'"],
      ['m', 1, 'an integer from 2 to 256'],
      ['m', 257, 'an integer from 2 to 256'],
      ['efConstruction', 15, 'an integer from 16 to 1048576'],
      ['efConstruction', 1_048_577, 'an integer from 16 to 1048576'],
      ['seed', -1, 'an integer from 0 to 9007199254740991'],
      ['seed', 2 ** 53, 'an integer from 0 to 9007199254740991'],
    ];
    for (const [name, value, limit] of wrong) {
      const error = await rejectionOf(EdgeVec.create({ dimensions: 3, [name]: value }));
      const { message } = expectError(error, 'INVALID_ARGUMENT', { name, limit });
      expect(message).to.include(name).and.include(limit);
      expect(message.length).to.be.below(200);
      if (typeof value === 'number') expect(message).to.include(String(value));
    }
  });

  it('gives the same index for the same seed, and another for another', async () => {
    const rows = uniform(600, 4);
    const bytes = async (seed: number): Promise<string> => {
      const index = await fresh({ dimensions: 4, seed });
      await index.insertBatch(rows);
      return index.toBytes().join();
    };
    expect(await bytes(7)).to.equal(await bytes(7));
    expect(await bytes(7)).not.to.equal(await bytes(8));
  });
});

describe('insert', () => {
  it('gives the ids 0, 1, 2, …, and the row can be found at once', async () => {
    const index = await fresh({ dimensions: 3 });
    for (let place = 0; place < 600; place += 1) {
      const row = uniform(1, 3, place);
      expect(index.insert(row)).to.equal(place);
      expect(index.size).to.equal(place + 1);
      if (place % 50 === 0 || (place > 250 && place < 260)) {
        expect(index.search(row, { k: 1 })).to.deep.equal([{ id: place, distance: 0 }]);
      }
    }
  });

  it('takes the id of the caller, from 0 to 2^53 − 1', async () => {
    const index = await fresh();
    for (const id of [0, 5, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      expect(index.insert([id % 7, 1], id)).to.equal(id);
      expect(index.get(id)).to.deep.equal(Float32Array.of(id % 7, 1));
    }
    expect(index.insert([9, 9])).to.equal(1);
    expect((await fresh()).insert([9, 9], -0)).to.equal(0);
  });

  it('refuses an id that is none, and one that is taken; the index is as it was', async () => {
    const index = await fresh();
    index.insert([0, 0], 4);
    for (const wrong of [-1, 1.5, NaN, Infinity, 2 ** 53, '4', null, 4n, Symbol('4'), {}]) {
      expectError(thrownBy(() => index.insert([1, 1], wrong as number)), 'INVALID_ARGUMENT', { name: 'id' });
    }
    expectError(thrownBy(() => index.insert([1, 1], 4)), 'DUPLICATE_ID', { id: 4 });
    expect(index.size).to.equal(1);
    expect(index.insert([1, 1])).to.equal(0);
  });

  it('copies the vector, and changes it in no metric', async () => {
    for (const metric of ['l2', 'cosine', 'dot'] as const) {
      const index = await fresh({ metric });
      const vector = Float32Array.of(3, 4);
      index.insert(vector);
      expect(vector).to.deep.equal(Float32Array.of(3, 4));
      vector.fill(99);
      const stored = metric === 'cosine' ? [0.6, 0.8] : [3, 4];
      expect(index.get(0)).to.deep.equal(Float32Array.from(stored));
    }
  });
});

describe('get and has', () => {
  it('know the rows that are there, and only those', async () => {
    const index = await fresh();
    index.insert([1, 2], 7);
    expect([index.has(7), index.has(0), index.has(2 ** 52)]).to.deep.equal([true, false, false]);
    expect([index.get(7), index.get(6)]).to.deep.equal([Float32Array.of(1, 2), undefined]);
  });

  it('get gives a copy: writing to it changes nothing, and it stays when the index goes', async () => {
    const index = await fresh();
    index.insert([1, 2]);
    const copy = index.get(0);
    copy?.fill(50);
    expect(index.get(0)).to.deep.equal(Float32Array.of(1, 2));
    const kept = index.get(0);
    index.close();
    expect(kept).to.deep.equal(Float32Array.of(1, 2));
    expect(kept?.buffer.byteLength).to.equal(8);
  });

  it('refuse what is no id', async () => {
    const index = await fresh();
    for (const wrong of [-1, 1.5, NaN, Infinity, 2 ** 53, '0', null, undefined, 0n, Symbol('0'), []]) {
      expectError(thrownBy(() => index.get(wrong as number)), 'INVALID_ARGUMENT', { name: 'id' });
      expectError(thrownBy(() => index.has(wrong as number)), 'INVALID_ARGUMENT', { name: 'id' });
    }
  });
});

describe('close', () => {
  it('makes every later call fail with CLOSED, and may be called again', async () => {
    const index = await fresh();
    index.insert([1, 2]);
    index.close();
    index.close();
    const calls: (() => unknown)[] = [
      () => index.insert([1, 2]),
      () => index.search([1, 2]),
      () => index.get(0),
      () => index.has(0),
      () => index.toBytes(),
      () => index.size,
      () => index.dimensions,
      () => index.metric,
    ];
    for (const call of calls) expectError(thrownBy(call), 'CLOSED');
    expectError(await rejectionOf(index.insertBatch([[1, 2]])), 'CLOSED');
  });

  it('leaves other indexes alone', async () => {
    const [one, two] = [await fresh(), await fresh()];
    one.insert([1, 2]);
    two.insert([3, 4]);
    one.close();
    expect(two.search([3, 4])).to.deep.equal([{ id: 0, distance: 0 }]);
  });

  it('is what Symbol.dispose calls, where engines have it', async function () {
    if (Symbol.dispose === undefined) return this.skip();
    const index = await fresh();
    index[Symbol.dispose]();
    index[Symbol.dispose]();
    expectError(thrownBy(() => index.size), 'CLOSED');
  });
});
