/** Getting a compiled module from where it lies, in browsers. */

import type { Build } from './engine.js';

/** The address of each build. */
export type ModuleUrls = Readonly<Record<Build, string>>;

/**
 * Where the modules lie. Written out, because bundlers know the `new URL` pattern and put what it names beside the
 * bundle; in a function, because a script that is no module has no `import.meta.url`, and fails when it loads one.
 */
export function moduleUrls(): ModuleUrls {
  return {
    simd128: new URL('./assets/edgevec_simd128.wasm', import.meta.url).href,
    relaxed: new URL('./assets/edgevec_relaxed.wasm', import.meta.url).href,
  };
}

/** By the network: compiled while it arrives, where the server says that it is WebAssembly. */
export async function fetchModule(url: string): Promise<WebAssembly.Module> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const type = response.headers.get('content-type') ?? '';
  // Development servers answer so to what they do not have.
  if (type.startsWith('text/html')) throw new Error(`${url} is a page: the module must be copied there`);
  // Compiling while it arrives demands the right type; static servers often do not know it.
  if (type.startsWith('application/wasm') && 'compileStreaming' in WebAssembly) {
    return WebAssembly.compileStreaming(response);
  }
  return WebAssembly.compile(await response.arrayBuffer());
}
