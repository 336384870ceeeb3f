/** For workerd and other edge runtimes: bytes cannot be compiled there, so the module is imported. */
import { setLoader } from '../engine.js';
// @ts-ignore: the runtime gives a WebAssembly.Module
import simd128 from '../assets/edgevec_simd128.wasm';

setLoader(() => simd128 as WebAssembly.Module, ['simd128']);

export * from '../index.js';
