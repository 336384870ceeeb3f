/** Getting a compiled module from where it lies, in browsers. */

import type { Build } from './engine.js';

/** Written out, because bundlers know the `new URL` pattern and put what it names beside the bundle. */
const urls = {
  simd128: new URL('./wasm/edgevec_simd128.wasm', import.meta.url),
  relaxed: new URL('./wasm/edgevec_relaxed.wasm', import.meta.url),
};

/** By the network: compiled while it arrives, where the server says that it is WebAssembly. */
export async function fetchModule(build: Build): Promise<WebAssembly.Module> {
  const url = urls[build];
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.href} answered ${response.status}`);
  // Compiling while it arrives demands the right type; static servers often do not know it.
  const type = response.headers.get('content-type') ?? '';
  if (type.startsWith('application/wasm') && 'compileStreaming' in WebAssembly) {
    return WebAssembly.compileStreaming(response);
  }
  return WebAssembly.compile(await response.arrayBuffer());
}
