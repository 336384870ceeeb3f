// Workloads in Node: node node.mjs LIST-AS-JSON DATA-FOLDER MODULE-FOLDER; prints the results as JSON.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { EdgeVec } from '../../js/dist/entry/node.js';
import { moduleMemoryBytes } from '../../js/dist/engine.js';
import { runsRelaxedSimd } from '../../js/dist/detect.js';
import { openData } from './data.js';
import { WORKLOADS } from './workloads.js';

const [jobs, dataFolder, moduleFolder] = process.argv.slice(2);

const lab = {
  EdgeVec,
  memoryBytes: moduleMemoryBytes,
  heapBytes: () => process.memoryUsage().heapUsed,
  say: (text) => console.error(`  ${text}`),
  async cpuMs() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
  async core() {
    const glue = await import(pathToFileURL(path.join(moduleFolder, 'bench.js')).href);
    const build = (await runsRelaxedSimd()) ? 'relaxed' : 'simd128';
    glue.initSync({ module: new WebAssembly.Module(fs.readFileSync(path.join(moduleFolder, `bench_${build}.wasm`))) });
    lab.core = () => Promise.resolve(glue);
    return glue;
  },
  async saved(name) {
    return new Uint8Array(fs.readFileSync(path.join(dataFolder, name, 'saved.edgevec')));
  },
  open: (name) => openData((file) => new Uint8Array(fs.readFileSync(path.join(dataFolder, name, file))).buffer),
};

const results = [];
for (const { kind, ...settings } of JSON.parse(jobs)) results.push(await WORKLOADS[kind](lab, settings));
console.log(JSON.stringify({ results, backend: EdgeVec.backend }));
