/** The index in a Web Worker, for browsers, with a bundler or without. */
import { startHost } from '../host-web.js';
import { setHost } from '../worker/index.js';

setHost(startHost);

export * from '../worker/index.js';
