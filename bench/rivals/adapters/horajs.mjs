export const about = { name: 'horajs', package: 'horajs', runs: 'WebAssembly' };
/** Knows squared L2 only: cosine is asked with vectors of unit length. */
export const l2Only = true;
/** Rows are only linked by `build`, so that adding them one by one is the same. */
export const ways = ['bulk_add, build'];
export const download = { entries: ['horajs/index.js'], more: ['horajs/pkg/horajs_bg.wasm'] };

export default async function horajs(host) {
  // `getHora` fails in newer versions of Node, where `crypto` cannot be set; this is what it does.
  const { default: init, HNSWIndexUsize, init_env: initEnv } = await import('horajs/pkg/horajs.js');
  const bytes = await host.asset('horajs/pkg/horajs_bg.wasm');
  await init(bytes, new WebAssembly.Memory({ initial: 8192, maximum: 65_536, shared: true }));
  initEnv();
  // It keeps max(k, ef_search) candidates, and ef_search is fixed when it is made.
  const searching = (index) => (query, k, ef) => [...index.search(query, Math.max(k, ef)).subarray(0, k)];
  return {
    create(data) {
      const index = HNSWIndexUsize.new(data.dimensions, data.count, 16, 32, 200, 10, false);
      return {
        parameters: { index: 'HNSW', element: 'f32', m: 16, efConstruction: 200, metric: data.as, note: 'ef by asking for more hits' },
        all() {
          index.bulk_add(data.rows, data.dimensions, Uint32Array.from({ length: data.count }, (_, id) => id));
          if (!index.build('euclidean')) throw new Error('build returned false');
        },
        // Always 0, whatever is in it.
        count: () => index.size(),
        search: searching(index),
        save: (file) => host.write(file, index.dump_index()),
      };
    },
    load: (file) => ({ search: searching(HNSWIndexUsize.load_index(host.read(file))) }),
  };
}
