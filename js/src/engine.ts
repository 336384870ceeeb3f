/** The WebAssembly module: which build is loaded, and that it is loaded once. */

import { runsRelaxedSimd } from './detect.js';
import { EdgeVecError } from './errors.js';
import { backend, initSync } from './wasm/edgevec.js';

/** The builds of the module. */
export type Build = 'simd128' | 'relaxed';

/** Gets a build as a compiled module; every way of loading has its own, in `entry/`. */
export type Loader = (build: Build) => Promise<WebAssembly.Module> | WebAssembly.Module;

let loader: Loader | undefined;
let builds: readonly Build[] = ['simd128'];
let loading: Promise<void> | undefined;
let module: WebAssembly.Module | undefined;
let memory: WebAssembly.Memory | undefined;

/** Says how modules are got, and which builds there are. Called by the entry files; the first one counts. */
export function setLoader(load: Loader, available: readonly Build[]): void {
  if (loader !== undefined) return;
  loader = load;
  builds = available;
}

/** Loads the fastest build the engine runs correctly, the first time it is called. */
export function load(): Promise<void> {
  loading ??= start().catch((error: unknown) => {
    loading = undefined; // a network may be back the next time
    const reason = error instanceof Error ? error.message : String(error);
    throw new EdgeVecError('LOAD_FAILED', `the WebAssembly module could not be loaded: ${reason}`, { reason });
  });
  return loading;
}

async function start(): Promise<void> {
  if (loader === undefined) throw new Error('no way of loading was chosen');
  const build = builds.includes('relaxed') && (await runsRelaxedSimd()) ? 'relaxed' : 'simd128';
  const compiled = await loader(build);
  ({ memory } = initSync({ module: compiled }));
  module = compiled;
}

/** The instructions in use, when a module is loaded. */
export function loadedBackend(): string | undefined {
  return memory === undefined ? undefined : backend();
}

/** The module in use, for instances in other threads. */
export function loadedModule(): WebAssembly.Module | undefined {
  return module;
}

/** Bytes of the module's memory, of all indexes together; for tests and benchmarks. */
export function moduleMemoryBytes(): number {
  return memory?.buffer.byteLength ?? 0;
}
