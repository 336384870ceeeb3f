/** For Bun: as in Node. */
export * from './node.js';
