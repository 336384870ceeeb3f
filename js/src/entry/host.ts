/** The script of the worker that has an index. */
import { webPort } from '../threads-web.js';
import { serve } from '../worker/host.js';
import { EdgeVec } from './browser.js';

serve(webPort(), EdgeVec);
