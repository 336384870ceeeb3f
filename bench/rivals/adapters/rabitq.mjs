export const about = { name: 'rabitq-wasm', package: '@ruvector/rabitq-wasm', runs: 'WebAssembly' };
/** Knows squared L2 only: cosine is asked with vectors of unit length. */
export const l2Only = true;
export const ways = ['build'];
export const download = {
  entries: ['@ruvector/rabitq-wasm/ruvector_rabitq_wasm.js'], more: ['@ruvector/rabitq-wasm/ruvector_rabitq_wasm_bg.wasm'],
};
/** How many candidates are scored again is fixed by `build`: each takes another index. */
export const efs = [10, 20, 40, 80, 160, 320];

export default async function rabitq(host) {
  const { initSync, RabitqIndex } = await import('@ruvector/rabitq-wasm');
  initSync({ module: await host.asset('@ruvector/rabitq-wasm/ruvector_rabitq_wasm_bg.wasm') });
  return {
    create(data) {
      let index;
      let built;
      const build = (ef, k) => {
        index?.free();
        index = RabitqIndex.build(data.rows, data.dimensions, 1n, ef / k);
        built = ef;
      };
      return {
        parameters: { index: 'scan of 1-bit codes', element: '1 bit, f32', metric: data.as, note: 'ef is the candidates scored again' },
        all: () => build(20, 10),
        count: () => index.len,
        search(query, k, ef) {
          if (ef !== built) build(ef, k);
          return index.search(query, k).map((hit) => {
            const { id } = hit;
            hit.free();
            return id;
          });
        },
      };
    },
  };
}
