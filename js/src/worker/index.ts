/// <reference lib="esnext.disposable" preserve="true" />
/** The same index, living in a worker: the page never does any of the work. */

import { planBatch, throwIfAborted } from '../batch.js';
import { whenCollected } from '../collected.js';
import { EdgeVecError, invalidArgument } from '../errors.js';
import { EdgeVec as Local } from '../index.js';
import type { Thread } from '../threads.js';
import { copiedBytes, plainFloats } from '../typed.js';
import type {
  BatchInsertConfig,
  BatchInsertResult,
  BatchVectors,
  EdgeVecOptions,
  Hit,
  Metric,
  SearchOptions,
  Vector,
} from '../types.js';
import { toVector } from '../vector.js';
import { Link } from './link.js';

export { BatchInsertError, EdgeVecError } from '../errors.js';
export type * from '../types.js';

let startHost: (() => Thread) | undefined;
let loadedBackend: string | undefined;

/** Says how a worker is started. Called by the entry files; the first one counts. @internal */
export function setHost(start: () => Thread): void {
  startHost ??= start;
}

/** What the worker says of a new index. */
interface Made {
  dimensions: number;
  metric: Metric;
  backend: string;
}

/**
 * Vectors that can be searched for those nearest to a query, in a worker of their own. Every method of the
 * class of `'edgevec'` is here, does the same and throws the same; it returns a promise.
 *
 * @example
 * import { EdgeVec } from 'edgevec/worker';
 * const index = await EdgeVec.create({ dimensions: 384, metric: 'cosine' });
 * const { ids } = await index.insertBatch(vectors);
 * const hits = await index.search(query, { k: 10 });
 */
export class EdgeVec {
  readonly #link: Link;
  readonly #made: Made;

  private constructor(link: Link, made: Made) {
    if (!(link instanceof Link)) {
      throw invalidArgument('link', link, 'a worker: call EdgeVec.create or EdgeVec.fromBytes');
    }
    this.#link = link;
    this.#made = made;
    whenCollected(this, () => link.forget(closed()));
  }

