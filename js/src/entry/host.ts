/**
 * The script of the Web Worker that has an index. It says of no way to start threads, so its batches have no
 * helpers: in Firefox 153 a worker that starts workers may stop for ever.
 */
import { setLoader } from '../engine.js';
import { EdgeVec } from '../index.js';
import { fetchModule } from '../loaders.js';
import { webPort } from '../threads-web.js';
import { serve } from '../worker/host.js';

setLoader(fetchModule, ['relaxed', 'simd128']);

serve(webPort(), EdgeVec);
