/** What a search should find: every row is looked at, in doubles. */

import type { Hit, Metric } from 'edgevec';

/** Squared Euclidean distance, 1 − cosine similarity, or negative inner product. */
export function distance(metric: Metric, a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [squares, product, ofA, ofB] = [0, 0, 0, 0];
  for (let i = 0; i < a.length; i += 1) {
    const [x, y] = [a[i] as number, b[i] as number];
    squares += (x - y) ** 2;
    product += x * y;
    ofA += x * x;
    ofB += y * y;
  }
  return { l2: squares, cosine: 1 - product / Math.sqrt(ofA * ofB), dot: -product }[metric];
}

/** The nearest `k` of `rows`, equal distances by id. */
export function nearest(
  metric: Metric,
  rows: readonly ArrayLike<number>[],
  query: ArrayLike<number>,
  k: number,
  ids: readonly number[] = rows.map((_, place) => place),
): Hit[] {
  const all = rows.map((row, place) => ({ id: ids[place] as number, distance: distance(metric, row, query) }));
  return all.sort((a, b) => a.distance - b.distance || a.id - b.id).slice(0, k);
}

/** The share of the true neighbours that was found. */
export function recall(found: readonly Hit[], truth: readonly Hit[]): number {
  const ids = new Set(found.map(({ id }) => id));
  return truth.filter(({ id }) => ids.has(id)).length / truth.length;
}
