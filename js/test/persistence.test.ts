/** What is saved can be loaded, to the bit; anything else is CORRUPT. */

import { expect } from 'chai';
import { EdgeVec } from 'edgevec';
import { Random, clustered, range, rowsOf, uniform } from './data.js';
import { inNode, readFile, sharedMemory } from './environment.js';
import { expectError, rejectionOf } from './failures.js';
import { filled, fresh, keep, stateOf } from './indexes.js';
import { DIMENSIONS, digest, savable, savedBytes } from './savable.js';

const queries = rowsOf(uniform(10, DIMENSIONS, 8), DIMENSIONS);

async function loaded(bytes: Uint8Array | ArrayBuffer): Promise<EdgeVec> {
  return keep(await EdgeVec.fromBytes(bytes));
}

describe('toBytes and fromBytes', () => {
  it('give back the index: rows, ids, parameters, answers and bytes', async () => {
    for (const [kind, index] of Object.entries(await savable())) {
      keep(index);
      const copy = await loaded(index.toBytes());
      expect([copy.dimensions, copy.metric], kind).to.deep.equal([index.dimensions, index.metric]);
      expect(stateOf(copy, queries), kind).to.deep.equal(stateOf(index, queries));
      for (const { id } of index.search(queries[0] ?? [], { k: 50 })) expect(copy.get(id)).to.deep.equal(index.get(id));
    }
  });

  it('give back an index that goes on as if it had never been away', async () => {
    for (const [kind, index] of Object.entries(await savable())) {
      keep(index);
      const copy = await loaded(index.toBytes());
      for (const each of [index, copy]) {
        each.insert(uniform(1, DIMENSIONS, 50));
        await each.insertBatch(clustered(600, DIMENSIONS, 60));
        each.insert(uniform(1, DIMENSIONS, 51));
      }
      expect(stateOf(copy, queries), kind).to.deep.equal(stateOf(index, queries));
    }
  });

  it('give back the same bytes also when rows were inserted during a batch', async () => {
    const index = await fresh({ dimensions: DIMENSIONS });
    const running = index.insertBatch(clustered(600, DIMENSIONS), {
      onProgress: ({ done }) => void (done > 0 && index.size === 0 && index.insert(uniform(1, DIMENSIONS))),
    });
    await running;
    const bytes = index.toBytes();
    expect(digest((await loaded(bytes)).toBytes())).to.equal(digest(bytes));
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
    const ofNode = JSON.parse(new TextDecoder().decode(await readFile('saved.json'))) as unknown;
    expect(Object.keys(ofNode as object)).to.have.length.above(7);
    expect(await savedBytes()).to.deep.equal(ofNode);
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
