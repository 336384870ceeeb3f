/** Values that no caller should give, each made anew for each call. */

import { inNode, sharedMemory } from './environment.js';

/** What getters and proxies of the caller's throw; a call passes it on as it is. */
export class CallersError extends Error {}

function complain(): never {
  throw new CallersError('thrown by the caller');
}

const TRAPS = { get: complain, has: complain, getPrototypeOf: complain, ownKeys: complain };

/** A `Float32Array` of 4 finite numbers. */
export function floats(): Float32Array {
  return Float32Array.of(1, 2, 3, 4);
}

function withOwn(name: PropertyKey, value: unknown): Float32Array {
  return Object.defineProperty(floats(), name, { value });
}

function disguised(object: object, prototype: object | null): unknown {
  return Object.setPrototypeOf(object, prototype);
}

function detached(): Float32Array {
  const array = floats();
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

/** A view on memory that was cut below its end, where engines have such memory. */
function shrunk(length?: number): unknown {
  const Resizable = ArrayBuffer as unknown as new (length: number, options: object) => ArrayBuffer;
  const buffer = new Resizable(16, { maxByteLength: 64 });
  const view = new Float32Array(buffer, 4, length);
  if ('resize' in buffer) (buffer.resize as (length: number) => void)(length === undefined ? 11 : 8);
  return view;
}

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

/** A typed array whose class would run code when the array is cut or measured. */
class Meddling extends Float32Array {
  static get [Symbol.species](): Float32ArrayConstructor {
    return complain();
  }
  override get length(): number {
    return complain();
  }
  override subarray(): never {
    return complain();
  }
  override slice(): never {
    return complain();
  }
}

/** Objects of another realm: a frame of the page, or another context of Node. */
async function foreign(): Promise<Record<string, () => unknown>> {
  const code = '({ floats: Float32Array.of(1, 2, 3, 4), bytes: new Uint8Array(4), list: [1, 2, 3, 4], error: new Error() })';
  let realm: Record<string, unknown>;
  if (inNode) {
    realm = (await import('node:vm')).runInNewContext(code);
  } else {
    const frame = document.body.appendChild(document.createElement('iframe'));
    realm = (frame.contentWindow as unknown as { eval: (code: string) => Record<string, unknown> }).eval(code);
  }
  return Object.fromEntries(Object.entries(realm).map(([name, value]) => [`${name} of another realm`, () => value]));
}

/** Every hostile value, by name. */
export async function hostileValues(): Promise<Record<string, () => unknown>> {
  const shared = sharedMemory(16);
  return {
    undefined: () => undefined,
    null: () => null,
    true: () => true,
    false: () => false,
    zero: () => 0,
    '−0': () => -0,
    '−1': () => -1,
    '1.5': () => 1.5,
    NaN: () => NaN,
    Infinity: () => Infinity,
    '−Infinity': () => -Infinity,
    '2^31': () => 2 ** 31,
    '2^32': () => 2 ** 32,
    '2^32 − 1': () => 2 ** 32 - 1,
    '2^53': () => 2 ** 53,
    '2^53 − 1': () => 2 ** 53 - 1,
    '1e308': () => 1e308,
    '5e-324': () => 5e-324,
    'an empty string': () => '',
    'a number as a string': () => '4',
    'a long string': () => 'x'.repeat(1e6),
    'a lone surrogate': () => '\ud800',
    'a symbol': () => Symbol('hostile'),
    'a bigint': () => 4n,
    'a large bigint': () => 2n ** 64n,
    'an object': () => ({}),
    'an object without a prototype': () => Object.create(null) as unknown,
    'an empty array': () => [],
    'an array': () => [1, 2, 3, 4],
    'an array of rows': () => [[1, 2, 3, 4], floats()],
    'an array with holes': () => [1, , 3, 4],
    'an array of nothing': () => new Array(4),
    'a huge array of nothing': () => new Array(2 ** 32 - 1),
    'an array with a getter that throws': () => Object.defineProperty([1, 2, 3, 4], 2, { get: complain }),
    'an array of strings': () => ['1', '2', '3', '4'],
    'an array of objects': () => [{}, [], null, undefined],
    'an array of symbols': () => [Symbol(), Symbol(), Symbol(), Symbol()],
    'a list with a length that lies': () => ({ length: 2 ** 40, 0: 1 }),
    'a list with an impossible length': () => ({ length: -1.5 }),
    'a list with a length that is none': () => ({ length: '4' }),
    'a list with a length that throws': () => ({ get length() { return complain(); } }),
    arguments: () => (function (..._: number[]) { return arguments; })(1, 2, 3, 4),
    'a function': () => () => 4,
    'a class': () => Meddling,
    'a date': () => new Date(4),
    'a map': () => new Map([[0, 1]]),
    'a promise': () => Promise.resolve(4),
    'valueOf that gives a number': () => ({ valueOf: () => 4 }),
    'valueOf that throws': () => ({ valueOf: complain, toString: complain, [Symbol.toPrimitive]: complain }),
    'a proxy': () => new Proxy({}, {}),
    'a proxy that throws': () => new Proxy([], TRAPS),
    'a proxy of an array': () => new Proxy([1, 2, 3, 4], {}),
    'a proxy of floats': () => new Proxy(floats(), {}),
    'a revoked proxy of an array': () => revoked([1, 2, 3, 4]),
    'a revoked proxy of floats': () => revoked(floats()),
    floats,
    'floats of another length': () => new Float32Array(5),
    'no floats': () => new Float32Array(0),
    'floats with NaN': () => Float32Array.of(1, NaN, 3, 4),
    'floats with an infinity': () => Float32Array.of(1, 2, 3, Infinity),
    'floats that are zero': () => new Float32Array(4),
    'floats with an offset': () => new Float32Array(16).fill(2).subarray(3, 7),
    'floats of which the owner says they are more': () => withOwn('length', 1000),
    'floats of which the owner says they are none': () => withOwn('length', 0),
    'floats of which the owner says they are bytes': () => withOwn(Symbol.toStringTag, 'Uint8Array'),
    'floats with a buffer of the owner': () => withOwn('buffer', new ArrayBuffer(0)),
    'floats with a constructor that throws': () => withOwn('constructor', { [Symbol.species]: complain }),
    'floats of a class that meddles': () => new Meddling([1, 2, 3, 4]),
    'floats behind a proxy': () => disguised(floats(), new Proxy(Float32Array.prototype, TRAPS)),
    'floats without a prototype': () => disguised(floats(), null),
    'detached floats': detached,
    'floats whose memory was cut': () => shrunk(3),
    'floats that follow memory which was cut': () => shrunk(),
    'frozen memory': () => Object.freeze(new Float32Array(0)),
    'an object with the prototype of floats': () => Object.create(Float32Array.prototype) as unknown,
    'bytes with the prototype of floats': () => disguised(new Uint8Array(16), Float32Array.prototype),
    'a view with the prototype of floats': () => disguised(new DataView(new ArrayBuffer(16)), Float32Array.prototype),
    'floats with the prototype of bytes': () => disguised(floats(), Uint8Array.prototype),
    'an array with the prototype of floats': () => disguised([1, 2, 3, 4], Float32Array.prototype),
    doubles: () => Float64Array.of(1, 2, 3, 4),
    'doubles that are no integers': () => Float64Array.of(0.5),
    'an object with the prototype of doubles': () => Object.create(Float64Array.prototype) as unknown,
    words: () => Uint32Array.of(1, 0, 1, 4),
    'an object with the prototype of words': () => Object.create(Uint32Array.prototype) as unknown,
    bytes: () => new Uint8Array(16),
    'an object with the prototype of bytes': () => Object.create(Uint8Array.prototype) as unknown,
    'bytes of which the owner says they are more': () =>
      Object.defineProperty(new Uint8Array(4), 'length', { value: 2 ** 31 }),
    'large integers': () => BigInt64Array.of(1n, 2n, 3n, 4n),
    'a view': () => new DataView(new ArrayBuffer(16)),
    memory: () => new ArrayBuffer(16),
    'an object with the prototype of memory': () => Object.create(ArrayBuffer.prototype) as unknown,
    ...(shared === undefined
      ? {}
      : { 'shared memory': () => shared, 'floats on shared memory': () => new Float32Array(shared, 0, 4).fill(1) }),
    ...(inNode ? {} : { 'document.all': () => document.all }),
    ...(await foreign()),
  };
}
