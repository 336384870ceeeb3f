/// <reference lib="esnext.disposable" preserve="true" />
/** What users hold: an index, its errors and its types. */

import {
  batchLimit,
  helpersOf,
  isCopiedAtOnce,
  planBatch,
  runBatch,
  throwIfAborted,
  withSnapshot,
  type Plan,
} from './batch.js';
import { whenCollected } from './collected.js';
import { Crew } from './crew.js';
import { load, loadedBackend } from './engine.js';
import { EdgeVecError, invalidArgument, translated } from './errors.js';
import { plainBytes } from './typed.js';
import { toVector } from './vector.js';
import type {
  BatchInsertConfig,
  BatchInsertResult,
  BatchVectors,
  EdgeVecOptions,
  Hit,
  Metric,
  SearchOptions,
  Vector,
} from './types.js';
import { RawIndex } from './wasm/edgevec.js';

export { BatchInsertError, EdgeVecError } from './errors.js';
export type * from './types.js';

/** The most dimensions an index may have. */
const MAX_DIMENSIONS = 16_384;

/**
 * Vectors that can be searched for those nearest to a query, in memory of this page, worker or program.
 *
 * @example
 * const index = await EdgeVec.create({ dimensions: 384, metric: 'cosine' });
 * const { ids } = await index.insertBatch(vectors);
 * const hits = index.search(query, { k: 10 });
 */
export class EdgeVec {
  #raw: RawIndex | undefined;
  /** Settles when the batches given so far are done; undefined when none is. */
  #busy: Promise<unknown> | undefined;
  /** Threads that help with batches, from the first that wants some. */
  #crew: Crew | undefined;

  private constructor(raw: RawIndex) {
    if (!(raw instanceof RawIndex)) {
      throw invalidArgument('raw', raw, 'an index: call EdgeVec.create or EdgeVec.fromBytes');
    }
    this.#raw = raw;
  }

  /**
   * Makes an empty index. The first call loads the WebAssembly module, in the fastest build that the
   * engine runs correctly.
   *
   * @throws {EdgeVecError} (as a rejection) `INVALID_ARGUMENT` or `LOAD_FAILED`.
   */
  static async create(options: EdgeVecOptions): Promise<EdgeVec> {
    if (typeof options !== 'object' || options === null) throw invalidArgument('options', options, 'an object');
    const { dimensions, metric = 'cosine', m = 16, efConstruction = 200, seed = 0 } = options;
    await load();
    return new EdgeVec(translated(() => new RawIndex(dimensions, metric, m, efConstruction, seed)));
  }

  /**
   * The index that {@link toBytes} wrote, also in another engine or from Rust.
   *
   * @param bytes  A `Uint8Array` or an `ArrayBuffer`; neither changed nor kept.
   * @throws {EdgeVecError} (as a rejection) `CORRUPT` for bytes that are no index or were changed,
   *   `CAPACITY_EXCEEDED`, `INVALID_ARGUMENT` or `LOAD_FAILED`.
   */
  static async fromBytes(bytes: Uint8Array | ArrayBuffer): Promise<EdgeVec> {
    await load();
    return new EdgeVec(translated(() => RawIndex.fromBytes(plainBytes(bytes))));
  }

  /**
   * The instructions that distances are computed with, `'relaxed-simd'` or `'simd128'`; undefined
   * before the first index is made.
   */
  static get backend(): string | undefined {
    return loadedBackend();
  }

