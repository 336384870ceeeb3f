/** The index in a Web Worker, for browsers, with a bundler or without. */
import { webThread } from '../threads-web.js';
import { setHost } from '../worker/index.js';

setHost(() => webThread(new Worker(new URL('./host.js', import.meta.url), { type: 'module' })));

export * from '../worker/index.js';
