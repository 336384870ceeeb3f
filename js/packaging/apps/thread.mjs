// A worker thread that has an index, and threads of its own.
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { everything } from './everything.mjs';

if (isMainThread) {
  const thread = new Worker(new URL(import.meta.url));
  thread.on('message', (result) => console.log(JSON.stringify(result)));
} else {
  parentPort.postMessage(await everything());
}
