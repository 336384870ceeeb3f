/**
 * A batch, driven between the frames of a page.
 *
 * The core works in steps whose size is a number of distance computations; here each step is timed and the
 * next one sized. Some steps make a slice, after which the thread is given back.
 */

import type { Crew } from './crew.js';
import { BatchInsertError, invalidArgument, translated } from './errors.js';
import { copyRow, isArray, lengthOf, plainFloats } from './typed.js';
import { threads } from './threads.js';
import type { BatchErrorCode, BatchInsertConfig, BatchInsertResult, BatchProgress, BatchVectors, SkippedRow } from './types.js';
import type { RawIndex } from './wasm/edgevec.js';
import { nextTask } from './yield.js';

/**
 * What a slice of work aims to take: well below a frame, with room for what the page does. Engines run two before they
 * look for anything else; slices of 5 ms take no less time in all.
 */
const SLICE_MS = 4;
/** What a step of a slice aims to take. Short, for a step may turn out several times as slow as the one before. */
const STEP_MS = 1;
/** Distances of the first step of each kind of work: an engine may do it a hundred times as slowly as all that follow. */
const LEAST_BUDGET = 200;
const MOST_BUDGET = 50_000_000;
/** A step gets no more times the budget of the one before: some take less time than they say, and the next may not. */
const MOST_GROWTH = 1.5;
/** Batches up to this size are copied before the call returns. */
export const COPY_AT_ONCE_BYTES = 32 << 20;
/** Bytes handed over in one call while copying. */
const COPY_BYTES = 1 << 20;
/** Bytes of vectors that one batch may have, where more rows are not promised. */
const BATCH_BYTES = 256 << 20;
/** The most helpers of a batch, and the most that are taken where the caller does not say how many. */
const MOST_HELPERS = 64;
const MOST_HELPERS_UNASKED = 8;
/**
 * Work from which on helpers pay where the caller does not say how many, as rows × (dimensions + 128): a quarter of
 * a second, a few times what threads take to start. Measured in Node on 2 cores: a helper that has to be started
 * makes 10,000 × 128 and 3000 × 384 no slower, and 10,000 × 384 faster by a quarter.
 */
const WORK_WITH_HELPERS = 2_500_000;

/** A field of the configuration for the worker front door: asked before the rows are in. */
export const CONFIRM = Symbol('confirm');

/** A batch whose configuration was checked. */
export interface Plan {
  /** The rows one after another, or undefined: then {@link list} has them. */
  flat: Float32Array | undefined;
  list: readonly unknown[];
  rows: number;
  dimensions: number;
  validate: boolean;
  ids: Float64Array | undefined;
  mode: 'strict' | 'skip';
  onProgress: ((progress: BatchProgress) => void) | undefined;
  signal: AbortSignal | undefined;
  confirm: (() => Promise<void>) | undefined;
  workers: 'auto' | number;
}

/** The most rows one batch may have. */
export function batchLimit(dimensions: number): number {
  const promised = [[128, 100_000], [512, 50_000], [768, 30_000], [1536, 15_000], [Infinity, 10_000]] as const;
  const [, rows] = promised.find(([most]) => dimensions <= most) ?? promised[4];
  // Below 128 dimensions the links weigh more than the vectors.
  const bytes = Float32Array.BYTES_PER_ELEMENT * Math.max(dimensions, 128);
  return Math.max(rows, Math.floor(BATCH_BYTES / bytes));
}

/** Checks what `insertBatch` was given. */
export function planBatch(vectors: BatchVectors, config: BatchInsertConfig, dimensions: number): Plan {
  if (typeof config !== 'object' || config === null) throw invalidArgument('config', config, 'an object');
  const { validateDimensions = true, ids, mode = 'strict', onProgress, signal, workers = 'auto' } = config;
  const { [CONFIRM]: confirm } = config as { [CONFIRM]?: () => Promise<void> };
  if (typeof validateDimensions !== 'boolean') {
    throw invalidArgument('validateDimensions', validateDimensions, 'a boolean');
  }
  if (mode !== 'strict' && mode !== 'skip') throw invalidArgument('mode', mode, "'strict' or 'skip'");
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw invalidArgument('onProgress', onProgress, 'a function');
  }
  if (signal !== undefined && !isSignal(signal)) throw invalidArgument('signal', signal, 'an AbortSignal');
  if (workers !== 'auto' && !(Number.isInteger(workers) && workers >= 0 && workers <= MOST_HELPERS)) {
    throw invalidArgument('workers', workers, `'auto' or an integer from 0 to ${MOST_HELPERS}`);
  }
  const flat = plainFloats(vectors);
  const list = flat === undefined ? vectors : [];
  if (!isArray(list)) throw invalidArgument('vectors', vectors, 'a Float32Array or an array of vectors');
  const rows = flat === undefined ? lengthOf(list) : Math.ceil(flat.length / dimensions);
  if (flat !== undefined && flat.length % dimensions !== 0) {
    const details = { index: rows - 1, expected: dimensions, actual: flat.length % dimensions };
    const message = `row ${details.index} has ${details.actual} components, but the index has ${dimensions} dimensions`;
    throw new BatchInsertError('DIMENSION_MISMATCH', message, details);
  }
  const max = batchLimit(dimensions);
  if (rows > max) {
    const message = `${rows} rows do not fit: there is room for ${max}`;
    throw new BatchInsertError('CAPACITY_EXCEEDED', message, { current: rows, max });
  }
  return {
    flat,
    list,
    rows,
    dimensions,
    validate: validateDimensions,
    ids: ids === undefined ? undefined : copiedIds(ids, rows),
    mode,
    onProgress,
    signal,
    confirm,
    workers,
  };
}

