import { row } from './rows.mjs';

export const about = { name: 'PGlite with pgvector', package: '@electric-sql/pglite', with: '@electric-sql/pglite-pgvector', runs: 'WebAssembly' };
export const ways = ['rows, then index', 'insert'];
export const download = {
  entries: ['@electric-sql/pglite/dist/index.js', '@electric-sql/pglite-pgvector/dist/index.js'],
  more: [
    '@electric-sql/pglite/dist/pglite.wasm', '@electric-sql/pglite/dist/pglite.data', '@electric-sql/pglite/dist/initdb.wasm',
    '@electric-sql/pglite-pgvector/dist/vector.tar.gz',
  ],
};
/** Of one INSERT. */
const ROWS = 200;
const OPERATORS = { l2: ['<->', 'vector_l2_ops'], cosine: ['<=>', 'vector_cosine_ops'] };

export default async function pglite(host) {
  const { PGlite } = await import('@electric-sql/pglite');
  const { vector: pgvector } = await import('@electric-sql/pglite-pgvector');
  const text = (vector) => `[${vector.join(',')}]`;
  const opened = async (data, options) => {
    const database = await PGlite.create({ ...options, extensions: { vector: pgvector } });
    // A planner that sees few rows would scan them.
    await database.exec("SET enable_seqscan = off; SET maintenance_work_mem = '512MB'");
    const [operator] = OPERATORS[data.metric];
    let current;
    const search = async (query, k, ef) => {
      if (ef !== current) await database.exec(`SET hnsw.ef_search = ${ef}`);
      current = ef;
      const { rows } = await database.query(`SELECT id FROM items ORDER BY embedding ${operator} $1 LIMIT ${k}`, [text(query)]);
      return rows.map(({ id }) => id);
    };
    return { database, search };
  };
  return {
    async create(data, way) {
      const { database, search } = await opened(data, {});
      await database.exec(`CREATE EXTENSION IF NOT EXISTS vector; CREATE TABLE items (id integer PRIMARY KEY, embedding vector(${data.dimensions}))`);
      const [, operators] = OPERATORS[data.metric];
      const index = `CREATE INDEX ON items USING hnsw (embedding ${operators}) WITH (m = 16, ef_construction = 200)`;
      if (way === 'insert') await database.exec(index);
      const add = (from, to) => {
        const values = [];
        for (let id = from; id < to; id += 1) values.push(`(${id},'${text(row(data, id))}')`);
        return database.exec(`INSERT INTO items VALUES ${values.join(',')}`);
      };
      return {
        parameters: { index: 'HNSW', element: 'f32', m: 16, efConstruction: 200, metric: data.as },
        ...(way === 'insert'
          ? { one: (_, id) => add(id, id + 1) }
          : {
            async all() {
              for (let id = 0; id < data.count; id += ROWS) await add(id, Math.min(id + ROWS, data.count));
              await database.exec(index);
            },
          }),
        count: async () => (await database.query('SELECT count(*)::integer AS count FROM items')).rows[0].count,
        search,
        save: async (file) => host.write(file, new Uint8Array(await (await database.dumpDataDir('none')).arrayBuffer())),
      };
    },
    async load(file, data) {
      const { search } = await opened(data, { loadDataDir: new Blob([host.read(file)]) });
      return { search };
    },
  };
}
