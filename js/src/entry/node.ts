/** For Node: the module is read from the package's folder. */
import { availableParallelism } from 'node:os';
import { setLoader } from '../engine.js';
import { readModule } from '../loaders-node.js';
import { nodeThread } from '../threads-node.js';
import { setThreads } from '../threads.js';

setLoader(
  (build) => readModule(new URL(`../assets/edgevec_${build}.wasm`, import.meta.url)),
  ['relaxed', 'simd128'],
);
setThreads({
  startHelper: () => nodeThread(new URL('./helper-node.js', import.meta.url)),
  cores: availableParallelism(),
});

export * from '../index.js';