/** How many threads help with a batch. */
export function helpersOf({ workers, rows, dimensions }: Plan): number {
  if (workers !== 'auto') return workers;
  const spare = (threads()?.cores ?? 1) - 1;
  return rows * (dimensions + 128) < WORK_WITH_HELPERS ? 0 : Math.min(spare, MOST_HELPERS_UNASKED);
}

/** Whether it is an `AbortSignal`, of whatever realm or library. */
function isSignal(value: unknown): boolean {
  const { aborted, addEventListener, removeEventListener } = (value ?? {}) as Partial<AbortSignal>;
  const listens = typeof addEventListener === 'function' && typeof removeEventListener === 'function';
  return typeof aborted === 'boolean' && listens;
}

/** Rejects with the reason when the signal is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw signal.reason;
}

function copiedIds(ids: ArrayLike<number>, rows: number): Float64Array {
  if (typeof ids !== 'object' || ids === null) throw invalidArgument('ids', ids, 'an array of integers');
  const length = lengthOf(ids);
  if (length !== rows) throw invalidArgument('ids.length', length, `${rows}, one for each row`);
  const copy = new Float64Array(rows);
  for (let place = 0; place < rows; place += 1) {
    const id = ids[place] as number;
    if (!Number.isSafeInteger(id) || id < 0) {
      throw invalidArgument(`ids[${place}]`, id, `an integer from 0 to ${Number.MAX_SAFE_INTEGER}`);
    }
    copy[place] = id;
  }
  return copy;
}

/** Whether a batch is copied before the call returns. */
export function isCopiedAtOnce({ rows, dimensions }: Plan): boolean {
  return rows * dimensions * Float32Array.BYTES_PER_ELEMENT <= COPY_AT_ONCE_BYTES;
}

/** The plan with rows of its own, which the caller may write over. */
export function withSnapshot(plan: Plan): Plan {
  const { flat, list, rows, dimensions } = plan;
  if (flat !== undefined) return { ...plan, flat: flat.slice() };
  const copies = new Float32Array(rows * dimensions);
  const copyOf = (place: number): unknown => {
    const length = copyRow(list[place], copies, place * dimensions, dimensions);
    return length === dimensions ? copies.subarray(place * dimensions, (place + 1) * dimensions) : { length };
  };
  return { ...plan, list: Array.from({ length: rows }, (_, place) => copyOf(place)) };
}

/** Sizes steps of work, and takes as many as make a slice. */
class Pace {
  #budget = LEAST_BUDGET;

