// The same package, told `cosine`.
import { library } from './edgevec-registry.mjs';

export { download } from './edgevec-registry.mjs';
export const about = { name: "edgevec of the registry, 'cosine'", package: 'edgevec-registry', runs: 'WebAssembly' };
export const ways = ['insert'];
export const metrics = ['cosine'];

export default () => library((data) => ({ data, query: (vector) => vector, as: 'cosine' }), 'cosine');
