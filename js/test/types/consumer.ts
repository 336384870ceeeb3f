// A program that uses every public type and call. It is compiled against the packed package, strictly; each
// `@ts-expect-error` is a wrong use that the compiler must refuse.
import {
  BatchInsertError,
  EdgeVec,
  EdgeVecError,
  type BatchErrorCode,
  type BatchInsertConfig,
  type BatchInsertResult,
  type BatchProgress,
  type BatchVectors,
  type EdgeVecOptions,
  type ErrorCode,
  type ErrorDetails,
  type Hit,
  type Metric,
  type SearchOptions,
  type SkippedRow,
  type Vector,
} from 'edgevec';
import { EdgeVec as Inline } from 'edgevec/inline';
import { BatchInsertError as WorkerError, EdgeVec as InWorker, type Hit as WorkerHit } from 'edgevec/worker';

/** Compiles only when `A` and `B` are the same type. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

// The types are what the documents say.
same<Metric, 'l2' | 'cosine' | 'dot'>(true);
same<Vector, Float32Array | readonly number[]>(true);
same<BatchVectors, Float32Array | readonly (Float32Array | readonly number[])[]>(true);
same<BatchProgress, { done: number; total: number }>(true);
same<BatchInsertResult, { inserted: number; total: number; ids: number[]; skipped: SkippedRow[] }>(true);
same<SkippedRow, { index: number; code: BatchErrorCode; message: string }>(true);
same<Hit, { id: number; distance: number }>(true);
type SixCodes =
  | 'EMPTY_BATCH'
  | 'DIMENSION_MISMATCH'
  | 'DUPLICATE_ID'
  | 'INVALID_VECTOR'
  | 'CAPACITY_EXCEEDED'
  | 'INTERNAL_ERROR';
same<BatchErrorCode, SixCodes>(true);
same<ErrorCode, BatchErrorCode | 'INVALID_ARGUMENT' | 'CORRUPT' | 'CLOSED' | 'LOAD_FAILED'>(true);

// Creating.
const least: EdgeVecOptions = { dimensions: 384 };
const all: EdgeVecOptions = { dimensions: 3, metric: 'l2', m: 16, efConstruction: 200, seed: 7 };
const index: EdgeVec = await EdgeVec.create(all);
const inline: Inline = await Inline.create(least);
same<typeof EdgeVec.backend, string | undefined>(true);
const limit: number = EdgeVec.batchLimit(index.dimensions);
// @ts-expect-error: an index has dimensions
await EdgeVec.create({});
// @ts-expect-error: and one of three metrics
await EdgeVec.create({ dimensions: 3, metric: 'hamming' });
// @ts-expect-error: options that are not there
await EdgeVec.create({ dimensions: 3, efSearch: 64 });
// @ts-expect-error: made by `create` only
new EdgeVec();
// @ts-expect-error: what is in use cannot be set
EdgeVec.backend = 'simd128';

// Batches.
const flat: Float32Array = new Float32Array(6);
const frozen: readonly (readonly number[])[] = [[1, 2, 3]];
const shared = new Float32Array(new SharedArrayBuffer(12));
const stop = new AbortController();
const config: BatchInsertConfig = {
  validateDimensions: false,
  ids: new Uint32Array([4, 5]),
  mode: 'skip',
  onProgress: ({ done, total }: BatchProgress) => console.log(done / total),
  signal: stop.signal,
  workers: 2,
};
const result: BatchInsertResult = await index.insertBatch(flat, config);
await index.insertBatch([flat.subarray(0, 3), [1, 2, 3]]);
await index.insertBatch(frozen, { ids: [9] as const });
await index.insertBatch(shared, { workers: 'auto' });
await index.insertBatch([] satisfies BatchVectors);
const ids: number[] = result.ids;
const skipped: SkippedRow | undefined = result.skipped[0];
// @ts-expect-error: a promise, not a result
const early: BatchInsertResult = index.insertBatch(flat);
// @ts-expect-error: numbers alone are no rows
await index.insertBatch([1, 2, 3]);
// @ts-expect-error: nor are doubles
await index.insertBatch(new Float64Array(3));
// @ts-expect-error: nor text
await index.insertBatch([['1', '2', '3']]);
// @ts-expect-error: a mode that is not there
await index.insertBatch(flat, { mode: 'atomic' });
// @ts-expect-error: ids are numbers
await index.insertBatch(flat, { ids: ['a', 'b'] });
// @ts-expect-error: and no bigints
await index.insertBatch(flat, { ids: [1n, 2n] });
// @ts-expect-error: options that are not there
await index.insertBatch(flat, { batchSize: 10 });
// @ts-expect-error: a number of workers, or 'auto'
await index.insertBatch(flat, { workers: 'all' });
// @ts-expect-error: a signal is needed, not its controller
await index.insertBatch(flat, { signal: stop });

// One row.
const row: Vector = [1, 2, 3];
const id: number = index.insert(row);
index.insert(flat.subarray(0, 3), 17);
// @ts-expect-error: an id is a number
index.insert(row, '17');
// @ts-expect-error: a row is not a batch
index.insert([row]);

// Searching and reading.
const options: SearchOptions = { k: 5, ef: 100 };
const hits: Hit[] = index.search(row, options);
const nearest: Hit | undefined = index.search(flat.subarray(0, 3))[0];
const copy: Float32Array | undefined = index.get(id);
const there: boolean = index.has(id);
const size: number = index.size;
const metric: Metric = index.metric;
// @ts-expect-error: `k` is in an object
index.search(row, 5);
// @ts-expect-error: it may be missing
index.get(id).length;
// @ts-expect-error: counted, not set
index.size = 3;

// Saving and loading.
const bytes: Uint8Array = index.toBytes();
const again: EdgeVec = await EdgeVec.fromBytes(bytes);
await EdgeVec.fromBytes(new ArrayBuffer(8));
// @ts-expect-error: bytes, not text
await EdgeVec.fromBytes('bytes');

// Errors.
try {
  await again.insertBatch([]);
} catch (error) {
  if (error instanceof BatchInsertError) {
    const code: BatchErrorCode = error.code;
    const { index: place, id: taken, expected, actual, reason, current, max }: ErrorDetails = error.details ?? {};
    console.log(code, place, taken, expected, actual, reason, current, max, error.message, error.name);
    // @ts-expect-error: a code that no batch has
    if (error.code === 'CLOSED') console.log();
    // @ts-expect-error: what happened cannot be changed
    error.code = 'EMPTY_BATCH';
  } else if (EdgeVecError.is(error)) {
    const code: ErrorCode = error.code;
    const { name, value, limit: allowed, offset, message }: ErrorDetails = error.details ?? {};
    console.log(code, name, value, allowed, offset, message);
    // @ts-expect-error: a code that no error has
    if (error.code === 'NOT_FOUND') console.log();
  }
}
const asBase: EdgeVecError = new BatchInsertError('EMPTY_BATCH', 'the batch is empty');
// @ts-expect-error: a code that no batch has
new BatchInsertError('CLOSED', 'the index was closed');

/** Every code of a batch has an answer; a seventh would not compile. */
function answer(code: BatchErrorCode): string {
  switch (code) {
    case 'EMPTY_BATCH':
      return 'give rows';
    case 'DIMENSION_MISMATCH':
    case 'INVALID_VECTOR':
      return 'look at the row';
    case 'DUPLICATE_ID':
      return 'choose another id';
    case 'CAPACITY_EXCEEDED':
      return 'give less';
    case 'INTERNAL_ERROR':
      return 'report a bug';
    default:
      return code satisfies never;
  }
}

