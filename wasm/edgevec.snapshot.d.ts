/* tslint:disable */
/* eslint-disable */

/**
 * Does units of a batch that an index in another instance gave away.
 */
export class RawHelper {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * Adds the next parts, as `RawIndex.batchParts` writes them.
     *
     * # Errors
     *
     * `INVALID_ARGUMENT`, `CAPACITY_EXCEEDED`.
     */
    load(parts: Uint8Array): void;
    /**
     * Makes a helper for an index with these parameters.
     *
     * # Errors
     *
     * `INVALID_ARGUMENT`.
     */
    constructor(dimensions: number, metric: 'l2' | 'cosine' | 'dot', m: number);
    /**
     * Does units and returns the answer for `RawIndex.acceptUnits`.
     *
     * # Errors
     *
     * `INVALID_ARGUMENT`, `CAPACITY_EXCEEDED`.
     */
    work(units: Uint32Array): Uint32Array;
}

/**
 * A vector index, as the package sees it. Users see `EdgeVec`, which is made of it in `js/`.
 */
export class RawIndex {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * Drops the batch, if there is one: the index is as it was before it.
     */
    abortBatch(): void;
    /**
     * Takes in what a helper made of units. Returns false, and changes nothing, when nobody was given
     * these units (any more) or the answer is not sound.
     *
     * # Errors
     *
     * `INVALID_ARGUMENT`, and `CAPACITY_EXCEEDED`, which aborts the batch.
     */
    acceptUnits(answer: Uint32Array): boolean;
    /**
     * Writes the `count` parts from `first` on, or those that there are, for `RawHelper.load`. Returns how many
     * bytes they take: for each at most as many as a row has dimensions and 128, and for all 8.
     *
     * # Errors
     *
     * `INVALID_ARGUMENT`, also when `into` is too short; `CAPACITY_EXCEEDED`.
     */
    batchParts(first: number, count: number, into: Uint8Array): number;
    /**
     * Announces a batch of `rows` rows. `ids` is a `Float64Array` or `undefined`, `mode` is
     * `'strict'` or `'skip'`.
     *
     * # Errors
     *
     * `EMPTY_BATCH`, `CAPACITY_EXCEEDED`, `INVALID_ARGUMENT`.
     */
    beginBatch(rows: number, ids: Float64Array | undefined, mode: 'strict' | 'skip', validate: boolean): void;
    /**
     * Gives rows inserted during a batch their place, until about `budget` distances were computed.
     * Returns whether none is left.
     *
     * # Errors
     *
     * `CAPACITY_EXCEEDED`; rows without a place stay queued.
     */
    drainQueued(budget: number): boolean;
    /**
     * Takes the next rows of the batch from a `Float32Array` of whole rows. They are copied once, to
     * where they stay.
     *
     * # Errors
     *
     * `INVALID_ARGUMENT`, and what rejects the batch, which is then aborted.
     */
    fillBatch(rows: Float32Array): void;
    /**
     * Commits the batch: its rows are found from now on. Returns
     * `{ inserted, ids: Float64Array, skipped }`; `skipped` has strings of many lines
     * `index \t code \t message`.
     *
     * # Errors
     *
     * `INTERNAL_ERROR` when the batch is not ready.
     */
    finishBatch(): object;
    /**
     * The index that `toBytes` wrote.
     *
     * # Errors
     *
     * `CORRUPT`, `CAPACITY_EXCEEDED`, `INVALID_ARGUMENT`.
     */
    static fromBytes(bytes: Uint8Array): RawIndex;
    /**
     * A copy of the vector with this id, or `undefined`.
     *
     * # Errors
     *
     * `INVALID_ARGUMENT`.
     */
    get(id: number): Float32Array | undefined;
    /**
     * Units of the batch for `RawHelper.work`, some milliseconds of work; `undefined` while there are
     * none to give.
     *
     * # Errors
     *
     * `CAPACITY_EXCEEDED`; the units are then given to nobody until they are taken back.
     */
    giveUnits(): Uint32Array | undefined;
    /**
     * Whether a row has this id.
     *
     * # Errors
     *
     * `INVALID_ARGUMENT`.
     */
    has(id: number): boolean;
    /**
     * Inserts one `Float32Array` and returns its id: the one given, or the next free one.
     *
     * # Errors
     *
     * `DIMENSION_MISMATCH`, `INVALID_VECTOR`, `DUPLICATE_ID`, `CAPACITY_EXCEEDED`,
     * `INVALID_ARGUMENT`.
     */
    insert(vector: Float32Array, id: number | undefined): number;
    /**
     * Makes an empty index.
     *
     * # Errors
     *
     * `INVALID_ARGUMENT`.
     */
    constructor(dimensions: number, metric: 'l2' | 'cosine' | 'dot', m: number, ef_construction: number, seed: number);
    /**
     * Says that the next row of the batch has `length` components, which is the wrong number.
     *
     * # Errors
     *
     * `DIMENSION_MISMATCH` in strict mode; the batch is then aborted.
     */
    refuseRow(length: number): void;
    /**
     * Looks for the `k` rows nearest to a `Float32Array`, keeping `ef` candidates. Returns
     * `id, distance, id, distance, …`, nearest first.
     *
     * # Errors
     *
     * `DIMENSION_MISMATCH`, `INVALID_VECTOR`, `INVALID_ARGUMENT`, `CAPACITY_EXCEEDED`.
     */
    search(query: Float32Array, k: number, ef: number): Float64Array;
    /**
     * Works on the batch until about `budget` distances were computed. Returns the rows done, and
     * −1 − rows when the batch is ready to be finished.
     *
     * # Errors
     *
     * What rejects the batch, which is then aborted.
     */
    stepBatch(budget: number): number;
    /**
     * Takes back all units that were given and not answered.
     *
     * # Errors
     *
     * `INTERNAL_ERROR` when no batch is pending.
     */
    takeBackUnits(): void;
    /**
     * The index as bytes.
     *
     * # Errors
     *
     * `CAPACITY_EXCEEDED`.
     */
    toBytes(): Uint8Array;
    /**
     * Whether the next step is of another kind of work, which may take more time or less for each distance.
     */
    readonly batchChanges: boolean;
    /**
     * Whether the last step found nothing to do before helpers answer, or their units are taken back.
     */
    readonly batchWaits: boolean;
    /**
     * Components of each vector.
     */
    readonly dimensions: number;
    /**
     * Links of a node.
     */
    readonly m: number;
    /**
     * Bytes allocated for the index.
     */
    readonly memoryBytes: number;
    /**
     * `l2`, `cosine` or `dot`.
     */
    readonly metric: string;
    /**
     * Parts that helpers can be given: the codes of each row, those of the index included, then the sketch
     * of each where there are any. They become more while the batch goes on.
     */
    readonly sharedParts: number;
    /**
     * Rows that searches can find.
     */
    readonly size: number;
}

