import { eachRow } from './rows.mjs';

export const about = { name: 'hnswlib-wasm', package: 'hnswlib-wasm', runs: 'WebAssembly' };
/** Knows squared L2 only: cosine is asked with vectors of unit length. */
export const l2Only = true;
export const ways = ['addItems', 'addPoint'];
export const download = { entries: ['hnswlib-wasm/dist/hnswlib.js', 'hnswlib-wasm/dist/hnswlib-317962d7.js'] };

export default async function hnswlib() {
  // It is compiled for pages and asks for this name; it uses nothing of it.
  globalThis.window ??= globalThis;
  const { loadHnswlib } = await import('hnswlib-wasm/dist/hnswlib.js');
  const lib = await loadHnswlib();
  return {
    create(data, way) {
      const index = new lib.HierarchicalNSW('l2', data.dimensions, '');
      index.initIndex(data.count, 16, 200, 100);
      const insert = way === 'addItems'
        ? { all: () => index.addItems(eachRow(data), false) }
        : { one: (vector, id) => index.addPoint(vector, id, false) };
      return {
        parameters: { index: 'HNSW', element: 'f32', m: 16, efConstruction: 200, metric: data.as },
        ...insert,
        count: () => index.getCurrentCount(),
        search(query, k, ef) {
          index.setEfSearch(ef);
          return [...index.searchKnn(query, k, undefined).neighbors];
        },
        // It saves to IndexedDB alone, which Node lacks.
      };
    },
  };
}
