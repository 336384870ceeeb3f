// A service worker that has an index. It can start no threads: a batch that wants some does without.
import { EdgeVec } from 'edgevec';
import { check } from './check.js';

self.onmessage = ({ source }) => {
  check(EdgeVec, { workers: 1 }).then(
    (result) => source.postMessage({ ...result, did: 'itself' }),
    (error) => source.postMessage({ error: String(error) }),
  );
};
