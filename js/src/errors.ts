/** The errors of this package: real `Error`s whose `code` outlives their message. */

import { isArray } from './typed.js';
import type { BatchErrorCode, ErrorCode, ErrorDetails } from './types.js';

/** Marks the errors of this package, so that two copies of it know each other's. */
const BRAND = Symbol.for('edgevec.error');

/** Why a call failed. */
export class EdgeVecError extends Error {
  /** The stable name of what went wrong. */
  readonly code: ErrorCode;
  /** What it is about: names, values and limits. */
  readonly details?: ErrorDetails;

  constructor(code: ErrorCode, message: string, details?: ErrorDetails) {
    super(message);
    this.code = code;
    if (details !== undefined) this.details = details;
  }

  /** Whether `value` is an error of this package, also of another copy of it. */
  static is(value: unknown): value is EdgeVecError {
    return value instanceof Error && BRAND in value;
  }
}

/** Why a batch was rejected. In strict mode the index is then as it was before. */
export class BatchInsertError extends EdgeVecError {
  /** One of the six names of what can be wrong with a batch. */
  declare readonly code: BatchErrorCode;

  constructor(code: BatchErrorCode, message: string, details?: ErrorDetails) {
    super(code, message, details);
  }
}

for (const [kind, name] of [[EdgeVecError, 'EdgeVecError'], [BatchInsertError, 'BatchInsertError']] as const) {
  Object.defineProperty(kind.prototype, 'name', { value: name, configurable: true, writable: true });
  Object.defineProperty(kind.prototype, BRAND, { value: true });
}

/** The six codes of {@link BatchErrorCode}. @internal */
export const BATCH_ERROR_CODES = [
  'EMPTY_BATCH',
  'DIMENSION_MISMATCH',
  'DUPLICATE_ID',
  'INVALID_VECTOR',
  'CAPACITY_EXCEEDED',
  'INTERNAL_ERROR',
] as const satisfies readonly BatchErrorCode[];

/** An argument that no index takes. @internal */
export function invalidArgument(name: string, value: unknown, limit: string): EdgeVecError {
  const shown = describe(value);
  return new EdgeVecError('INVALID_ARGUMENT', `${name} is ${shown}, but must be ${limit}`, {
    name,
    value: shown,
    limit,
  });
}

/** What the WebAssembly module throws, as an error of this package; anything else as it is. @internal */
export function toError(thrown: unknown): unknown {
  if (EdgeVecError.is(thrown) || !(thrown instanceof Error)) return thrown;
  if (thrown instanceof WebAssembly.RuntimeError) {
    const message = `the WebAssembly module failed: ${thrown.message}`;
    return new EdgeVecError('INTERNAL_ERROR', message, { message });
  }
  const { code, batch, details } = thrown as Error & { code?: unknown; batch?: unknown; details?: ErrorDetails };
  if (typeof code !== 'string' || typeof batch !== 'boolean') return thrown;
  return batch
    ? new BatchInsertError(code as BatchErrorCode, thrown.message, details)
    : new EdgeVecError(code as ErrorCode, thrown.message, details);
}

/** Calls into the module and translates what it throws. @internal */
export function translated<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw toError(error);
  }
}

function describe(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`;
  if (value === null || typeof value !== 'object') return typeof value === 'function' ? 'a function' : String(value);
  return isArray(value) ? 'an array' : 'an object';
}
