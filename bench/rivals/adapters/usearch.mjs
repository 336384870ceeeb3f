export const about = { name: 'usearch', package: 'usearch', runs: 'native addon' };
export const ways = ['add all', 'add'];

export default async function usearch() {
  const { Index, MetricKind, ScalarKind } = await import('usearch');
  const made = (data) => new Index({
    dimensions: data.dimensions,
    metric: data.metric === 'l2' ? MetricKind.L2sq : MetricKind.Cos,
    quantization: ScalarKind.F32,
    connectivity: 16,
    expansion_add: 200,
    expansion_search: 10,
  });
  const keys = (data) => BigUint64Array.from({ length: data.count }, (_, row) => BigInt(row));
  // It keeps max(k, expansion_search) candidates, and the latter is fixed when it is made.
  const searching = (index) => (query, k, ef) => Array.from(index.search(query, Math.max(k, ef), 1).keys.subarray(0, k), Number);
  return {
    create(data, way) {
      const index = made(data);
      return {
        parameters: { index: 'HNSW', element: 'f32', m: 16, efConstruction: 200, metric: data.as, note: 'ef by asking for more hits' },
        ...(way === 'add' ? { one: (vector, id) => index.add(BigInt(id), vector, 1) } : { all: () => index.add(keys(data), data.rows, 1) }),
        count: () => Number(index.size()),
        search: searching(index),
        save: (file) => index.save(file),
      };
    },
    load(file, data) {
      const index = made(data);
      index.load(file);
      return { search: searching(index) };
    },
  };
}
