/** Threads in Node, and in what is compatible with it: worker threads. */

import { Worker, parentPort, type Transferable } from 'node:worker_threads';
import type { Port, Thread } from './threads.js';

/** Starts a thread that runs the script at `url`. */
export function nodeThread(url: URL): Thread {
  // Options of the program, to run a text say, are not for the thread.
  const worker = new Worker(url, { execArgv: [] });
  worker.unref();
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer as Transferable[]),
    listen: (hear) => void worker.on('message', hear as (message: unknown) => void),
    onFailure: (fail) => {
      worker.on('error', fail);
      worker.on('messageerror', fail);
      worker.on('exit', (code) => fail(`the thread ended with ${code}`));
    },
    hold: (on) => (on ? worker.ref() : worker.unref()),
    end: () => void worker.terminate(),
  };
}

/** The side of the thread that runs this. */
export function nodePort(): Port {
  return {
    post: (message, transfer = []) => parentPort?.postMessage(message, transfer as Transferable[]),
    listen: (hear) => void parentPort?.on('message', hear as (message: unknown) => void),
  };
}
