/** For browsers without a bundler: the module is fetched from beside this file. */
import { setLoader } from '../engine.js';
import { fetchModule } from '../loaders.js';
import { webCores, webThread } from '../threads-web.js';
import { setThreads } from '../threads.js';

setLoader(fetchModule, ['relaxed', 'simd128']);
setThreads({
  startHelper: () => webThread(new Worker(new URL('./helper.js', import.meta.url), { type: 'module' })),
  cores: webCores(),
});

export * from '../index.js';
