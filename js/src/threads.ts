/** Threads that run a script of this package: how they are started is chosen in `entry/`. */

/** What both sides of a thread can do. */
export interface Port {
  /** Sends a message; the buffers of `transfer` go with it instead of being copied. */
  post(message: object, transfer?: readonly ArrayBufferLike[]): void;
  /** Says who hears what the other side sends. */
  listen(hear: (message: never) => void): void;
}

/** A thread, from the side that started it. */
export interface Thread extends Port {
  /** Says who is told when it fails, as far as anybody is: a thread may also just be silent. */
  onFailure(fail: (reason: unknown) => void): void;
  /** Whether it keeps the program from ending. */
  hold(on: boolean): void;
  end(): void;
}

/** The threads that a host has. */
export interface Threads {
  /** Starts `helper.ts`. */
  startHelper(): Thread;
  /** Threads that run at once. */
  cores: number;
}

let available: Threads | undefined;

/** Says how threads are started. Called by the entry files; the first one counts. */
export function setThreads(threads: Threads): void {
  available ??= threads;
}

/** How threads are started; undefined where none can be. */
export function threads(): Threads | undefined {
  return available;
}