  /** Does steps for a slice, or until one of them `ends` it. Other work may come after one that `changes`. */
  slice<T>(step: (budget: number) => T, ends: (outcome: T) => boolean, changes?: () => boolean): T {
    const start = performance.now();
    for (let before = start; ; ) {
      const outcome = translated(() => step(this.#budget));
      // A last step may be short, and says nothing about the next.
      if (ends(outcome)) return outcome;
      const now = performance.now();
      const taken = Math.max(now - before, STEP_MS / MOST_GROWTH);
      const next = Math.max(Math.round((this.#budget * STEP_MS) / taken), LEAST_BUDGET, this.#budget >> 2);
      this.#budget = changes?.() === true ? LEAST_BUDGET : Math.min(next, MOST_BUDGET);
      if (now - start + STEP_MS > SLICE_MS) return outcome;
      before = now;
    }
  }
}

/** What came of a batch, as the module says it. */
interface Report {
  inserted: number;
  ids: Float64Array;
  /** Lines of index, code and message, many to a string. */
  skipped: string[];
}

function skippedRows(lines: string): SkippedRow[] {
  return lines.split('\n').map((line) => {
    const [index, code, message] = line.split('\t') as [string, BatchErrorCode, string];
    return { index: Number(index), code, message };
  });
}

/** Runs a batch on an idle index. `raw` gives the index, and throws when it was closed; `crew` may help. */
export async function runBatch(raw: () => RawIndex, plan: Plan, crew?: Crew): Promise<BatchInsertResult> {
  const { onProgress, signal, rows: total } = plan;
  const pace = new Pace();
  const pause = async (done: number): Promise<void> => {
    onProgress?.({ done, total });
    await nextTask();
    throwIfAborted(signal);
    raw();
  };
  const start = performance.now();
  translated(() => raw().beginBatch(total, plan.ids, plan.mode, plan.validate));
  let report: Report;
  try {
    await copyRows(raw, plan, start, () => pause(0));
    for (let done = 0; ; ) {
      translated(() => crew?.tend(raw()));
      if (crew?.isBehind !== true) {
        const step = (distances: number): number => {
          const rows = raw().stepBatch(distances);
          crew?.tend(raw());
          return rows;
        };
        const ends = (rows: number): boolean => rows < 0 || raw().batchWaits;
        done = pace.slice(step, ends, () => raw().batchChanges);
        if (done < 0) break;
        if (raw().batchWaits) await crew?.heard();
      }
      // All rows are done only when nothing is left to do.
      await pause(Math.min(done, total - 1));
    }
    // Before the rows are in, because what is thrown here rejects the batch, and then none may be.
    onProgress?.({ done: total, total });
    if (plan.confirm !== undefined) await plan.confirm();
    throwIfAborted(signal);
    report = translated(() => raw().finishBatch()) as Report;
  } catch (error) {
    await settle(raw, pace);
    throw error;
  }
  await settle(raw, pace);
  const { inserted, ids, skipped } = report;
  return { inserted, total, ids: Array.from(ids), skipped: skipped.flatMap(skippedRows) };
}

/** Drops what is pending of a batch, and gives rows that `insert` was given meanwhile their place. */
async function settle(raw: () => RawIndex, pace: Pace): Promise<void> {
  try {
    raw().abortBatch();
    while (!pace.slice((distances) => raw().drainQueued(distances), Boolean)) await nextTask();
  } catch {
    // The index was closed, or is full: the next call says so. What came of the batch stands.
  }
}

/** Copies the rows, in slices of which the first began at `start`. */
async function copyRows(raw: () => RawIndex, plan: Plan, start: number, pause: () => Promise<void>): Promise<void> {
  const { flat, list, rows, dimensions } = plan;
  const portion = Math.max(1, Math.floor(COPY_BYTES / (dimensions * Float32Array.BYTES_PER_ELEMENT)));
  const atOnce = isCopiedAtOnce(plan);
  const scratch = new Float32Array(flat !== undefined ? 0 : Math.min(portion, rows) * dimensions);
  let sliceStart = start;
  for (let first = 0; first < rows; first += portion) {
    const end = Math.min(first + portion, rows);
    if (flat === undefined) {
      fillFromRows(raw, list, first, end, dimensions, scratch);
    } else if (flat.length === rows * dimensions) {
      translated(() => raw().fillBatch(flat.subarray(first * dimensions, end * dimensions)));
    } else {
      throw invalidArgument('vectors', 'a detached or shortened array', 'left alone until the promise settles');
    }
    // What is copied at once may take longer than a slice: the first slice of work does not come on top.
    const mayPause = !atOnce || end === rows;
    if (mayPause && performance.now() - sliceStart >= SLICE_MS) {
      await pause();
      sliceStart = performance.now();
    }
  }
}

/** Gathers rows and hands them over; a row of the wrong length is refused in its place. */
function fillFromRows(
  raw: () => RawIndex,
  rows: readonly unknown[],
  first: number,
  end: number,
  dimensions: number,
  scratch: Float32Array,
): void {
  let gathered = 0;
  const handOver = (): void => {
    if (gathered > 0) translated(() => raw().fillBatch(scratch.subarray(0, gathered * dimensions)));
    gathered = 0;
  };
  for (let place = first; place < end; place += 1) {
    const length = copyRow(rows[place], scratch, gathered * dimensions, dimensions);
    if (length === dimensions) {
      gathered += 1;
    } else {
      handOver();
      translated(() => raw().refuseRow(length));
    }
  }
  handOver();
}
