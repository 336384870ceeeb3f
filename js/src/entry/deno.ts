/** For Deno: the module is read from beside this file. */
import { setLoader } from '../engine.js';
import { readModule } from '../loaders.js';

setLoader(
  (build) => readModule(new URL(`../wasm/edgevec_${build}.wasm`, import.meta.url)),
  ['relaxed', 'simd128'],
);

export * from '../index.js';
