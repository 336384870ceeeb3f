/** For bundlers: they know the `new URL` pattern, and put the modules beside the bundle. */
import { setLoader } from '../engine.js';
import { fetchModule } from '../loaders.js';
import { webCores, webThread } from '../threads-web.js';
import { setThreads } from '../threads.js';

const urls = {
  simd128: new URL('../wasm/edgevec_simd128.wasm', import.meta.url),
  relaxed: new URL('../wasm/edgevec_relaxed.wasm', import.meta.url),
};
setLoader((build) => fetchModule(urls[build]), ['relaxed', 'simd128']);
setThreads({
  startHelper: () => webThread(new Worker(new URL('./helper.js', import.meta.url), { type: 'module' })),
  cores: webCores(),
});

export * from '../index.js';
