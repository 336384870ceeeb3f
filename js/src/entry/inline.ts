/** For hosts that serve one script and nothing else: the module is inside it. */
import { setLoader } from '../engine.js';
import { simd128 } from '../wasm/inline.js';

setLoader(
  () => WebAssembly.compile(Uint8Array.from(atob(simd128), (letter) => letter.charCodeAt(0))),
  ['simd128'],
);

export * from '../index.js';
