/** What is saved can be loaded, to the bit; anything else is CORRUPT. */

import { expect } from 'chai';
import { EdgeVec } from 'edgevec';
import { Random, clustered, range, rowsOf, uniform } from './data.js';
import { inNode, sharedMemory } from './environment.js';
import { expectError, rejectionOf } from './failures.js';
import { digest, filled, fresh, keep, stateOf } from './indexes.js';

const DIMENSIONS = 6;
const queries = rowsOf(uniform(10, DIMENSIONS, 8), DIMENSIONS);

async function loaded(bytes: Uint8Array | ArrayBuffer): Promise<EdgeVec> {
  return keep(await EdgeVec.fromBytes(bytes));
}

/** Indexes of every kind that can be saved. */
async function savable(): Promise<Record<string, EdgeVec>> {
  const made: Record<string, EdgeVec> = { 'an empty one': await fresh({ dimensions: DIMENSIONS }) };
  for (const metric of ['l2', 'cosine', 'dot'] as const) {
    made[`100 rows, ${metric}`] = await filled(uniform(100, DIMENSIONS), { dimensions: DIMENSIONS, metric });
    made[`1000 rows, ${metric}`] = await filled(clustered(1000, DIMENSIONS), { dimensions: DIMENSIONS, metric, seed: 3 });
  }
  const named = await fresh({ dimensions: DIMENSIONS, m: 5, efConstruction: 50, seed: 2 ** 40 });
  const ids = range(700).map((place) => Number.MAX_SAFE_INTEGER - 3 * place);
  await named.insertBatch(clustered(700, DIMENSIONS), { ids });
  made['chosen ids and parameters'] = named;
  return made;
}

describe('toBytes and fromBytes', () => {
  it('give back the index: rows, ids, parameters, answers and bytes', async () => {
    for (const [kind, index] of Object.entries(await savable())) {
      const copy = await loaded(index.toBytes());
      expect([copy.dimensions, copy.metric], kind).to.deep.equal([index.dimensions, index.metric]);
      expect(stateOf(copy, queries), kind).to.deep.equal(stateOf(index, queries));
      for (const { id } of index.search(queries[0] ?? [], { k: 50 })) expect(copy.get(id)).to.deep.equal(index.get(id));
    }
  });

  it('give back an index that goes on as if it had never been away', async () => {
    for (const [kind, index] of Object.entries(await savable())) {
      const copy = await loaded(index.toBytes());
      for (const each of [index, copy]) {
        each.insert(uniform(1, DIMENSIONS, 50));
        await each.insertBatch(clustered(600, DIMENSIONS, 60));
        each.insert(uniform(1, DIMENSIONS, 51));
      }
      expect(stateOf(copy, queries), kind).to.deep.equal(stateOf(index, queries));
    }
  });

  it('give bytes that are a copy', async () => {
    const index = await filled(uniform(10, DIMENSIONS), { dimensions: DIMENSIONS });
    const bytes = index.toBytes();
    expect([bytes.byteOffset, bytes.buffer.byteLength]).to.deep.equal([0, bytes.length]);
    const before = digest(bytes);
    const copy = await loaded(bytes);
    expect(digest(bytes)).to.equal(before);
    bytes.fill(0);
    expect(digest(index.toBytes())).to.equal(before);
    expect(digest(copy.toBytes())).to.equal(before);
  });

  it('take a buffer, a view with an offset and a view on shared memory', async () => {
    const index = await filled(uniform(300, DIMENSIONS), { dimensions: DIMENSIONS });
    const bytes = index.toBytes();
    const shifted = new Uint8Array(bytes.length + 20);
    shifted.set(bytes, 7);
    const forms: (Uint8Array | ArrayBuffer)[] = [bytes.slice().buffer, shifted.subarray(7, 7 + bytes.length)];
    const memory = sharedMemory(bytes.length);
    if (memory !== undefined) {
      const shared = new Uint8Array(memory, 0, bytes.length);
      shared.set(bytes);
      forms.push(shared);
    }
    if (inNode) forms.push(Buffer.from(bytes));
    for (const form of forms) expect(digest((await loaded(form)).toBytes())).to.equal(digest(bytes));
  });

  it('are the same bytes in every engine, for the same rows', async () => {
    // Another format, or another way of building graphs, changes these; an engine never does.
    const expected = {
      'an empty one': '64 bytes, 976d27cc',
      '100 rows, l2': '2464 bytes, b8700cc7',
      '1000 rows, l2': '51194 bytes, d82bd27a',
      '100 rows, cosine': '2464 bytes, 849cf95e',
      '1000 rows, cosine': '50746 bytes, fb3824d3',
      '100 rows, dot': '2464 bytes, 9b7db448',
      '1000 rows, dot': '39922 bytes, 73586d82',
      'chosen ids and parameters': '40156 bytes, 2be886b1',
    };
    const saved = Object.entries(await savable()).map(([kind, index]) => [kind, digest(index.toBytes())]);
    expect(Object.fromEntries(saved)).to.deep.equal(expected);
  });
});

