/**
 * A batch, driven between the frames of a page.
 *
 * The core works in steps whose size is a number of distance computations; here each step is timed, the
 * next one sized, and the thread given back in between.
 */

import { BatchInsertError, EdgeVecError, invalidArgument, translated } from './errors.js';
import type { BatchInsertConfig, BatchInsertResult, BatchProgress, BatchVectors } from './types.js';
import type { RawIndex } from './wasm/edgevec.js';
import { nextTask } from './yield.js';

/** What a slice of work aims to take: well below a frame, with room for what the page does. */
const SLICE_MS = 5;
/** Distances of the first step; the engine has not compiled its best code yet. */
const FIRST_BUDGET = 2000;
const LEAST_BUDGET = 200;
const MOST_BUDGET = 50_000_000;
/** Batches up to this size are copied before the call returns. */
export const COPY_AT_ONCE_BYTES = 32 << 20;
/** Bytes handed over in one call while copying. */
const COPY_BYTES = 1 << 20;

/** A batch whose configuration was checked. */
export interface Plan {
  vectors: BatchVectors;
  rows: number;
  dimensions: number;
  validate: boolean;
  ids: Float64Array | undefined;
  mode: 'strict' | 'skip';
  onProgress: ((progress: BatchProgress) => void) | undefined;
  signal: AbortSignal | undefined;
}

/** Checks what `insertBatch` was given. */
export function planBatch(vectors: BatchVectors, config: BatchInsertConfig, dimensions: number): Plan {
  if (typeof config !== 'object' || config === null) throw invalidArgument('config', config, 'an object');
  const { validateDimensions = true, ids, mode = 'strict', onProgress, signal } = config;
  if (typeof validateDimensions !== 'boolean') {
    throw invalidArgument('validateDimensions', validateDimensions, 'a boolean');
  }
  if (mode !== 'strict' && mode !== 'skip') throw invalidArgument('mode', mode, "'strict' or 'skip'");
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw invalidArgument('onProgress', onProgress, 'a function');
  }
  if (signal !== undefined && typeof (signal as { aborted?: unknown } | null)?.aborted !== 'boolean') {
    throw invalidArgument('signal', signal, 'an AbortSignal');
  }
  const flat = asFloat32Array(vectors);
  const given = flat ?? vectors;
  if (!Array.isArray(given) && flat === undefined) {
    throw invalidArgument('vectors', vectors, 'a Float32Array or an array of vectors');
  }
  const rows = flat === undefined ? given.length : Math.ceil(flat.length / dimensions);
  if (flat !== undefined && flat.length % dimensions !== 0) {
    const details = { index: rows - 1, expected: dimensions, actual: flat.length % dimensions };
    const message = `row ${details.index} has ${details.actual} components, but the index has ${dimensions} dimensions`;
    throw new BatchInsertError('DIMENSION_MISMATCH', message, details);
  }
  return {
    vectors: given,
    rows,
    dimensions,
    validate: validateDimensions,
    ids: ids === undefined ? undefined : copiedIds(ids),
    mode,
    onProgress,
    signal,
  };
}

function copiedIds(ids: ArrayLike<number>): Float64Array {
  try {
    if (typeof ids === 'object' && ids !== null && Number.isInteger(ids.length)) return Float64Array.from(ids);
  } catch {
    // What cannot be a number is named below.
  }
  throw invalidArgument('ids', ids, 'an array of integers');
}

/** A `Float32Array` of whatever realm as one of this realm; anything else is undefined. */
export function asFloat32Array(value: unknown): Float32Array | undefined {
  if (value instanceof Float32Array) return value;
  if (!ArrayBuffer.isView(value) || Object.prototype.toString.call(value) !== '[object Float32Array]') return undefined;
  const view = value as Float32Array;
  return new Float32Array(view.buffer, view.byteOffset, view.length);
}

/** Bytes that the rows of a plan take. */
export function planBytes(plan: Plan): number {
  return plan.rows * plan.dimensions * Float32Array.BYTES_PER_ELEMENT;
}

/** The plan with rows of its own, which the caller may write over. */
export function withSnapshot(plan: Plan): Plan {
  const { vectors } = plan;
  if (vectors instanceof Float32Array) return { ...plan, vectors: vectors.slice() };
  return { ...plan, vectors: vectors.map((row) => (isList(row) ? Array.prototype.slice.call(row) : row)) };
}

