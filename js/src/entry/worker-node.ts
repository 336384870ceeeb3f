/** The index in a worker thread of Node, and of what is compatible with it. */
import { nodeThread } from '../threads-node.js';
import { setHost } from '../worker/index.js';

setHost(() => nodeThread(new URL('./host-node.js', import.meta.url)));

export * from '../worker/index.js';
