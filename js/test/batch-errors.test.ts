/** The six codes of a rejected batch, each provoked through the boundary. */

import { expect } from 'chai';
import { BatchInsertError, EdgeVec, EdgeVecError, type BatchErrorCode } from 'edgevec';
import * as errors from '../dist/errors.js';
import { RawIndex, batchErrorCodes, batchLimit } from '../dist/wasm/edgevec.js';
import { range } from './data.js';
import { expectBatchError, expectError, rejectionOf, thrownBy } from './failures.js';
import { fresh } from './indexes.js';

/** Every code of the type: the compiler demands each, and refuses any other. */
const CODES: Record<BatchErrorCode, true> = {
  EMPTY_BATCH: true,
  DIMENSION_MISMATCH: true,
  DUPLICATE_ID: true,
  INVALID_VECTOR: true,
  CAPACITY_EXCEEDED: true,
  INTERNAL_ERROR: true,
};

describe('the codes of BatchInsertError', () => {
  it('are six, and the same in the types, in the package and in Rust', async () => {
    await fresh(); // loads the module
    const inRust = batchErrorCodes();
    expect(inRust).to.have.lengthOf(6);
    expect(inRust).to.have.members(Object.keys(CODES));
    // Internal, so not in the declarations.
    expect((errors as Record<string, unknown>)['BATCH_ERROR_CODES']).to.deep.equal(inRust);
  });

  it('EMPTY_BATCH: no rows', async () => {
    const index = await fresh();
    for (const none of [[], new Float32Array(0)]) {
      for (const mode of ['strict', 'skip'] as const) {
        expectBatchError(await rejectionOf(index.insertBatch(none, { mode })), 'EMPTY_BATCH');
      }
    }
  });

  it('DIMENSION_MISMATCH: a row of another length, or a flat array that is no multiple', async () => {
    const index = await fresh({ dimensions: 4 });
    const rows = [[1, 2, 3, 4], [5, 6, 7, 8], [1, 2, 3], [9, 9, 9, 9]];
    const short = expectBatchError(await rejectionOf(index.insertBatch(rows)), 'DIMENSION_MISMATCH', {
      index: 2,
      expected: 4,
      actual: 3,
    });
    expect(short.message).to.equal('row 2 has 3 components, but the index has 4 dimensions');
    const long = [new Float32Array(5)];
    expectBatchError(await rejectionOf(index.insertBatch(long)), 'DIMENSION_MISMATCH', { index: 0, expected: 4, actual: 5 });
    const flat = expectBatchError(await rejectionOf(index.insertBatch(new Float32Array(4 * 7 + 1))), 'DIMENSION_MISMATCH', {
      index: 7,
      expected: 4,
      actual: 1,
    });
    expect(flat.message).to.equal('row 7 has 1 components, but the index has 4 dimensions');
  });

  it('DUPLICATE_ID: an id is taken, or given twice', async () => {
    const index = await fresh();
    index.insert([0, 0], 77);
    const taken = index.insertBatch([[1, 1], [2, 2]], { ids: [5, 77] });
    const { message } = expectBatchError(await rejectionOf(taken), 'DUPLICATE_ID', { index: 1, id: 77 });
    expect(message).to.match(/row 1 .*77/);
    const twice = index.insertBatch([[1, 1], [2, 2], [3, 3]], { ids: [5, 6, 5] });
    expectBatchError(await rejectionOf(twice), 'DUPLICATE_ID', { index: 2, id: 5 });
    expect(index.has(5)).to.equal(false);
  });

  it('INVALID_VECTOR: NaN, an infinity, and under cosine a zero vector', async () => {
    const index = await fresh({ dimensions: 3, metric: 'cosine' });
    const reasons: [number[], string][] = [
      [[1, NaN, 1], 'component 1 is NaN'],
      [[Infinity, 1, 1], 'component 0 is Infinity'],
      [[1, 1, -Infinity], 'component 2 is -Infinity'],
      [[1e39, 1, 1], 'component 0 is Infinity'], // no 32-bit float
      [[0, -0, 0], 'all zeros'],
    ];
    for (const [row, reason] of reasons) {
      const error = await rejectionOf(index.insertBatch([[1, 2, 3], row]));
      const { message, details } = expectBatchError(error, 'INVALID_VECTOR', (error as EdgeVecError).details);
      expect(details?.index).to.equal(1);
      expect(details?.reason).to.include(reason);
      expect(message).to.include('row 1').and.include(reason);
    }
    const zeros = await fresh({ dimensions: 3, metric: 'l2' });
    expect((await zeros.insertBatch([[0, 0, 0]])).inserted).to.equal(1);
  });

  it('CAPACITY_EXCEEDED: more rows than one batch may have', async () => {
    const index = await fresh({ dimensions: 2 });
    const limit = EdgeVec.batchLimit(2);
    const details = { current: limit + 1, max: limit };
    const error = await rejectionOf(index.insertBatch(new Array(limit + 1)));
    const { message } = expectBatchError(error, 'CAPACITY_EXCEEDED', details);
    expect(message).to.include(String(limit + 1)).and.include(String(limit));
    const flat = new Float32Array(2 * (limit + 1));
    expectBatchError(await rejectionOf(index.insertBatch(flat)), 'CAPACITY_EXCEEDED', details);
    const raw = new RawIndex(2, 'l2', 16, 200, 0);
    const thrown = thrownBy(() => raw.beginBatch(limit + 1, undefined, 'strict', true));
    expect(thrown).to.deep.include({ code: 'CAPACITY_EXCEEDED', details });
    raw.free();
  });

  it('INTERNAL_ERROR: steps in an order that the package never takes', async () => {
    await fresh();
    const raw = new RawIndex(2, 'l2', 16, 200, 0);
    const wrong: (() => unknown)[] = [
      () => raw.finishBatch(),
      () => raw.stepBatch(1000),
      () => raw.fillBatch(new Float32Array(2)),
      () => raw.refuseRow(1),
    ];
    for (const step of wrong) {
      const error = thrownBy(step) as { code?: unknown; batch?: unknown; details?: { message?: unknown } };
      expect(error).to.be.instanceOf(Error);
      expect([error.code, error.batch]).to.deep.equal(['INTERNAL_ERROR', true]);
      expect(error.details?.message).to.be.a('string');
    }
    raw.beginBatch(1, undefined, 'strict', true);
    expect(thrownBy(() => raw.beginBatch(1, undefined, 'strict', true))).to.include({ code: 'INTERNAL_ERROR' });
    raw.abortBatch();
    raw.free();
  });
});

