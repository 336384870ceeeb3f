// What adapters share: rows as they lie in the data set, one by one, and scaled to unit length.

/** Row `row` of rows that lie one after another; a view, not a copy. */
export const row = (data, row) => data.rows.subarray(row * data.dimensions, (row + 1) * data.dimensions);

/** All rows, as views. */
export const eachRow = (data) => Array.from({ length: data.count }, (_, number) => row(data, number));

export function unit(vector) {
  let squares = 0;
  for (const value of vector) squares += value * value;
  return vector.map((value) => value / Math.sqrt(squares));
}

/** For libraries that know squared L2 only: on unit vectors it has the order of cosine. */
export function forL2(data) {
  if (data.metric === 'l2') return { data, query: (vector) => vector, as: 'squared L2' };
  const rows = new Float32Array(data.rows.length);
  for (let number = 0; number < data.count; number += 1) rows.set(unit(row(data, number)), number * data.dimensions);
  return { data: { ...data, rows }, query: unit, as: 'squared L2 of unit vectors' };
}
