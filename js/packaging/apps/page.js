// A page that uses the package in every way: in itself, with a thread that helps, and in a worker.
import { EdgeVec } from 'edgevec';
import { EdgeVec as InWorker } from 'edgevec/worker';
import { check, checkHelped } from './check.js';
import { heardOfWorkers } from './heard.js';
import { show } from './show.js';

async function everything() {
  const alone = await check(EdgeVec);
  const helped = await checkHelped(EdgeVec, heardOfWorkers());
  const worker = await check(InWorker);
  return { ...alone, rows: alone.rows + helped.rows + worker.rows, did: 'itself, helper, edgevec/worker' };
}

show(everything());
