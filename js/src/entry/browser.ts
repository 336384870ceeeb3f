/** For browsers without a bundler: the module is fetched from beside this package's scripts. */
import { setLoader } from '../engine.js';
import { fetchModule, moduleUrls } from '../loaders.js';
import { startHelper, webCores } from '../threads-web.js';
import { setThreads } from '../threads.js';

setLoader((build) => fetchModule(moduleUrls()[build]), ['relaxed', 'simd128']);
setThreads({ startHelper, cores: webCores() });

export * from '../index.js';
