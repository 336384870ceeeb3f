// Workloads in a page: `?` and a list of them as JSON; the results go to window.__result.
import { EdgeVec } from '../../js/dist/entry/browser.js';
import { moduleMemoryBytes } from '../../js/dist/engine.js';
import { runsRelaxedSimd } from '../../js/dist/detect.js';
import { openData } from './data.js';
import { bytes, cpuMs } from './served.js';
import { WORKLOADS } from './workloads.js';

const lab = {
  EdgeVec,
  memoryBytes: moduleMemoryBytes,
  heapBytes: () => performance.memory?.usedJSHeapSize,
  say: (text) => console.log(text),
  cpuMs,
  async core() {
    const glue = await import('/bench-wasm/bench.js');
    const build = (await runsRelaxedSimd()) ? 'relaxed' : 'simd128';
    glue.initSync({ module: await WebAssembly.compile(await bytes(`/bench-wasm/bench_${build}.wasm`)) });
    lab.core = () => Promise.resolve(glue);
    return glue;
  },
  saved: (name) => bytes(`/bench-data/${name}/saved.edgevec`),
  open: (name) => openData((file) => bytes(`/bench-data/${name}/${file}`)),
};

try {
  const results = [];
  for (const { kind, ...settings } of JSON.parse(decodeURIComponent(location.search.slice(1)))) {
    results.push(await WORKLOADS[kind](lab, settings));
  }
  window.__result = { results, backend: EdgeVec.backend };
} catch (error) {
  window.__result = { error: `${error.message}\n${error.stack}` };
}