/** Runs a batch on an idle index. `raw` gives the index, and throws when it was closed. */
export async function runBatch(raw: () => RawIndex, plan: Plan): Promise<BatchInsertResult> {
  const { onProgress, signal, rows: total } = plan;
  translated(() => raw().beginBatch(total, plan.ids, plan.mode, plan.validate));
  let pending = true;
  const goOn = async (): Promise<void> => {
    await nextTask();
    signal?.throwIfAborted();
    raw();
  };
  try {
    await copyRows(raw, plan, goOn);
    let budget = FIRST_BUDGET;
    const timed = <T>(work: (budget: number) => T): T => {
      const start = performance.now();
      const outcome = work(budget);
      const taken = Math.max(performance.now() - start, SLICE_MS / 4);
      budget = Math.min(Math.max(Math.round((budget * SLICE_MS) / taken), LEAST_BUDGET, budget >> 2), MOST_BUDGET);
      return outcome;
    };
    for (;;) {
      const done = translated(() => timed((distances) => raw().stepBatch(distances)));
      if (done < 0) break;
      // All rows are done only when they are in.
      onProgress?.({ done: Math.min(done, total - 1), total });
      await goOn();
    }
    const report = translated(() => raw().finishBatch()) as Omit<BatchInsertResult, 'ids'> & { ids: Float64Array };
    pending = false;
    // Rows that `insert` was given meanwhile come right behind the batch.
    while (!translated(() => timed((distances) => raw().drainQueued(distances)))) await nextTask();
    const result = { ...report, ids: Array.from(report.ids) };
    onProgress?.({ done: total, total });
    return result;
  } catch (error) {
    if (pending && !(EdgeVecError.is(error) && error.code === 'CLOSED')) {
      await settle(raw);
    }
    throw error;
  }
}

/** Aborts, and gives rows that `insert` was given meanwhile their place. */
async function settle(raw: () => RawIndex): Promise<void> {
  try {
    raw().abortBatch();
    while (!raw().drainQueued(FIRST_BUDGET)) await nextTask();
  } catch {
    // The index was closed, or is full; the error that led here says more.
  }
}

async function copyRows(raw: () => RawIndex, plan: Plan, goOn: () => Promise<void>): Promise<void> {
  const { vectors, rows, dimensions } = plan;
  const portion = Math.max(1, Math.floor(COPY_BYTES / (dimensions * Float32Array.BYTES_PER_ELEMENT)));
  const atOnce = planBytes(plan) <= COPY_AT_ONCE_BYTES;
  const scratch = vectors instanceof Float32Array ? undefined : new Float32Array(Math.min(portion, rows) * dimensions);
  let start = performance.now();
  for (let first = 0; first < rows; first += portion) {
    const end = Math.min(first + portion, rows);
    if (scratch === undefined) {
      const part = (vectors as Float32Array).subarray(first * dimensions, end * dimensions);
      if (part.length !== (end - first) * dimensions) {
        throw invalidArgument('vectors', 'a detached or shortened array', 'left alone until the promise settles');
      }
      translated(() => raw().fillBatch(part));
    } else {
      fillFromRows(raw, vectors as readonly unknown[], first, end, dimensions, scratch);
    }
    if (!atOnce && performance.now() - start >= SLICE_MS) {
      await goOn();
      start = performance.now();
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
    const row = rows[place];
    const length = isList(row) ? row.length : 0;
    if (length === dimensions) {
      gather(row as ArrayLike<number>, scratch.subarray(gathered * dimensions, (gathered + 1) * dimensions));
      gathered += 1;
    } else {
      handOver();
      translated(() => raw().refuseRow(Number.isInteger(length) && length >= 0 ? length : 0));
    }
  }
  handOver();
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return typeof value === 'object' && value !== null && 'length' in value;
}

/** Copies a row of numbers; what is no number becomes NaN and is refused as such. */
export function gather(row: ArrayLike<unknown>, target: Float32Array): void {
  if (row instanceof Float32Array) {
    target.set(row);
    return;
  }
  for (let i = 0; i < target.length; i += 1) {
    const value = row[i];
    target[i] = typeof value === 'number' ? value : NaN;
  }
}
