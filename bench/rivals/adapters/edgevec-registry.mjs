// An older, unrelated package of the same name. Told `cosine` it finds the least similar rows (see
// edgevec-registry-cosine.mjs), so that it is given unit vectors and `l2` here.
import { eachRow } from './rows.mjs';

export const about = { name: 'edgevec of the registry', package: 'edgevec-registry', runs: 'WebAssembly' };
export const ways = ['insertBatchFlat', 'insertBatch', 'insert'];
export const download = { entries: ['edgevec-registry/edgevec.js'], more: ['edgevec-registry/edgevec_bg.wasm'] };
export const l2Only = true;

export default async function registry(host) {
  const { default: init, EdgeVec, EdgeVecConfig } = await import('edgevec-registry');
  await init({ module_or_path: await host.asset('edgevec-registry/edgevec_bg.wasm') });
  // In Node there is no IndexedDB: what it would keep there goes to the host.
  const { IndexedDbBackend } = await import('edgevec-registry/snippets/edgevec-d2ba0e32c31531f9/src/js/storage.js');
  IndexedDbBackend.write = async (file, bytes) => host.write(file, bytes);
  IndexedDbBackend.read = async (file) => new Uint8Array(host.read(file));
  // It keeps max(k, ef_search) candidates, and ef_search is fixed when it is made. Its ids begin at 1: `insertBatch` loses
  // the first row, so that there they are the row numbers.
  const searching = (index, way) => (query, k, ef) => index.search(query, Math.max(k, ef)).slice(0, k).map(({ id }) => (way === 'insertBatch' ? id : id - 1));
  return {
    create(data, way) {
      const config = new EdgeVecConfig(data.dimensions);
      Object.assign(config, { metric: data.metric, m: 16, m0: 32, ef_construction: 200, ef_search: 10 });
      const index = new EdgeVec(config);
      const insert = {
        insertBatchFlat: { all: () => index.insertBatchFlat(data.rows, data.count) },
        insertBatch: { all: () => index.insertBatch(eachRow(data)) },
        insert: { one: (vector) => index.insert(vector) },
      }[way];
      return {
        parameters: { index: 'HNSW', element: 'f32', m: 16, efConstruction: 200, metric: data.as, note: 'ef by asking for more hits' },
        ...insert,
        count: () => index.liveCount(),
        search: searching(index, way),
        save: (file) => index.save(file),
      };
    },
    async load(file, _, way) {
      const index = await EdgeVec.load(file);
      return { search: searching(index, way) };
    },
  };
}
