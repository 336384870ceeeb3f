// Reads data/wordnet-10k into memory: the layout is described in its README.
//
// Always true of what `loadSample` resolves to: row i of `vectors`, `texts` and `points` is the
// same entry, and every row of `truth` names a query row and its exact nearest rows.

const FOLDER = new URL('../../../data/wordnet-10k/', import.meta.url);

async function bytes(name) {
  const response = await fetch(new URL(name, FOLDER));
  if (!response.ok) throw new Error(`${name}: the server answered ${response.status}`);
  return response.arrayBuffer();
}

/** Unpacks gzip, unless the server has done so already (some send `.gz` as an encoding). */
async function unpackedText(buffer) {
  const [first, second] = new Uint8Array(buffer, 0, 2);
  if (first !== 0x1f || second !== 0x8b) return new TextDecoder().decode(buffer);
  const plain = new Blob([buffer]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(plain).text();
}

/** One float per byte, times the scale of its row. */
function decode(codes, scales, dimensions) {
  const vectors = new Float32Array(codes.length);
  for (let row = 0, at = 0; row < scales.length; row++) {
    const scale = scales[row];
    for (const end = at + dimensions; at < end; at++) vectors[at] = codes[at] * scale;
  }
  return vectors;
}

/** Splits `width`-wide rows into [first, rest] pairs. */
function splitRows(values, width) {
  const rows = [];
  for (let at = 0; at < values.length; at += width) {
    rows.push({ query: values[at], nearest: values.subarray(at + 1, at + width) });
  }
  return rows;
}

function check(name, actual, expected) {
  if (actual !== expected) throw new Error(`${name}: ${actual} values, expected ${expected}`);
}

/**
 * @returns {Promise<{
 *   rows: number, dimensions: number, vectors: Float32Array, row(i: number): Float32Array,
 *   texts: { lemma: string[], pos: string[], lexname: string[], text: string[] },
 *   points: Uint16Array, truth: { query: number, nearest: Uint16Array }[], neighbours: number,
 * }>}
 */
export async function loadSample() {
  const [meta, codes, scales, map, neighbours, texts] = await Promise.all([
    bytes('meta.json').then((b) => JSON.parse(new TextDecoder().decode(b))),
    bytes('vectors.i8').then((b) => new Int8Array(b)),
    // Arrays of wider numbers take the byte order of the machine: little-endian wherever
    // WebAssembly runs in a browser today, like the files.
    bytes('scales.f32').then((b) => new Float32Array(b)),
    bytes('map.u16').then((b) => new Uint16Array(b)),
    bytes('neighbours.u16').then((b) => new Uint16Array(b)),
    bytes('texts.json.gz').then(unpackedText).then(JSON.parse),
  ]);
  const { rows, dimensions } = meta;
  check('vectors.i8', codes.length, rows * dimensions);
  check('scales.f32', scales.length, rows);
  check('map.u16', map.length, rows * 2);
  check('texts.json.gz', texts.text.length, rows);
  check('neighbours.u16', neighbours.length, meta.queries * (meta.neighbours + 1));
  const vectors = decode(codes, scales, dimensions);
  return {
    rows,
    dimensions,
    vectors,
    row: (i) => vectors.subarray(i * dimensions, (i + 1) * dimensions),
    texts,
    points: map,
    truth: splitRows(neighbours, meta.neighbours + 1),
    neighbours: meta.neighbours,
  };
}
