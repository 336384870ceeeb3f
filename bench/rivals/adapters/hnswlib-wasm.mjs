import { eachRow, forL2 } from './rows.mjs';

export const about = { name: 'hnswlib-wasm', package: 'hnswlib-wasm', runs: 'WebAssembly' };
export const ways = ['addItems', 'addPoint'];
export const download = { entries: ['hnswlib-wasm/dist/hnswlib.js', 'hnswlib-wasm/dist/hnswlib-317962d7.js'] };

export default async function hnswlib() {
  // It is compiled for pages and asks for this name; it uses nothing of it.
  globalThis.window = globalThis;
  const { loadHnswlib } = await import('hnswlib-wasm/dist/hnswlib.js');
  const lib = await loadHnswlib();
  return {
    create(given, way) {
      const { data, query: scaled, as } = forL2(given);
      const index = new lib.HierarchicalNSW('l2', data.dimensions, '');
      index.initIndex(data.count, 16, 200, 100);
      const insert = way === 'addItems'
        ? { all: () => index.addItems(eachRow(data), false) }
        : { one: (vector, id) => index.addPoint(scaled(vector), id, false) };
      return {
        parameters: { index: 'HNSW', element: 'f32', m: 16, efConstruction: 200, metric: as },
        ...insert,
        count: () => index.getCurrentCount(),
        search(query, k, ef) {
          index.setEfSearch(ef);
          return [...index.searchKnn(scaled(query), k, undefined).neighbors];
        },
        // It saves to IndexedDB alone, which Node lacks.
      };
    },
  };
}
