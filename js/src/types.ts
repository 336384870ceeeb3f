/** Rows to insert or to search for, and what calls take and give. */

/** How far apart two vectors are; in every metric a smaller distance is nearer. */
export type Metric = 'l2' | 'cosine' | 'dot';

/** One vector: as many finite numbers as the index has dimensions. */
export type Vector = Float32Array | readonly number[];

/**
 * The rows of a batch: one `Float32Array` with row after row, whose length is a multiple of the
 * dimensions, or an array with one vector a row. Views on a `SharedArrayBuffer` work.
 */
export type BatchVectors = Float32Array | readonly (Float32Array | readonly number[])[];

/** What an index is created with. */
export interface EdgeVecOptions {
  /** Numbers in each vector, an integer from 1 to 16,384. */
  dimensions: number;
  /** How distances are computed. Default `'cosine'`, what text embeddings want. */
  metric?: Metric;
  /**
   * Links of a node in the graph, an integer from 2 to 256. Default 16. More find more of the true
   * neighbours and take 8 bytes a row each (`M` of Malkov & Yashunin 2016).
   */
  m?: number;
  /**
   * Candidates looked at when a row is linked, an integer from `m` to 1,048,576. Default 200. More
   * make a better graph, more slowly (`efConstruction` of Malkov & Yashunin 2016).
   */
  efConstruction?: number;
  /**
   * Where random choices start from, an integer from 0 to 2^53 − 1. Default 0. The same rows in the
   * same order with the same seed give the same index in every engine.
   */
  seed?: number;
}

/** How a search is done. */
export interface SearchOptions {
  /** How many rows to return, an integer of at least 1. Default 10. */
  k?: number;
  /**
   * Candidates kept during the search, an integer from 1 to 1,048,576; never fewer than `k` are.
   * Default 64. Larger finds more of the true neighbours and takes longer (`ef` of Malkov & Yashunin
   * 2016, algorithm 5).
   */
  ef?: number;
}

/** A row found. */
export interface Hit {
  /** The row's id. */
  id: number;
  /**
   * Smaller is nearer: squared Euclidean distance for `'l2'`, 1 − cosine similarity for `'cosine'`,
   * negative inner product for `'dot'`.
   */
  distance: number;
}

/** How a batch is inserted. */
export interface BatchInsertConfig {
  /**
   * Whether every row's length and numbers are checked before the work on the first row begins.
   * Default true. With false a bad row is found, and refused all the same, when its turn comes.
   */
  validateDimensions?: boolean;
  /** An id for each row: integers from 0 to 2^53 − 1. Default: the next free ones. */
  ids?: ArrayLike<number>;
  /**
   * `'strict'` (default): one bad row rejects the batch, and the index stays as it was. `'skip'`: bad
   * rows are left out and named in the result.
   */
  mode?: 'strict' | 'skip';
  /**
   * Called between slices of work, and with `done === total` right before the rows can be found. What it
   * throws aborts the batch and is what the promise rejects with.
   */
  onProgress?: (progress: BatchProgress) => void;
  /** Aborts the batch within one slice; the promise rejects with `signal.reason`. */
  signal?: AbortSignal;
  /**
   * How many threads help, an integer from 0 to 64; the result is the same. Default `'auto'`: one less than
   * the machine runs at once, at most 8, and none for a batch that is done before they have started. They
   * are Web Workers, or worker threads in Node, need no headers and no shared memory, and stay for the next
   * batches until the index is closed. Where none can be started the batch is done without.
   */
  workers?: 'auto' | number;
}

/** How far a batch is. */
export interface BatchProgress {
  /** Rows done: never falls, and is `total` once, when all the work is done. */
  done: number;
  /** Rows given. */
  total: number;
}

/** What came of a batch. */
export interface BatchInsertResult {
  /** Rows inserted; `inserted + skipped.length === total`. */
  inserted: number;
  /** Rows given. */
  total: number;
  /** The ids of the inserted rows, in the order of the input. */
  ids: number[];
  /** The rows left out in `'skip'` mode, in the order of the input; else empty. */
  skipped: SkippedRow[];
}

/** A row that was left out. */
export interface SkippedRow {
  /** Which row, counted from 0. */
  index: number;
  /** Why. */
  code: BatchErrorCode;
  /** Why, for people. */
  message: string;
}

/**
 * Why a batch is rejected:
 *
 * - `EMPTY_BATCH`: it has no rows;
 * - `DIMENSION_MISMATCH`: a row's length differs, or a flat array is no multiple of the dimensions;
 * - `DUPLICATE_ID`: an id is taken, or given twice in the batch;
 * - `INVALID_VECTOR`: NaN or ±Infinity, or a zero vector under cosine;
 * - `CAPACITY_EXCEEDED`: more rows than {@link EdgeVec.batchLimit}, or than memory holds;
 * - `INTERNAL_ERROR`: a broken invariant, never bad input.
 */
export type BatchErrorCode =
  | 'EMPTY_BATCH'
  | 'DIMENSION_MISMATCH'
  | 'DUPLICATE_ID'
  | 'INVALID_VECTOR'
  | 'CAPACITY_EXCEEDED'
  | 'INTERNAL_ERROR';

/** Every code an error of this package can have. */
export type ErrorCode = BatchErrorCode | 'INVALID_ARGUMENT' | 'CORRUPT' | 'CLOSED' | 'LOAD_FAILED';

/** What an error is about; which of these there are depends on its code. */
export interface ErrorDetails {
  /** Which row of the batch, counted from 0. */
  index?: number;
  /** The id that is taken. */
  id?: number;
  /** Dimensions of the index. */
  expected?: number;
  /** Numbers given. */
  actual?: number;
  /** What is wrong with the row or the bytes. */
  reason?: string;
  /** Rows asked for. */
  current?: number;
  /** Rows there is room for. */
  max?: number;
  /** The argument's name. */
  name?: string;
  /** The argument's value. */
  value?: string;
  /** What the argument may be. */
  limit?: string;
  /** Where in the bytes. */
  offset?: number;
  /** Which invariant is broken. */
  message?: string;
}
