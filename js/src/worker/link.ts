/** The page's side of the worker: calls, and what comes of them. */

import { isCopiedAtOnce, throwIfAborted, type Plan } from '../batch.js';
import { EdgeVecError, invalidArgument } from '../errors.js';
import type { Thread } from '../threads.js';
import { copyRow } from '../typed.js';
import type { BatchInsertResult, BatchProgress } from '../types.js';
import { nextTask } from '../yield.js';
import { revived, type Piece, type Reply, type Request } from './messages.js';

/** Bytes of rows copied and sent before the page may do something else. */
const PIECE_BYTES = 4 << 20;

/** A call that was not answered. */
interface Pending {
  resolve(value: unknown): void;
  reject(reason: unknown): void;
  /** Told how far a batch is. */
  report?(progress: BatchProgress): void;
  /** What it rejects with when the worker says that it was stopped. */
  reason?(): unknown;
}

/** A worker that has an index. */
export class Link {
  readonly #thread: Thread;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  /** Why nothing can be asked any more. */
  #end: EdgeVecError | undefined;
  /** Called when the last call is answered, where nobody can make another. */
  #forgotten: (() => void) | undefined;
  /** Settles when the rows of a large batch are sent; what is asked meanwhile waits for its turn. */
  #sending: Promise<void> | undefined;

  constructor(thread: Thread) {
    this.#thread = thread;
    thread.listen((reply: Reply) => this.#hear(reply));
    thread.onFailure((reason) => {
      const message = `the worker failed: ${reason instanceof Error ? reason.message : String(reason)}`;
      this.end(new EdgeVecError('INTERNAL_ERROR', message, { message }));
    });
  }

  /** Ends the worker; what was asked and all that will be rejects with `error`. */
  end(error: EdgeVecError): void {
    if (this.#end !== undefined) return;
    this.#end = error;
    this.#thread.end();
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }

  /** Ends the worker when all is answered: nobody can ask it any more. */
  forget(error: EdgeVecError): void {
    this.#forgotten = () => this.end(error);
    if (this.#pending.size === 0) this.#forgotten();
  }

  /** Throws when nothing can be asked any more. */
  check(): void {
    if (this.#end !== undefined) throw this.#end;
  }

  /** Calls a method of the worker. */
  async call(call: string, given: unknown[], transfer: ArrayBufferLike[] = []): Promise<unknown> {
    while (this.#sending !== undefined) await this.#sending;
    this.check();
    const id = this.#nextId();
    return this.#answer(id, () => this.#post({ id, call, given }, transfer));
  }

  /** Inserts a batch whose configuration was checked. */
  async batch(plan: Plan): Promise<BatchInsertResult> {
    while (this.#sending !== undefined) await this.#sending;
    this.check();
    throwIfAborted(plan.signal);
    const { signal, onProgress } = plan;
    const id = this.#nextId();
    let thrown: { error: unknown } | undefined;
    let isStopped = false;
    const stop = (): void => {
      if (isStopped) return;
      isStopped = true;
      if (this.#pending.has(id)) this.#post({ id, stop: true });
    };
    const report = (progress: BatchProgress): void => {
      try {
        if (!isStopped) onProgress?.(progress);
      } catch (error) {
        thrown = { error };
        stop();
      }
      if (signal?.aborted === true) stop(); // one of another library may have told nobody
      if (!isStopped && progress.done === progress.total) this.#post({ id, stop: false });
    };
    const reason = (): unknown => (thrown === undefined ? signal?.reason : thrown.error);
    signal?.addEventListener('abort', stop);
    try {
      const send = (): void => this.#sendBatch(id, plan, () => isStopped);
      return (await this.#answer(id, send, { report, reason })) as BatchInsertResult;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  /** What the worker answers to what `send` sends. */
  #answer(id: number, send: () => void, hooks: Pick<Pending, 'report' | 'reason'> = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject, ...hooks });
      this.#thread.hold(true);
      try {
        send();
      } catch (error) {
        this.#settle(id);
        reject(error);
      }
    });
  }

  #post(request: Request, transfer: ArrayBufferLike[] = []): void {
    if (this.#end === undefined) this.#thread.post(request, transfer);
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (this.#pending.size === 0) {
      this.#thread.hold(false);
      this.#forgotten?.();
    }
    return pending;
  }

  #hear(reply: Reply): void {
    if ('progress' in reply) return this.#pending.get(reply.id)?.report?.(reply.progress);
    const pending = this.#settle(reply.id);
    if ('value' in reply) pending?.resolve(reply.value);
    else if ('error' in reply) pending?.reject(revived(reply.error));
    else pending?.reject(pending.reason?.());
  }

  /** Announces a batch and sends its rows: at once, or piece by piece. */
  #sendBatch(id: number, plan: Plan, isStopped: () => boolean): void {
    const { rows, dimensions, validate, mode, workers, ids, signal, onProgress } = plan;
    const sends = (first: number, end: number): void => {
      const piece = pieceOf(plan, first, end);
      this.#post({ id, ...piece }, [piece.floats.buffer]);
    };
    const config = { validateDimensions: validate, mode, workers, ...(ids && { ids }) };
    const reports = onProgress !== undefined || signal !== undefined;
    const batch = { rows, dimensions, config, reports };
    if (isCopiedAtOnce(plan)) {
      const piece = pieceOf(plan, 0, rows);
      this.#post({ id, batch }, ids && [ids.buffer]);
      return this.#post({ id, ...piece }, [piece.floats.buffer]);
    }
    this.#post({ id, batch }, ids && [ids.buffer]);
    const portion = Math.max(1, Math.floor(PIECE_BYTES / (dimensions * Float32Array.BYTES_PER_ELEMENT)));
    const all = async (): Promise<void> => {
      for (let first = 0; first < rows && !isStopped() && this.#pending.has(id); first += portion) {
        sends(first, Math.min(first + portion, rows));
        await nextTask();
      }
    };
    const sent = all().catch((error: unknown) => {
      this.#post({ id, stop: true });
      this.#settle(id)?.reject(error);
    });
    this.#sending = sent.finally(() => (this.#sending = undefined));
  }
}

/** Copies of some rows, so that they can be given away. */
function pieceOf({ flat, list, rows, dimensions }: Plan, first: number, end: number): Piece {
  if (flat !== undefined) {
    if (flat.length !== rows * dimensions) {
      throw invalidArgument('vectors', 'a detached or shortened array', 'left alone until the promise settles');
    }
    return { floats: new Float32Array(flat.subarray(first * dimensions, end * dimensions)), wrong: [] };
  }
  const floats = new Float32Array((end - first) * dimensions);
  const wrong: [number, number][] = [];
  for (let row = 0; row < end - first; row += 1) {
    const length = copyRow(list[first + row], floats, row * dimensions, dimensions);
    if (length !== dimensions) wrong.push([row, length]);
  }
  return { floats, wrong };
}
