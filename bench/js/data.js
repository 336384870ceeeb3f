// Data sets as `edgevec-bench prepare` lays them down, opened in Node and in pages.

/** The data set whose files `bytesOf(name)` resolves to, as an `ArrayBuffer` each. */
export async function openData(bytesOf) {
  const [meta, rows, queries, truth] = await Promise.all(['meta.json', 'rows.f32', 'queries.f32', 'truth.u32'].map(bytesOf));
  const { rows: count, queries: queryCount, dimensions, metric, top } = JSON.parse(new TextDecoder().decode(meta));
  return {
    count, queryCount, dimensions, metric, top,
    rows: new Float32Array(rows), queries: new Float32Array(queries), truth: new Uint32Array(truth),
  };
}
