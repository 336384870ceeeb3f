/** One vector, as users give it. */

import { EdgeVecError, invalidArgument } from './errors.js';
import { copyRow, isArray } from './typed.js';
import type { Vector } from './types.js';

/** A vector as the module takes it. Getters of the caller's may run here, and close the index. */
export function toVector(name: string, value: Vector, dimensions: number): Float32Array {
  if (ArrayBuffer.isView(value)) return value; // the module sees what it is
  if (!isArray(value)) throw invalidArgument(name, value, 'a Float32Array or an array of numbers');
  const copy = new Float32Array(dimensions);
  const actual = copyRow(value, copy, 0, dimensions);
  if (actual !== dimensions) {
    const message = `the vector has ${actual} components, but the index has ${dimensions} dimensions`;
    throw new EdgeVecError('DIMENSION_MISMATCH', message, { expected: dimensions, actual });
  }
  return copy;
}