describe('an error', () => {
  it('of a batch is a BatchInsertError, an EdgeVecError and an Error, with name, message and stack', async () => {
    const index = await fresh();
    const error = (await rejectionOf(index.insertBatch([]))) as BatchInsertError;
    expect(error).to.be.instanceOf(BatchInsertError).and.instanceOf(EdgeVecError).and.instanceOf(Error);
    expect(error.name).to.equal('BatchInsertError');
    expect(Object.prototype.toString.call(error)).to.equal('[object Error]');
    expect(String(error)).to.equal(`BatchInsertError: ${error.message}`);
    expect(error.stack).to.be.a('string').that.is.not.empty;
    expect(EdgeVecError.is(error)).to.equal(true);
  });

  it('outside a batch is an EdgeVecError and no BatchInsertError', async () => {
    const index = await fresh({ dimensions: 2, metric: 'cosine' });
    index.insert([1, 0], 3);
    const failures = [
      expectError(thrownBy(() => index.insert([1, 2, 3])), 'DIMENSION_MISMATCH', { expected: 2, actual: 3 }),
      expectError(thrownBy(() => index.insert(new Float32Array(3))), 'DIMENSION_MISMATCH', { expected: 2, actual: 3 }),
      expectError(thrownBy(() => index.insert([NaN, 2])), 'INVALID_VECTOR'),
      expectError(thrownBy(() => index.insert([0, 0])), 'INVALID_VECTOR'),
      expectError(thrownBy(() => index.insert([1, 1], 3)), 'DUPLICATE_ID', { id: 3 }),
      expectError(thrownBy(() => index.search([1])), 'DIMENSION_MISMATCH', { expected: 2, actual: 1 }),
      expectError(thrownBy(() => index.search([1, Infinity])), 'INVALID_VECTOR'),
      expectError(thrownBy(() => index.search([1, 1], { k: 0 })), 'INVALID_ARGUMENT', { name: 'k', value: '0' }),
      expectError(thrownBy(() => index.get(-1)), 'INVALID_ARGUMENT', { name: 'id', value: '-1' }),
    ];
    for (const failure of failures) {
      expect(failure.name).to.equal('EdgeVecError');
      expect(failure).not.to.be.instanceOf(BatchInsertError);
    }
    expect(index.size).to.equal(1);
  });

  it('of a configuration that is none is INVALID_ARGUMENT and names what is allowed', async () => {
    const index = await fresh();
    const rows = [[0, 1], [1, 0]];
    const wrong: [object, string, string][] = [
      [{ mode: 'fast' }, 'mode', "'strict' or 'skip'"],
      [{ validateDimensions: 'yes' }, 'validateDimensions', 'a boolean'],
      [{ onProgress: 3 }, 'onProgress', 'a function'],
      [{ signal: {} }, 'signal', 'an AbortSignal'],
      [{ ids: [1] }, 'ids.length', '2, one for each row'],
      [{ ids: [1, 2, 3] }, 'ids.length', '2, one for each row'],
      [{ ids: 'ab' }, 'ids', 'an array of integers'],
      [{ ids: [0, 1.5] }, 'ids[1]', 'an integer from 0 to 9007199254740991'],
      [{ ids: [-1, 1] }, 'ids[0]', 'an integer from 0 to 9007199254740991'],
      [{ ids: [0, 2 ** 53] }, 'ids[1]', 'an integer from 0 to 9007199254740991'],
      [{ ids: [0, '1'] }, 'ids[1]', 'an integer from 0 to 9007199254740991'],
    ];
    for (const [config, name, limit] of wrong) {
      const failure = expectError(await rejectionOf(index.insertBatch(rows, config)), 'INVALID_ARGUMENT', { name, limit });
      expect(failure.message).to.include(name).and.include(limit);
    }
    expect(index.size).to.equal(0);
  });

  it('is thrown by nothing at once: a batch always returns a promise', async () => {
    const index = await fresh();
    const calls: (() => Promise<unknown>)[] = [
      () => index.insertBatch(undefined as never),
      () => index.insertBatch([[1, 2]], null as never),
      () => EdgeVec.create(undefined as never),
      () => EdgeVec.fromBytes(undefined as never),
    ];
    index.close();
    calls.push(() => index.insertBatch([[1, 2]]));
    for (const call of calls) expect(EdgeVecError.is(await rejectionOf(call()))).to.equal(true);
  });

  it('is known by another copy of the package', () => {
    const copied = Object.assign(new Error(), { [Symbol.for('edgevec.error')]: true });
    expect(EdgeVecError.is(copied)).to.equal(true);
    expect(EdgeVecError.is(new Error())).to.equal(false);
    expect(EdgeVecError.is({ code: 'CLOSED' })).to.equal(false);
  });
});

