export const about = { name: 'hnswlib-node', package: 'hnswlib-node', runs: 'native addon' };
/** Knows squared L2 only: cosine is asked with vectors of unit length. */
export const l2Only = true;
export const ways = ['addPoint'];

export default async function hnswlib() {
  const { default: { HierarchicalNSW } } = await import('hnswlib-node');
  const searching = (index) => (query, k, ef) => {
    index.setEf(ef);
    return index.searchKnn(Array.from(query), k).neighbors;
  };
  return {
    create(data) {
      const index = new HierarchicalNSW('l2', data.dimensions);
      index.initIndex(data.count, 16, 200, 100);
      return {
        parameters: { index: 'HNSW', element: 'f32', m: 16, efConstruction: 200, metric: data.as },
        one: (vector, id) => index.addPoint(Array.from(vector), id),
        count: () => index.getCurrentCount(),
        search: searching(index),
        save: (file) => index.writeIndexSync(file),
      };
    },
    load(file, data) {
      const index = new HierarchicalNSW('l2', data.dimensions);
      index.readIndexSync(file);
      return { search: searching(index) };
    },
  };
}
