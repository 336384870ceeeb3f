/**
 * Typed arrays as they are, whatever they say of themselves: any object can have their prototype, and
 * an array can have a `length` of its own, or a class whose code would run while the module is called.
 */

const inherited = Object.getPrototypeOf(Float32Array.prototype) as object;

function inheritedGetter<T>(name: PropertyKey): (this: unknown) => T {
  return Object.getOwnPropertyDescriptor(inherited, name)?.get as (this: unknown) => T;
}

const kind = inheritedGetter<string | undefined>(Symbol.toStringTag);
const length = inheritedGetter<number>('length');
const buffer = inheritedGetter<ArrayBuffer>('buffer');
const byteOffset = inheritedGetter<number>('byteOffset');

/** A `Float32Array` of whatever realm as a plain one over the same memory; anything else is undefined. */
export function plainFloats(value: unknown): Float32Array | undefined {
  if (kind.call(value) !== 'Float32Array') return undefined;
  const count = length.call(value);
  // An empty one may lie in memory that was detached, where none can be made.
  return count === 0 ? new Float32Array() : new Float32Array(buffer.call(value), byteOffset.call(value), count);
}

/** The bytes of a `Uint8Array` or an `ArrayBuffer` of whatever realm; anything else as it is. */
export function plainBytes(value: Uint8Array | ArrayBuffer): Uint8Array {
  if (kind.call(value) !== undefined || Object.prototype.toString.call(value) !== '[object ArrayBuffer]') {
    return value as Uint8Array;
  }
  try {
    return new Uint8Array(value);
  } catch {
    return new Uint8Array(); // it was detached
  }
}

/** A copy of the bytes of a `Uint8Array` or an `ArrayBuffer` of whatever realm; anything else is undefined. */
export function copiedBytes(value: Uint8Array | ArrayBuffer): Uint8Array | undefined {
  const bytes = plainBytes(value);
  if (kind.call(bytes) !== 'Uint8Array') return undefined;
  const count = length.call(bytes);
  return count === 0 ? new Uint8Array() : new Uint8Array(buffer.call(bytes), byteOffset.call(bytes), count).slice();
}

/** Values in a list of any kind; 0 for what is no list, or only has the prototype of one. */
export function lengthOf(list: unknown): number {
  if (kind.call(list) !== undefined) return length.call(list);
  if (typeof list !== 'object' || list === null || Object.prototype.isPrototypeOf.call(inherited, list)) return 0;
  const { length: said } = list as { length?: unknown };
  return Number.isSafeInteger(said) && (said as number) > 0 ? (said as number) : 0;
}

/** `Array.isArray`, which throws for a proxy that was revoked. */
export function isArray(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/**
 * Copies a row to `target`, from `at` on, if it has as many numbers as `dimensions`; what is no number becomes
 * NaN and is refused as such. Returns how many it has.
 */
export function copyRow(row: unknown, target: Float32Array, at: number, dimensions: number): number {
  const count = lengthOf(row);
  if (count !== dimensions) return count;
  if (kind.call(row) === 'Float32Array') {
    target.set(row as Float32Array, at);
    return count;
  }
  for (let i = 0; i < dimensions; i += 1) {
    const value = (row as ArrayLike<unknown>)[i];
    target[at + i] = typeof value === 'number' ? value : NaN;
  }
  return count;
}
