/** Indexes that live for one test. */

import { EdgeVec, type EdgeVecOptions, type Hit, type Vector } from 'edgevec';
import { digest } from './savable.js';

const opened: EdgeVec[] = [];

afterEach(() => {
  for (const index of opened.splice(0)) index.close();
});

/** An empty index that is closed after the test. */
export async function fresh(options: Partial<EdgeVecOptions> = {}): Promise<EdgeVec> {
  return keep(await EdgeVec.create({ dimensions: 2, metric: 'l2', ...options }));
}

/** An index that holds `rows`, closed after the test. */
export async function filled(rows: Float32Array, options: Partial<EdgeVecOptions> = {}): Promise<EdgeVec> {
  const index = await fresh(options);
  await index.insertBatch(rows);
  return index;
}

/** Closes an index after the test. */
export function keep(index: EdgeVec): EdgeVec {
  opened.push(index);
  return index;
}

/** All of an index that users can see. */
export interface State {
  size: number;
  bytes: string;
  found: Hit[][];
}

/** What users see of an index; `queries` are searched for. */
export function stateOf(index: EdgeVec, queries: readonly Vector[]): State {
  return {
    size: index.size,
    bytes: digest(index.toBytes()),
    found: queries.map((query) => index.search(query, { k: 20 })),
  };
}