// In a worker: the same, as promises.
const away: InWorker = await InWorker.create(all);
const awayResult: BatchInsertResult = await away.insertBatch(flat, config);
const awayHits: WorkerHit[] = await away.search(row, options);
same<typeof awayHits, Hit[]>(true);
const awayId: number = await away.insert(row, 17);
const awayCopy: Float32Array | undefined = await away.get(awayId);
const awayThere: boolean = await away.has(awayId);
const awaySize: number = await away.size;
const awayMetric: Metric = away.metric;
const loaded: InWorker = await InWorker.fromBytes(await away.toBytes());
same<typeof WorkerError, typeof BatchInsertError>(true);
same<typeof InWorker.backend, string | undefined>(true);
// @ts-expect-error: a promise, not hits
const tooEarly: Hit[] = away.search(row);
// @ts-expect-error: made by `create` only
new InWorker();
away[Symbol.dispose]();
loaded.close();
console.log(InWorker.batchLimit(away.dimensions), awayResult, awayCopy, awayThere, awaySize, awayMetric, tooEarly);

// Closing, also at the end of a block.
{
  using scoped = await EdgeVec.create(least);
  scoped.insert(new Float32Array(384));
}
index[Symbol.dispose]();
again.close();
inline.close();
console.log(limit, ids, skipped, early, hits, nearest, copy, there, size, metric, asBase, answer('EMPTY_BATCH'));