describe('EdgeVec.batchLimit', () => {
  it('is the limit that Rust enforces, for every number of dimensions', async () => {
    await fresh();
    for (const dimensions of range(16_384, 1)) {
      if (EdgeVec.batchLimit(dimensions) !== batchLimit(dimensions)) expect.fail(`${dimensions} dimensions`);
    }
  });

  it('is never below what is promised', () => {
    const promised = [[128, 100_000], [512, 50_000], [768, 30_000], [1536, 15_000], [16_384, 10_000]] as const;
    for (const [dimensions, rows] of promised) expect(EdgeVec.batchLimit(dimensions)).to.be.at.least(rows);
  });

  it('refuses what is no number of dimensions', () => {
    for (const wrong of [0, -1, 1.5, NaN, Infinity, 16_385, '3', null, undefined, 3n, Symbol('3')]) {
      expectError(thrownBy(() => EdgeVec.batchLimit(wrong as number)), 'INVALID_ARGUMENT', { name: 'dimensions' });
    }
  });

  it('is the last number of rows that is looked at', async () => {
    const index = await fresh({ dimensions: 16_384 });
    const limit = EdgeVec.batchLimit(16_384);
    const rows: number[][] = Array.from({ length: limit }, () => [1]);
    const short = await rejectionOf(index.insertBatch(rows));
    expectBatchError(short, 'DIMENSION_MISMATCH', { index: 0, expected: 16_384, actual: 1 });
    rows.push([1]);
    expectBatchError(await rejectionOf(index.insertBatch(rows)), 'CAPACITY_EXCEEDED', { current: limit + 1, max: limit });
  });
});
