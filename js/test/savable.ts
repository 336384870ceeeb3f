/** Indexes of every kind that can be saved, and their bytes in short. */

import { EdgeVec, type EdgeVecOptions } from 'edgevec';
import { clustered, range, uniform } from './data.js';

export const DIMENSIONS = 6;

/** Bytes in short: their number and a hash (FNV-1a), so that a difference prints as a line. */
export function digest(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return `${bytes.length} bytes, ${(hash >>> 0).toString(16)}`;
}

/** The indexes, by what they hold; the caller closes them. */
export async function savable(): Promise<Record<string, EdgeVec>> {
  const empty = (options: Partial<EdgeVecOptions> = {}): Promise<EdgeVec> =>
    EdgeVec.create({ dimensions: DIMENSIONS, metric: 'l2', ...options });
  const made: Record<string, EdgeVec> = { 'no rows': await empty() };
  for (const metric of ['l2', 'cosine', 'dot'] as const) {
    const [small, large] = [await empty({ metric }), await empty({ metric, seed: 3 })];
    await small.insertBatch(uniform(100, DIMENSIONS));
    await large.insertBatch(clustered(1000, DIMENSIONS));
    made[`100 rows, ${metric}`] = small;
    made[`1000 rows, ${metric}`] = large;
  }
  const named = await empty({ m: 5, efConstruction: 50, seed: 2 ** 40 });
  const ids = range(700).map((place) => Number.MAX_SAFE_INTEGER - 3 * place);
  await named.insertBatch(clustered(700, DIMENSIONS), { ids });
  made['chosen ids and parameters'] = named;
  return made;
}

/** The bytes of each, in short. `scripts/build-tests.mjs` keeps Node's, which every engine must save. */
export async function savedBytes(): Promise<Record<string, string>> {
  const saved: Record<string, string> = {};
  for (const [kind, index] of Object.entries(await savable())) {
    saved[kind] = digest(index.toBytes());
    index.close();
  }
  return saved;
}
