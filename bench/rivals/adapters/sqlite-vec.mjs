import { eachRow } from './rows.mjs';

export const about = { name: 'sqlite-vec', package: 'sqlite-vec', runs: 'native addon' };
export const ways = ['one transaction', 'insert'];
/** It looks at every row. */
export const efs = [null];

export default async function sqliteVec() {
  const { DatabaseSync } = await import('node:sqlite');
  const { load: extend } = await import('sqlite-vec');
  const opened = (file) => {
    const database = new DatabaseSync(file, { allowExtension: true });
    extend(database);
    return database;
  };
  const searching = (database) => {
    const statement = database.prepare('SELECT rowid FROM items WHERE embedding MATCH ? AND k = ? ORDER BY distance');
    return (query, k) => statement.all(query, k).map(({ rowid }) => rowid);
  };
  return {
    create(data, way) {
      const database = opened(':memory:');
      database.exec(`CREATE VIRTUAL TABLE items USING vec0(embedding float[${data.dimensions}] distance_metric=${data.metric})`);
      const statement = database.prepare('INSERT INTO items(rowid, embedding) VALUES (?, ?)');
      // A number of JavaScript would be a float to SQLite.
      const one = (vector, id) => statement.run(BigInt(id), vector);
      return {
        parameters: { index: 'none, a scan', element: 'f32', metric: data.as },
        ...(way === 'insert' ? { one } : {
          all() {
            database.exec('BEGIN');
            eachRow(data).forEach(one);
            database.exec('COMMIT');
          },
        }),
        count: () => database.prepare('SELECT count(*) AS count FROM items').get().count,
        search: searching(database),
        save: (file) => database.exec(`VACUUM INTO '${file}'`),
      };
    },
    load: (file) => ({ search: searching(opened(file)) }),
  };
}