  /**
   * Makes an empty index in a new worker, which loads the WebAssembly module.
   *
   * @throws {EdgeVecError} (as a rejection) `INVALID_ARGUMENT`, or `LOAD_FAILED`, also when no worker can be
   *   started.
   */
  static async create(options: EdgeVecOptions): Promise<EdgeVec> {
    if (typeof options !== 'object' || options === null) throw invalidArgument('options', options, 'an object');
    const { dimensions, metric, m, efConstruction, seed } = options;
    const given = { dimensions, metric, m, efConstruction, seed };
    const sent = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, sendable(value)]));
    return EdgeVec.#start('create', sent);
  }

  /**
   * The index that {@link toBytes} wrote, in a new worker.
   *
   * @param bytes  A `Uint8Array` or an `ArrayBuffer`; neither changed nor kept.
   * @throws {EdgeVecError} (as a rejection) `CORRUPT`, `CAPACITY_EXCEEDED`, `INVALID_ARGUMENT` or
   *   `LOAD_FAILED`.
   */
  static async fromBytes(bytes: Uint8Array | ArrayBuffer): Promise<EdgeVec> {
    const copy = copiedBytes(bytes);
    return EdgeVec.#start('fromBytes', copy ?? sendable(bytes), copy && [copy.buffer]);
  }

  static async #start(call: 'create' | 'fromBytes', given: unknown, transfer?: ArrayBufferLike[]): Promise<EdgeVec> {
    const link = new Link(started());
    try {
      const made = (await link.call(call, [given], transfer)) as Made;
      loadedBackend = made.backend;
      return new EdgeVec(link, made);
    } catch (error) {
      link.end(closed());
      throw failedToStart(error);
    }
  }

  /**
   * The instructions that distances are computed with, `'relaxed-simd'` or `'simd128'`; undefined before
   * the first index is made.
   */
  static get backend(): string | undefined {
    return loadedBackend;
  }

  /**
   * The most rows one {@link insertBatch} may have, at once and not as a promise.
   *
   * @param dimensions  An integer from 1 to 16,384.
   * @throws {EdgeVecError} `INVALID_ARGUMENT`.
   */
  static batchLimit(dimensions: number): number {
    return Local.batchLimit(dimensions);
  }

  /** Rows that searches can find. @throws {EdgeVecError} (as a rejection) `CLOSED`. */
  get size(): Promise<number> {
    return this.#link.call('size', []) as Promise<number>;
  }

  /** Numbers in each vector, at once and not as a promise. @throws {EdgeVecError} `CLOSED`. */
  get dimensions(): number {
    this.#link.check();
    return this.#made.dimensions;
  }

  /** How distances are computed, at once and not as a promise. @throws {EdgeVecError} `CLOSED`. */
  get metric(): Metric {
    this.#link.check();
    return this.#made.metric;
  }

  /**
   * Inserts one vector. While a batch runs, the row has its id and is found when the batch is done.
   *
   * @param vector  {@link dimensions} finite numbers; neither changed nor kept.
   * @param id  An integer from 0 to 2^53 − 1 that is not taken. Default: the next free one.
   * @returns The id.
   * @throws {EdgeVecError} (as a rejection) `DIMENSION_MISMATCH`, `INVALID_VECTOR`, `DUPLICATE_ID`,
   *   `CAPACITY_EXCEEDED`, `INVALID_ARGUMENT` or `CLOSED`; the index is then as it was.
   */
  async insert(vector: Vector, id?: number): Promise<number> {
    const copy = copied('vector', vector, this.dimensions);
    return (await this.#link.call('insert', [copy, sendable(id)], buffersOf(copy))) as number;
  }

  /**
   * Inserts many vectors: all of them, or none. The page only copies the rows. Calls queue behind each other.
   *
   * @param vectors  Rows one after another, or an array of rows; neither changed nor taken away. Up to 32 MiB
   *   are copied before the call returns; do not write to larger ones before the promise settles.
   * @param config.workers  Threads that help in Node; in browsers none do.
   * @param config.signal  Aborts as soon as the worker hears of it; the index is then as it was.
   * @returns When every inserted row can be found. `ids` are in the order of the input.
   * @throws {BatchInsertError} (as a rejection) with one of the codes of {@link BatchErrorCode}, the row
   *   and the limit in `details`; {@link EdgeVecError} `INVALID_ARGUMENT` or `CLOSED`; `signal.reason`;
   *   or what `onProgress` threw. The index is then as it was.
   */
  async insertBatch(vectors: BatchVectors, config: BatchInsertConfig = {}): Promise<BatchInsertResult> {
    const plan = planBatch(vectors, config, this.dimensions);
    throwIfAborted(plan.signal);
    return this.#link.batch(plan);
  }

  /**
   * Finds the stored vectors nearest to `query`.
   *
   * @param query  {@link dimensions} finite numbers; neither changed nor kept.
   * @returns At most `k` hits, nearest first, equal distances by id; all rows when `k` is larger.
   * @throws {EdgeVecError} (as a rejection) `DIMENSION_MISMATCH`, `INVALID_VECTOR`, `INVALID_ARGUMENT`,
   *   `CAPACITY_EXCEEDED` or `CLOSED`.
   */
  async search(query: Vector, options: SearchOptions = {}): Promise<Hit[]> {
    const { dimensions } = this;
    if (typeof options !== 'object' || options === null) throw invalidArgument('options', options, 'an object');
    const { k, ef } = options;
    const copy = copied('query', query, dimensions);
    const given = [copy, { k: sendable(k), ef: sendable(ef) }];
    return (await this.#link.call('search', given, buffersOf(copy))) as Hit[];
  }

  /**
   * A copy of the vector with this id, or undefined. Under `'cosine'` it is the stored one, of length 1.
   *
   * @throws {EdgeVecError} (as a rejection) `INVALID_ARGUMENT` or `CLOSED`.
   */
  async get(id: number): Promise<Float32Array | undefined> {
    return (await this.#link.call('get', [sendable(id)])) as Float32Array | undefined;
  }

  /** Whether a row has this id. @throws {EdgeVecError} (as a rejection) `INVALID_ARGUMENT` or `CLOSED`. */
  async has(id: number): Promise<boolean> {
    return (await this.#link.call('has', [sendable(id)])) as boolean;
  }

  /**
   * The index as bytes, the same as without a worker; {@link fromBytes} reads them. Rows of a batch that is
   * not done are not in them.
   *
   * @throws {EdgeVecError} (as a rejection) `CAPACITY_EXCEEDED` or `CLOSED`.
   */
  async toBytes(): Promise<Uint8Array> {
    return (await this.#link.call('toBytes', [])) as Uint8Array;
  }

  /**
   * Ends the worker, at once and not as a promise. What was asked and is not answered rejects with `CLOSED`, as
   * does every later call. Calling it twice is harmless.
   */
  close(): void {
    this.#link.end(closed());
  }
}

/** `using index = await EdgeVec.create(…)` closes it at the end of the block. */
export interface EdgeVec extends Disposable {}

// Older engines have no `Symbol.dispose`, and need none of this.
if (Symbol.dispose !== undefined) {
  Object.defineProperty(EdgeVec.prototype, Symbol.dispose, {
    value: EdgeVec.prototype.close,
    configurable: true,
    writable: true,
  });
}

function closed(): EdgeVecError {
  return new EdgeVecError('CLOSED', 'the index was closed');
}

function started(): Thread {
  try {
    if (startHost === undefined) throw new Error('there are no workers here');
    return startHost();
  } catch (error) {
    throw failedToStart(new EdgeVecError('INTERNAL_ERROR', error instanceof Error ? error.message : String(error)));
  }
}

/** A worker that fails before it has an index was not loaded. */
function failedToStart(error: unknown): unknown {
  if (!EdgeVecError.is(error) || error.code !== 'INTERNAL_ERROR') return error;
  const reason = error.message;
  return new EdgeVecError('LOAD_FAILED', `the worker could not be started: ${reason}`, { reason });
}

/** A copy of a vector that can be given away; what is none is refused here, or by the worker. */
function copied(name: string, vector: Vector, dimensions: number): unknown {
  const values = toVector(name, vector, dimensions);
  if (values !== vector) return values;
  const floats = plainFloats(values);
  return floats === undefined ? {} : new Float32Array(floats);
}

function buffersOf(value: unknown): ArrayBufferLike[] {
  return value instanceof Float32Array ? [value.buffer] : [];
}

const PRIMITIVES = new Set(['number', 'string', 'boolean', 'bigint']);

/** A value as a message can have it: what is an object, and so no good argument, is an empty one there. */
function sendable(value: unknown): unknown {
  const isPlain = value === undefined || value === null || PRIMITIVES.has(typeof value);
  return isPlain ? value : {};
}
