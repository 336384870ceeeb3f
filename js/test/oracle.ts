/** What a search should find: every row is looked at, in doubles. */

import type { Hit, Metric } from 'edgevec';

/** Squared Euclidean distance, 1 − cosine similarity, or negative inner product. */
export function distance(metric: Metric, a: ArrayLike<number>, b: ArrayLike<number>): number {
  let squares = 0;
  let product = 0;
  let ofA = 0;
  let ofB = 0;
  for (let i = 0; i < a.length; i += 1) {
    const x = a[i] as number;
    const y = b[i] as number;
    squares += (x - y) ** 2;
    product += x * y;
    ofA += x * x;
    ofB += y * y;
  }
  if (metric === 'l2') return squares;
  return metric === 'dot' ? -product : 1 - product / Math.sqrt(ofA * ofB);
}

/** The nearest `k` of `rows`, equal distances by id. Makes no garbage: engines keep gigabytes of it in a test. */
export function nearest(
  metric: Metric,
  rows: readonly ArrayLike<number>[],
  query: ArrayLike<number>,
  k: number,
  ids?: readonly number[],
): Hit[] {
  const best: Hit[] = [];
  for (let place = 0; place < rows.length; place += 1) {
    const id = ids?.[place] ?? place;
    const away = distance(metric, rows[place] as ArrayLike<number>, query);
    const follows = ({ distance: other, id: otherId }: Hit): boolean => other > away || (other === away && otherId > id);
    let at = best.length;
    while (at > 0 && follows(best[at - 1] as Hit)) at -= 1;
    if (at < k) best.splice(at, 0, { id, distance: away });
    if (best.length > k) best.pop();
  }
  return best;
}

/** The share of the true neighbours that was found. */
export function recall(found: readonly Hit[], truth: readonly Hit[]): number {
  const ids = new Set(found.map(({ id }) => id));
  return truth.filter(({ id }) => ids.has(id)).length / truth.length;
}
