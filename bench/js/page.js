// Workloads in a page: `?` and a list of them as JSON; the results go to window.__result.
import { EdgeVec } from '../../js/dist/entry/browser.js';
import { moduleMemoryBytes } from '../../js/dist/engine.js';
import { runsRelaxedSimd } from '../../js/dist/detect.js';
import { WORKLOADS } from './workloads.js';

async function bytes(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.arrayBuffer();
}

const lab = {
  EdgeVec,
  memoryBytes: moduleMemoryBytes,
  heapBytes: () => performance.memory?.usedJSHeapSize,
  say: (text) => console.log(text),
  async cpuMs() {
    return (await (await fetch('/bench-cpu')).json()) ?? undefined;
  },
  async core() {
    const glue = await import('/bench-wasm/bench.js');
    const build = (await runsRelaxedSimd()) ? 'relaxed' : 'simd128';
    glue.initSync({ module: await WebAssembly.compile(await bytes(`/bench-wasm/bench_${build}.wasm`)) });
    lab.core = () => Promise.resolve(glue);
    return glue;
  },
  saved: (name) => bytes(`/bench-data/${name}/saved.edgevec`),
  async open(name) {
    const at = (file) => bytes(`/bench-data/${name}/${file}`);
    const { rows: count, queries: queryCount, dimensions, metric, top } = await (await fetch(`/bench-data/${name}/meta.json`)).json();
    const [rows, queries, truth] = await Promise.all([at('rows.f32'), at('queries.f32'), at('truth.u32')]);
    return {
      count, queryCount, dimensions, metric, top,
      rows: new Float32Array(rows), queries: new Float32Array(queries), truth: new Uint32Array(truth),
    };
  },
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
