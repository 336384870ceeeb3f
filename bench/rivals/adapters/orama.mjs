import { eachRow } from './rows.mjs';

export const about = { name: 'Orama', package: '@orama/orama', runs: 'JavaScript' };
export const ways = ['insertMultiple', 'insert'];
export const download = { entries: ['@orama/orama/dist/browser/index.js'] };
/** It looks at every row. */
export const efs = [null];
export const metrics = ['cosine'];

export default async function orama(host) {
  const { count, create, insert, insertMultiple, load, save, searchVector } = await import('@orama/orama');
  const empty = (data) => create({ schema: { row: 'number', embedding: `vector[${data.dimensions}]` } });
  const document = (vector, id) => ({ id: String(id), row: id, embedding: Array.from(vector) });
  const searching = (database) => async (query, k) => {
    const vector = { value: Array.from(query), property: 'embedding' };
    const { hits } = await searchVector(database, { mode: 'vector', vector, similarity: 0, limit: k });
    return hits.map((hit) => hit.document.row);
  };
  return {
    create(data, way) {
      const database = empty(data);
      return {
        parameters: { index: 'none, a scan', element: 'f32', metric: data.as },
        ...(way === 'insert'
          ? { one: (vector, id) => insert(database, document(vector, id)) }
          : { all: () => insertMultiple(database, eachRow(data).map(document)) }),
        count: () => count(database),
        search: searching(database),
        save: (file) => host.write(file, JSON.stringify(save(database))),
      };
    },
    load(file, data) {
      const database = empty(data);
      load(database, JSON.parse(new TextDecoder().decode(host.read(file))));
      return { search: searching(database) };
    },
  };
}
