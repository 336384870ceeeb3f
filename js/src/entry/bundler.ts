/** For bundlers: most know the `new URL` pattern, and put modules and workers beside the bundle. */
export * from './browser.js';
