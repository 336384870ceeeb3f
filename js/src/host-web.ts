/** Starting the worker that has an index, in browsers. */

import { moduleUrls } from './loaders.js';
import { webThread } from './threads-web.js';
import type { Thread } from './threads.js';

/** Starts `entry/host.ts`. It is told where the modules lie: bundlers may have given them other names. */
export function startHost(): Thread {
  const host = webThread(new Worker(new URL('./assets/host.js', import.meta.url), { type: 'module' }));
  host.post(moduleUrls());
  return host;
}
