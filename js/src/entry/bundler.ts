/** For bundlers: they know the `new URL` pattern, and put the modules beside the bundle. */
import { setLoader } from '../engine.js';
import { fetchModule } from '../loaders.js';

const urls = {
  simd128: new URL('../wasm/edgevec_simd128.wasm', import.meta.url),
  relaxed: new URL('../wasm/edgevec_relaxed.wasm', import.meta.url),
};
setLoader((build) => fetchModule(urls[build]), ['relaxed', 'simd128']);

export * from '../index.js';
