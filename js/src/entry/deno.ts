/** For Deno: as in Node. */
export * from './node.js';
