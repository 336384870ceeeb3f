/** Calls that must fail, and how. */

import { expect } from 'chai';
import { BatchInsertError, EdgeVecError, type BatchErrorCode, type ErrorCode, type ErrorDetails } from 'edgevec';

/** What a promise rejects with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  const outcome = await promise.then((value) => ({ value }), (error: unknown) => ({ error }));
  if ('error' in outcome) return outcome.error;
  throw new Error(`resolved, but should have rejected: ${JSON.stringify(outcome.value)}`);
}

/** What a call throws. */
export function thrownBy(call: () => unknown): unknown {
  let value;
  try {
    value = call();
  } catch (error) {
    return error;
  }
  throw new Error(`returned, but should have thrown: ${String(value)}`);
}

/** An error of this package with this code, and with at least these details. */
export function expectError(error: unknown, code: ErrorCode, details: ErrorDetails = {}): EdgeVecError {
  expect(error).to.be.instanceOf(EdgeVecError).and.instanceOf(Error);
  const failure = error as EdgeVecError;
  expect(failure.code, failure.message).to.equal(code);
  expect(failure.message).to.be.a('string').that.is.not.empty;
  if (Object.keys(details).length > 0) expect(failure.details).to.deep.include(details);
  return failure;
}

/** An error that rejects a batch, with this code and exactly these details. */
export function expectBatchError(error: unknown, code: BatchErrorCode, details?: ErrorDetails): BatchInsertError {
  expectError(error, code);
  expect(error).to.be.instanceOf(BatchInsertError);
  const failure = error as BatchInsertError;
  expect(failure.name).to.equal('BatchInsertError');
  expect(failure.details).to.deep.equal(details);
  return failure;
}
