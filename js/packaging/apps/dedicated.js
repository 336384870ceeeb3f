// A worker of the page's own that has an index, with a thread that helps.
import { EdgeVec } from 'edgevec';
import { checkHelped } from './check.js';
import { heardOfWorkers } from './heard.js';

checkHelped(EdgeVec, heardOfWorkers()).then(
  (result) => postMessage({ ...result, did: 'itself, helper' }),
  (error) => postMessage({ error: String(error) }),
);
