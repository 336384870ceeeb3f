/** The worker's side: it has one index, and does with it what the page asks for. */

import { CONFIRM } from '../batch.js';
import type { EdgeVec } from '../index.js';
import type { Port } from '../threads.js';
import type { BatchInsertConfig, BatchInsertResult, BatchProgress, BatchVectors, Vector } from '../types.js';
import { described, type BatchRequest, type Piece, type Reply, type Request } from './messages.js';

/** What a stopped batch rejects with here; the page knows the reason. */
const STOPPED = Symbol('stopped');

/** A batch, from when it is announced. */
class Incoming {
  readonly #request: BatchRequest;
  readonly #pieces: Piece[] = [];
  readonly #stop = new AbortController();
  #rows = 0;
  #decide: (goesOn: boolean) => void = () => {};
  /** Whether rows are still to come. */
  isOpen = true;

  constructor(request: BatchRequest) {
    this.#request = request;
  }

  /** Takes the next rows; true when all are there. */
  add({ floats, wrong }: Piece): boolean {
    this.#pieces.push({ floats, wrong });
    this.#rows += floats.length / this.#request.dimensions;
    this.isOpen = this.#rows < this.#request.rows;
    return !this.isOpen;
  }

  /** Stops the batch, or lets it go on when it has asked. */
  decide(stop: boolean): void {
    if (stop) this.#stop.abort(STOPPED);
    this.#decide(!stop);
  }

  /** Inserts the rows. */
  insert(index: EdgeVec, report: (progress: BatchProgress) => void): Promise<BatchInsertResult> {
    const confirm = (): Promise<void> =>
      new Promise((resolve, reject) => {
        this.#decide = (goesOn) => (goesOn ? resolve() : reject(STOPPED));
      });
    const config: BatchInsertConfig = { ...this.#request.config, signal: this.#stop.signal };
    if (this.#request.reports) Object.assign(config, { onProgress: report, [CONFIRM]: confirm });
    return index.insertBatch(this.#vectors(), config);
  }

  #vectors(): BatchVectors {
    const [first, ...others] = this.#pieces;
    if (first === undefined) return [];
    if (others.length === 0 && first.wrong.length === 0) return first.floats;
    const { dimensions } = this.#request;
    return this.#pieces.flatMap(({ floats, wrong }) => {
      const count = floats.length / dimensions;
      const rows: ArrayLike<number>[] = Array.from({ length: count }, (_, row) =>
        floats.subarray(row * dimensions, (row + 1) * dimensions),
      );
      for (const [row, length] of wrong) rows[row] = { length };
      return rows as Float32Array[];
    });
  }
}

/** Serves an index of the class that this worker has. */
export function serve(port: Port, Local: typeof EdgeVec): void {
  let index: EdgeVec;
  const batches = new Map<number, Incoming>();
  const adopt = (made: EdgeVec): object => {
    index = made;
    return { dimensions: made.dimensions, metric: made.metric, backend: Local.backend };
  };
  const calls: Record<string, (...given: never[]) => unknown> = {
    create: async (...given: Parameters<typeof EdgeVec.create>) => adopt(await Local.create(...given)),
    fromBytes: async (bytes: Uint8Array) => adopt(await Local.fromBytes(bytes)),
    size: () => index.size,
    insert: (vector: Vector, id?: number) => index.insert(vector, id),
    search: (...given: Parameters<EdgeVec['search']>) => index.search(...given),
    get: (id: number) => index.get(id),
    has: (id: number) => index.has(id),
    toBytes: () => index.toBytes(),
  };
  const say = (reply: Reply, transfer: ArrayBufferLike[] = []): void => port.post(reply, transfer);
  const answer = async (id: number, call: () => unknown): Promise<void> => {
    try {
      const value = await call();
      say({ id, value }, ArrayBuffer.isView(value) ? [value.buffer] : []);
    } catch (error) {
      say(error === STOPPED ? { id, stopped: true } : { id, error: described(error) });
    }
  };
  port.listen((request: Request) => {
    const { id } = request;
    if ('call' in request) return void answer(id, () => calls[request.call]?.(...(request.given as never[])));
    if ('batch' in request) return void batches.set(id, new Incoming(request.batch));
    const batch = batches.get(id);
    if (batch === undefined) return;
    if ('stop' in request) {
      batch.decide(request.stop);
      if (!batch.isOpen) return;
      batches.delete(id);
      return say({ id, stopped: true });
    }
    if (!batch.add(request)) return;
    const inserted = answer(id, () => batch.insert(index, (progress) => say({ id, progress })));
    void inserted.then(() => batches.delete(id));
  });
}