  /**
   * The most rows one {@link insertBatch} may have. An index may hold more.
   *
   * @param dimensions  An integer from 1 to 16,384.
   * @returns At least 100,000 for up to 128 dimensions, 50,000 to 512, 30,000 to 768, 15,000 to 1536,
   *   10,000 above; more where the rows take less than 256 MiB.
   * @throws {EdgeVecError} `INVALID_ARGUMENT`.
   */
  static batchLimit(dimensions: number): number {
    if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > MAX_DIMENSIONS) {
      throw invalidArgument('dimensions', dimensions, `an integer from 1 to ${MAX_DIMENSIONS}`);
    }
    return batchLimit(dimensions);
  }

  /** Rows that searches can find. @throws {EdgeVecError} `CLOSED`. */
  get size(): number {
    return this.#open().size;
  }

  /** Numbers in each vector. @throws {EdgeVecError} `CLOSED`. */
  get dimensions(): number {
    return this.#open().dimensions;
  }

  /** How distances are computed. @throws {EdgeVecError} `CLOSED`. */
  get metric(): Metric {
    return this.#open().metric as Metric;
  }

  /**
   * Inserts one vector at once. While a batch runs, the row has its id at once and is found when the
   * batch is done.
   *
   * @param vector  {@link dimensions} finite numbers; neither changed nor kept.
   * @param id  An integer from 0 to 2^53 − 1 that is not taken. Default: the next free one.
   * @returns The id.
   * @throws {EdgeVecError} `DIMENSION_MISMATCH`, `INVALID_VECTOR`, `DUPLICATE_ID`,
   *   `CAPACITY_EXCEEDED`, `INVALID_ARGUMENT` or `CLOSED`; the index is then as it was.
   */
  insert(vector: Vector, id?: number): number {
    const values = toVector('vector', vector, this.#open().dimensions);
    return translated(() => this.#open().insert(values, id));
  }

  /**
   * Inserts many vectors: all of them, or none. The work is done in slices of some milliseconds, between
   * which the page paints, handles input and runs timers. Calls queue behind each other.
   *
   * @param vectors  Rows one after another, or an array of rows; not changed. Up to 32 MiB are copied
   *   before the call returns; do not write to larger ones before the promise settles.
   * @param config.signal  Aborts within one slice; the index is then as it was.
   * @returns When every inserted row can be found. `ids` are in the order of the input.
   * @throws {BatchInsertError} (as a rejection) with one of the codes of {@link BatchErrorCode}, the row
   *   and the limit in `details`; {@link EdgeVecError} `INVALID_ARGUMENT` or `CLOSED`; `signal.reason`;
   *   or what `onProgress` threw. The index is then as it was.
   */
  async insertBatch(vectors: BatchVectors, config: BatchInsertConfig = {}): Promise<BatchInsertResult> {
    const plan = planBatch(vectors, config, this.#open().dimensions);
    throwIfAborted(plan.signal);
    const before = this.#busy;
    let leave: (before: Promise<unknown> | undefined) => void = () => {};
    const turn = new Promise<unknown>((resolve) => {
      leave = resolve;
    });
    this.#busy = turn;
    try {
      return await (before === undefined ? this.#run(plan) : this.#runAfter(before, plan));
    } finally {
      leave(before); // over when those before it are, too
      void turn.then(() => {
        if (this.#busy === turn) this.#busy = undefined;
      });
    }
  }

  /** Runs a batch when those before it have settled; an abort need not wait for that. */
  async #runAfter(before: Promise<unknown>, given: Plan): Promise<BatchInsertResult> {
    const plan = isCopiedAtOnce(given) ? withSnapshot(given) : given;
    const { signal } = plan;
    let stop = (): void => {};
    const aborted = new Promise<void>((resolve) => {
      stop = resolve;
    });
    signal?.addEventListener('abort', stop);
    await Promise.race([before, aborted]);
    signal?.removeEventListener('abort', stop);
    throwIfAborted(signal);
    return this.#run(plan);
  }

  async #run(plan: Plan): Promise<BatchInsertResult> {
    this.#open();
    const helpers = helpersOf(plan);
    const crew = helpers === 0 ? undefined : (this.#crew ??= this.#newCrew());
    crew?.gather(helpers);
    try {
      return await runBatch(() => this.#open(), plan, crew);
    } finally {
      crew?.rest();
    }
  }

  #newCrew(): Crew {
    const crew = new Crew();
    whenCollected(this, () => crew.close());
    return crew;
  }

  /**
   * Finds the stored vectors nearest to `query`.
   *
   * @param query  {@link dimensions} finite numbers; neither changed nor kept.
   * @returns At most `k` hits, nearest first, equal distances by id; all rows when `k` is larger.
   * @throws {EdgeVecError} `DIMENSION_MISMATCH`, `INVALID_VECTOR`, `INVALID_ARGUMENT`,
   *   `CAPACITY_EXCEEDED` or `CLOSED`.
   */
  search(query: Vector, options: SearchOptions = {}): Hit[] {
    const { dimensions } = this.#open();
    if (typeof options !== 'object' || options === null) throw invalidArgument('options', options, 'an object');
    const { k = 10, ef = 64 } = options;
    const values = toVector('query', query, dimensions);
    const found = translated(() => this.#open().search(values, k, ef));
    const hits: Hit[] = [];
    for (let i = 0; i + 1 < found.length; i += 2) {
      hits.push({ id: found[i] as number, distance: found[i + 1] as number });
    }
    return hits;
  }

  /**
   * A copy of the vector with this id, or undefined. Under `'cosine'` it is the stored one, of length 1.
   *
   * @throws {EdgeVecError} `INVALID_ARGUMENT` or `CLOSED`.
   */
  get(id: number): Float32Array | undefined {
    return translated(() => this.#open().get(id));
  }

  /** Whether a row has this id. @throws {EdgeVecError} `INVALID_ARGUMENT` or `CLOSED`. */
  has(id: number): boolean {
    return translated(() => this.#open().has(id));
  }

  /**
   * The index as bytes, the same in every engine; {@link fromBytes} reads them. Rows of a batch that is
   * not done are not in them.
   *
   * @throws {EdgeVecError} `CAPACITY_EXCEEDED` or `CLOSED`.
   */
  toBytes(): Uint8Array {
    return translated(() => this.#open().toBytes());
  }

  /**
   * Gives the memory back. A batch that runs is aborted and its promise rejects with `CLOSED`, as does
   * every later call. Calling it twice is harmless.
   */
  close(): void {
    const raw = this.#raw;
    this.#raw = undefined;
    this.#crew?.close();
    raw?.free();
  }

  #open(): RawIndex {
    if (this.#raw === undefined) throw new EdgeVecError('CLOSED', 'the index was closed');
    return this.#raw;
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