/**
 * The instructions that distances are computed with: `simd128` or `relaxed-simd`.
 */
export function backend(): string;

/**
 * Every code a batch can be rejected with.
 */
export function batchErrorCodes(): string[];

/**
 * The most rows one batch may have.
 *
 * # Errors
 *
 * `INVALID_ARGUMENT`.
 */
export function batchLimit(dimensions: number): number;

export type InitInput = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

export interface InitOutput {
    readonly memory: WebAssembly.Memory;
    readonly __wbg_rawhelper_free: (a: number, b: number) => void;
    readonly __wbg_rawindex_free: (a: number, b: number) => void;
    readonly backend: () => [number, number];
    readonly batchErrorCodes: () => [number, number];
    readonly batchLimit: (a: any) => [number, number, number];
    readonly rawhelper_load: (a: number, b: any) => [number, number];
    readonly rawhelper_new: (a: any, b: any, c: any) => [number, number, number];
    readonly rawhelper_work: (a: number, b: any) => [number, number, number];
    readonly rawindex_abortBatch: (a: number) => void;
    readonly rawindex_acceptUnits: (a: number, b: any) => [number, number, number];
    readonly rawindex_batchChanges: (a: number) => number;
    readonly rawindex_batchParts: (a: number, b: any, c: any, d: any) => [number, number, number];
    readonly rawindex_batchWaits: (a: number) => number;
    readonly rawindex_beginBatch: (a: number, b: any, c: any, d: any, e: any) => [number, number];
    readonly rawindex_dimensions: (a: number) => number;
    readonly rawindex_drainQueued: (a: number, b: any) => [number, number, number];
    readonly rawindex_fillBatch: (a: number, b: any) => [number, number];
    readonly rawindex_finishBatch: (a: number) => [number, number, number];
    readonly rawindex_fromBytes: (a: any) => [number, number, number];
    readonly rawindex_get: (a: number, b: any) => [number, number, number];
    readonly rawindex_giveUnits: (a: number) => [number, number, number];
    readonly rawindex_has: (a: number, b: any) => [number, number, number];
    readonly rawindex_insert: (a: number, b: any, c: any) => [number, number, number];
    readonly rawindex_m: (a: number) => number;
    readonly rawindex_memoryBytes: (a: number) => number;
    readonly rawindex_metric: (a: number) => [number, number];
    readonly rawindex_new: (a: any, b: any, c: any, d: any, e: any) => [number, number, number];
    readonly rawindex_refuseRow: (a: number, b: any) => [number, number];
    readonly rawindex_search: (a: number, b: any, c: any, d: any) => [number, number, number];
    readonly rawindex_sharedParts: (a: number) => number;
    readonly rawindex_size: (a: number) => number;
    readonly rawindex_stepBatch: (a: number, b: any) => [number, number, number];
    readonly rawindex_takeBackUnits: (a: number) => [number, number];
    readonly rawindex_toBytes: (a: number) => [number, number, number];
    readonly __wbindgen_malloc: (a: number, b: number) => number;
    readonly __wbindgen_realloc: (a: number, b: number, c: number, d: number) => number;
    readonly __wbindgen_free: (a: number, b: number, c: number) => void;
    readonly __wbindgen_exn_store: (a: number) => void;
    readonly __externref_table_alloc: () => number;
    readonly __wbindgen_externrefs: WebAssembly.Table;
    readonly __externref_drop_slice: (a: number, b: number) => void;
    readonly __externref_table_dealloc: (a: number) => void;
    readonly __wbindgen_start: () => void;
}

export type SyncInitInput = BufferSource | WebAssembly.Module;

/**
 * Instantiates the given `module`, which can either be bytes or
 * a precompiled `WebAssembly.Module`.
 *
 * @param {{ module: SyncInitInput }} module - Passing `SyncInitInput` directly is deprecated.
 *
 * @returns {InitOutput}
 */
export function initSync(module: { module: SyncInitInput } | SyncInitInput): InitOutput;

/**
 * If `module_or_path` is {RequestInfo} or {URL}, makes a request and
 * for everything else, calls `WebAssembly.instantiate` directly.
 *
 * @param {{ module_or_path: InitInput | Promise<InitInput> }} module_or_path - Passing `InitInput` directly is deprecated.
 *
 * @returns {Promise<InitOutput>}
 */
export default function __wbg_init (module_or_path: { module_or_path: InitInput | Promise<InitInput> } | InitInput | Promise<InitInput>): Promise<InitOutput>;
