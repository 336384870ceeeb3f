/**
 * The script of the Web Worker that has an index; `host-web.ts` starts it. It says of no way to start threads, so
 * its batches have no helpers: in Firefox 153 a worker that starts workers may stop for ever.
 */
import { setLoader } from '../engine.js';
import { EdgeVec } from '../index.js';
import { fetchModule, type ModuleUrls } from '../loaders.js';
import { webPort } from '../threads-web.js';
import { serve } from '../worker/host.js';

const port = webPort();
port.listen((urls: ModuleUrls) => {
  setLoader((build) => fetchModule(urls[build]), ['relaxed', 'simd128']);
  serve(port, EdgeVec);
});
