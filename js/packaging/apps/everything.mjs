// Everything that a program can do with the package.
import { EventEmitter } from 'node:events';
import { Worker } from 'node:worker_threads';
import { EdgeVec } from 'edgevec';
import { EdgeVec as Inline } from 'edgevec/inline';
import { EdgeVec as InWorker } from 'edgevec/worker';
import { check, checkHelped } from './check.js';

/** A list that gets what threads say that are started from now on. */
function heardOfThreads() {
  const heard = [];
  const { emit } = EventEmitter.prototype;
  Worker.prototype.emit = function (type, ...given) {
    if (type === 'message') heard.push(given[0]);
    return emit.call(this, type, ...given);
  };
  return heard;
}

export async function everything() {
  const alone = await check(EdgeVec);
  const helped = await checkHelped(EdgeVec, heardOfThreads());
  const worker = await check(InWorker);
  const inline = await check(Inline);
  const rows = alone.rows + helped.rows + worker.rows + inline.rows;
  return { ...alone, rows, did: 'itself, helper, edgevec/worker, edgevec/inline' };
}
