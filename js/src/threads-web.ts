/** Threads in browsers: Web Workers. */

import type { Port, Thread } from './threads.js';

/** A worker as a thread. */
export function webThread(worker: Worker): Thread {
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer as Transferable[]),
    listen: (hear) => {
      worker.onmessage = ({ data }) => hear(data as never);
    },
    onFailure: (fail) => {
      worker.onerror = (event) => {
        event.preventDefault?.(); // it is dealt with here, and no error of the page
        fail(event.message ?? 'the worker could not be started');
      };
      worker.onmessageerror = () => fail('a message could not be read');
    },
    hold: () => {}, // a page does not end
    end: () => worker.terminate(),
  };
}

/** Starts `entry/helper.ts`. */
export function startHelper(): Thread {
  return webThread(new Worker(new URL('./assets/helper.js', import.meta.url), { type: 'module' }));
}

/** The side of the worker that runs this. */
export function webPort(): Port {
  return {
    post: (message, transfer = []) => postMessage(message, { transfer: transfer as Transferable[] }),
    listen: (hear) => {
      globalThis.onmessage = ({ data }) => hear(data as never);
    },
  };
}

/** Threads that run at once. */
export function webCores(): number {
  return (globalThis as { navigator?: Navigator }).navigator?.hardwareConcurrency ?? 1;
}
