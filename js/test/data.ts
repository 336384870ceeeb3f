/** Rows to test with: the same in every engine, because only integers and exact fractions are drawn. */

/** The generator mulberry32. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer from 0 to 2^32 − 1. */
  word(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** An integer from 0 to `limit` − 1. */
  below(limit: number): number {
    return this.word() % limit;
  }

  /** A multiple of 2^−12 in [−1, 1), which a 32-bit float holds exactly. */
  component(): number {
    return ((this.word() >>> 19) - 4096) / 4096;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }
}

/** Rows one after another, uniform in a cube. */
export function uniform(rows: number, dimensions: number, seed = 1): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: rows * dimensions }, () => random.component());
}

/** Rows one after another, in clusters of about 50 like embeddings of texts on many subjects. */
export function clustered(rows: number, dimensions: number, seed = 1): Float32Array {
  const random = new Random(seed);
  const centres = uniform(Math.ceil(rows / 50), dimensions, seed + 1);
  const all = new Float32Array(rows * dimensions);
  for (let row = 0; row < rows; row += 1) {
    const centre = random.below(centres.length / dimensions);
    for (let i = 0; i < dimensions; i += 1) {
      all[row * dimensions + i] = (centres[centre * dimensions + i] as number) + random.component() / 4;
    }
  }
  return all;
}

/** One row of a flat array, a view. */
export function rowOf(flat: Float32Array, dimensions: number, row: number): Float32Array {
  return flat.subarray(row * dimensions, (row + 1) * dimensions);
}

/** The rows of a flat array as views. */
export function rowsOf(flat: Float32Array, dimensions: number): Float32Array[] {
  return Array.from({ length: flat.length / dimensions }, (_, row) => rowOf(flat, dimensions, row));
}

/** The integers from `first` on. */
export function range(length: number, first = 0): number[] {
  return Array.from({ length }, (_, place) => first + place);
}
