import { forL2 } from './rows.mjs';

export const about = { name: 'hnswlib-node', package: 'hnswlib-node', runs: 'native addon' };
export const ways = ['addPoint'];

export default async function hnswlib() {
  const { default: { HierarchicalNSW } } = await import('hnswlib-node');
  const searching = (index, scaled) => (query, k, ef) => {
    index.setEf(ef);
    return index.searchKnn(Array.from(scaled(query)), k).neighbors;
  };
  return {
    create(given) {
      const { data, query: scaled, as } = forL2(given);
      const index = new HierarchicalNSW('l2', data.dimensions);
      index.initIndex(data.count, 16, 200, 100);
      return {
        parameters: { index: 'HNSW', element: 'f32', m: 16, efConstruction: 200, metric: as },
        one: (vector, id) => index.addPoint(Array.from(scaled(vector)), id),
        count: () => index.getCurrentCount(),
        search: searching(index, scaled),
        save: (file) => index.writeIndexSync(file),
      };
    },
    load(file, given) {
      const index = new HierarchicalNSW('l2', given.dimensions);
      index.readIndexSync(file);
      return { search: searching(index, forL2(given).query) };
    },
  };
}
