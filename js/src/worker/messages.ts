/** What the page and the worker that has the index say to each other. */

import { BatchInsertError, EdgeVecError } from '../errors.js';
import type { BatchErrorCode, BatchProgress, ErrorCode, ErrorDetails } from '../types.js';

/** What the worker is told. `id` is that of a call, which {@link Reply}s have, too. */
export type Request =
  /** Calls a method; {@link Calls} in `host.ts` has them. */
  | { id: number; call: string; given: unknown[] }
  /** Announces a batch, whose rows follow. */
  | { id: number; batch: BatchRequest }
  /** The next rows of the batch. */
  | ({ id: number } & Piece)
  /** Aborts the batch, or lets it put its rows in. */
  | { id: number; stop: boolean };

/** How a batch is to be inserted. */
export interface BatchRequest {
  rows: number;
  dimensions: number;
  config: {
    validateDimensions: boolean;
    mode: 'strict' | 'skip';
    workers: 'auto' | number;
    ids?: Float64Array;
  };
  /** Whether the page wants to know how far it is, and to be asked before the rows are in. */
  reports: boolean;
}

/** Some rows of a batch. */
export interface Piece {
  floats: Float32Array;
  /** Rows of the wrong length, whose place in `floats` is empty: which, and how long. */
  wrong: [number, number][];
}

/** What the worker says. */
export type Reply =
  | { id: number; value: unknown }
  | { id: number; error: Described }
  /** The batch was stopped as the page wished. */
  | { id: number; stopped: true }
  | { id: number; progress: BatchProgress };

/** An error, as a message can have it. */
export interface Described {
  code: ErrorCode;
  message: string;
  details?: ErrorDetails;
  batch: boolean;
}

/** Describes what was thrown; what is not of this package is a broken invariant. */
export function described(thrown: unknown): Described {
  if (!EdgeVecError.is(thrown)) {
    const message = String(thrown);
    return { code: 'INTERNAL_ERROR', message, details: { message }, batch: false };
  }
  const { code, message, details } = thrown;
  return { code, message, ...(details && { details }), batch: thrown instanceof BatchInsertError };
}

/** The error that was described. */
export function revived({ code, message, details, batch }: Described): EdgeVecError {
  return batch
    ? new BatchInsertError(code as BatchErrorCode, message, details)
    : new EdgeVecError(code, message, details);
}
