// What adapters share: rows as they lie in the data set, one by one.

/** Row `row` of rows that lie one after another; a view, not a copy. */
export const row = (data, row) => data.rows.subarray(row * data.dimensions, (row + 1) * data.dimensions);

/** All rows, as views. */
export const eachRow = (data) => Array.from({ length: data.count }, (_, number) => row(data, number));
