import { row } from './rows.mjs';

export const about = { name: 'voy-search', package: 'voy-search', runs: 'WebAssembly' };
/** Knows squared L2 only: cosine is asked with vectors of unit length. */
export const l2Only = true;
export const ways = ['constructor', 'add'];
export const download = { entries: ['voy-search/voy_search_bg.js'], more: ['voy-search/voy_search_bg.wasm'] };
/** It is a k-d tree that looks until it is sure: there is no ef. */
export const efs = [null];

export default async function voy(host) {
  // What a bundler does with `voy_search.js`, which imports the module like a script.
  const glue = await import('voy-search/voy_search_bg.js');
  const bytes = await host.asset('voy-search/voy_search_bg.wasm');
  const { instance } = await WebAssembly.instantiate(bytes, { './voy_search_bg.js': glue });
  glue.__wbg_set_wasm(instance.exports);
  const { Voy } = glue;
  const searching = (index) => (query, k) => index().search(query, k).neighbors.map(({ id }) => Number(id));
  const resource = (vector, id) => ({ id: String(id), title: '', url: '', embeddings: Array.from(vector) });
  return {
    create(data, way) {
      let index = way === 'add' ? new Voy() : undefined;
      return {
        parameters: { index: 'k-d tree', element: 'f32', metric: data.as },
        ...(way === 'add'
          ? { one: (vector, id) => index.add({ embeddings: [resource(vector, id)] }) }
          : { all() { index = new Voy({ embeddings: Array.from({ length: data.count }, (_, id) => resource(row(data, id), id)) }); } }),
        count: () => index.size(),
        search: searching(() => index),
        save: (file) => host.write(file, index.serialize()),
      };
    },
    load(file) {
      const index = Voy.deserialize(new TextDecoder().decode(host.read(file)));
      return { search: searching(() => index) };
    },
  };
}
