// The same package, told `cosine`.
export { default, download } from './edgevec-registry.mjs';
export const about = { name: "edgevec of the registry, 'cosine'", package: 'edgevec-registry', runs: 'WebAssembly' };
export const ways = ['insert'];
export const metrics = ['cosine'];
