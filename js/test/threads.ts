/** Threads that the package starts, watched and tampered with. */

import { inNode, laterTask } from './environment.js';

/** A message between the package and a thread. */
export type Message = Record<string, unknown>;

/** A thread that was started. */
export interface Started {
  /** Messages that it was sent, and that it sent. */
  posted: Message[];
  heard: Message[];
  terminate(): unknown;
}

/** What is done to the threads of a test; each is called before what it changes. */
export interface Tampering {
  /** Throws where no thread can be started. */
  start?: () => void;
  /** Returns the message that is sent; undefined for none. */
  post?: (message: Message, thread: Started) => Message | undefined;
  /** Returns the message that is heard. */
  hear?: (message: Message, thread: Started) => Message;
}

type AnyWorker = (new (...given: never[]) => object) & { prototype: object };

/** Where the package finds the class of threads. */
async function place(): Promise<{ holder: { Worker: AnyWorker }; sync: () => void }> {
  if (!inNode) return { holder: globalThis as never, sync: () => {} };
  const { createRequire, syncBuiltinESMExports } = await import('node:module');
  return { holder: createRequire(import.meta.url)('node:worker_threads') as never, sync: syncBuiltinESMExports };
}

/** Runs `test` with the list of threads that are started meanwhile. */
export async function watching<T>(test: (started: Started[]) => Promise<T>, tampering: Tampering = {}): Promise<T> {
  const { holder, sync } = await place();
  const Real = holder.Worker as new (...given: never[]) => {
    postMessage(message: unknown, transfer: never): void;
    terminate(): unknown;
    addEventListener?(type: string, heard: (event: MessageEvent<Message>) => void): void;
    emit?(type: string, ...given: unknown[]): boolean;
  };
  const started: Started[] = [];
  const { start = () => {}, post = (message) => message, hear = (message) => message } = tampering;
  class Watched extends Real {
    readonly watched: Started;

    constructor(...given: never[]) {
      start();
      super(...given);
      this.watched = { posted: [], heard: [], terminate: () => this.terminate() };
      started.push(this.watched);
      // Runs before the handler of the package, because it was added before.
      this.addEventListener?.('message', (event) => {
        const message = this.#hears(event.data);
        if (message !== event.data) Object.defineProperty(event, 'data', { value: message });
      });
    }

    #hears(message: Message): Message {
      this.watched.heard.push(message);
      return hear(message, this.watched);
    }

    override emit(type: string, ...given: unknown[]): boolean {
      const heard = type === 'message' ? [this.#hears(given[0] as Message)] : given;
      return super.emit?.(type, ...heard) ?? false;
    }

    override postMessage(message: Message, transfer: never): void {
      this.watched.posted.push(message);
      const sent = post(message, this.watched);
      if (sent !== undefined) super.postMessage(sent, transfer);
    }
  }
  Object.assign(holder, { Worker: Watched });
  sync();
  try {
    return await test(started);
  } finally {
    Object.assign(holder, { Worker: Real });
    sync();
  }
}

/** Resolves when so many threads have said that they are ready. */
export async function ready(started: readonly Started[], count: number): Promise<void> {
  while (started.filter(({ heard }) => heard.length > 0).length < count) await laterTask();
}

/** Messages of a kind that the threads were sent. */
export function sent(started: readonly Started[], kind: string): number {
  return started.flatMap(({ posted }) => posted).filter((message) => message['kind'] === kind).length;
}

/** Units that the threads have answered. */
export function answers(started: readonly Started[]): number {
  return started.flatMap(({ heard }) => heard).filter((message) => message['answer'] !== undefined).length;
}
