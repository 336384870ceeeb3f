// EdgeVec itself, as it is built in js/dist.

export const about = { name: 'EdgeVec', package: '../../js', runs: 'WebAssembly' };
/** `insertBatch` again is the same once more, and shows the noise. */
export const ways = ['insertBatch', 'insert', 'insertBatch again'];
// Of the two builds a page loads one; this is the larger.
export const download = { entries: ['../../js/dist/entry/browser.js'], more: ['../../js/dist/assets/edgevec_relaxed.wasm'] };

export default async function edgevec(host) {
  const { EdgeVec } = await import(`../../../js/dist/entry/${host.inPage ? 'browser' : 'node'}.js`);
  const wrapped = (index) => ({
    count: () => index.size,
    search: (query, k, ef) => index.search(query, { k, ef }).map(({ id }) => id),
    save: (file) => host.write(file, index.toBytes()),
  });
  return {
    // Known once the first index is made.
    get backend() {
      return EdgeVec.backend;
    },
    async create(data, way) {
      const index = await EdgeVec.create(data);
      const parameters = { index: 'HNSW', element: 'f32', m: 16, efConstruction: 200, metric: data.as, note: 'links by 7-bit codes' };
      const insert = way === 'insert'
        ? { one: (vector) => index.insert(vector) }
        // One thread, like everything else here.
        : { all: () => index.insertBatch(data.rows, { workers: 0 }) };
      return { parameters, ...insert, ...wrapped(index) };
    },
    load: async (file) => wrapped(await EdgeVec.fromBytes(host.read(file))),
  };
}