describe('bytes that are no index', () => {
  it('are CORRUPT: cut anywhere', async () => {
    const small = (await filled(uniform(3, 2))).toBytes();
    for (const length of range(small.length)) {
      expectError(await rejectionOf(EdgeVec.fromBytes(small.subarray(0, length))), 'CORRUPT');
    }
    const large = (await filled(clustered(400, DIMENSIONS), { dimensions: DIMENSIONS })).toBytes();
    for (let length = 0; length < large.length; length += 611) {
      const error = expectError(await rejectionOf(EdgeVec.fromBytes(large.subarray(0, length))), 'CORRUPT');
      expect(error.details?.offset).to.be.within(0, length);
      expect(error.details?.reason).to.be.a('string');
    }
  });

  it('are CORRUPT: any bit changed', async () => {
    const small = (await filled(uniform(3, 2))).toBytes();
    for (const place of range(small.length)) {
      for (const bit of [1, 128]) {
        const changed = small.slice();
        changed[place] = (changed[place] ?? 0) ^ bit;
        expectError(await rejectionOf(EdgeVec.fromBytes(changed)), 'CORRUPT');
      }
    }
    const large = (await filled(clustered(400, DIMENSIONS), { dimensions: DIMENSIONS })).toBytes();
    const random = new Random(1);
    for (const place of range(300)) {
      const changed = large.slice();
      const at = place < 60 ? place : random.below(large.length);
      changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8));
      expectError(await rejectionOf(EdgeVec.fromBytes(changed)), 'CORRUPT');
    }
  });

  it('are CORRUPT: none, too many, zeros, noise', async () => {
    const bytes = (await filled(uniform(3, 2))).toBytes();
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    const noise = Uint8Array.from({ length: 5000 }, (_, place) => new Random(place).word());
    for (const wrong of [new Uint8Array(0), new ArrayBuffer(0), longer, new Uint8Array(5000), noise]) {
      expectError(await rejectionOf(EdgeVec.fromBytes(wrong)), 'CORRUPT');
    }
  });

  it('are INVALID_ARGUMENT when they are no bytes', async () => {
    const views = [new Float32Array(4), new Uint16Array(2), new DataView(new ArrayBuffer(8))];
    const wrong = [undefined, null, 3, 'text', [1, 2], {}, ...views];
    for (const value of wrong) {
      expectError(await rejectionOf(EdgeVec.fromBytes(value as never)), 'INVALID_ARGUMENT', { name: 'bytes' });
    }
  });

  it('leave other indexes alone', async () => {
    const index = await filled(uniform(300, DIMENSIONS), { dimensions: DIMENSIONS });
    const before = stateOf(index, queries);
    await rejectionOf(EdgeVec.fromBytes(index.toBytes().subarray(1)));
    expect(stateOf(index, queries)).to.deep.equal(before);
  });
});
