// Runs workloads in one engine and prints a line of JSON for each:
//
//   node main.mjs --engine node|chromium|firefox|webkit --data DIR --modules DIR [--node PROGRAM] WORKLOADS…
//
// WORKLOADS is a list as JSON, for one process or page: each has `kind` and the arguments of `workloads.js`. With
// `pages` the list is run in so many processes or pages, for what is cold only once, and times are put together.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runPage } from '../../js/harness/run.mjs';
import { cpuMs } from './cpu.mjs';

const SECONDS = 1800;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    engine: { type: 'string' },
    data: { type: 'string' },
    modules: { type: 'string' },
    node: { type: 'string', default: process.execPath },
  },
});
const { engine, data, modules, node } = values;

async function inBrowser(workloads) {
  const outcome = await runPage({
    engine,
    page: `/bench/js/page.html?${encodeURIComponent(workloads)}`,
    timeout: SECONDS,
    // Isolated pages have finer clocks.
    isolated: true,
    mounts: { '/bench-data/': data, '/bench-wasm/': modules },
    answers: { '/bench-cpu': (run) => cpuMs(run.family()) },
    // Asking takes time that would be counted.
    pollMs: 2000,
    onLine: (line) => console.error(`  ${line}`),
  });
  if (outcome.errors.length > 0) throw new Error(outcome.errors.join('; '));
  if (outcome.result.error) throw new Error(outcome.result.error);
  return { engine: outcome.version, ...outcome.result };
}

/** Tries again what failed, and says so: an hour of measuring need not end because an engine failed in one page. */
async function twice(page) {
  try {
    return await page();
  } catch (error) {
    console.error(`  the page failed, and is tried once more: ${error.message}`);
    return page();
  }
}

function inNode(workloads) {
  const script = fileURLToPath(new URL('node.mjs', import.meta.url));
  return new Promise((resolve, reject) => {
    const child = execFile(node, [script, workloads, data, modules], { maxBuffer: 1 << 24, timeout: SECONDS * 1000 }, (error, printed) => {
      if (error) reject(error);
      else resolve({ engine: `Node/${version}`, ...JSON.parse(printed) });
    });
    child.stderr.pipe(process.stderr);
  });
}

const version = await new Promise((resolve, reject) => {
  execFile(node, ['--version'], (error, printed) => (error ? reject(error) : resolve(printed.trim().slice(1))));
});

/** Writes a saved index of a data set beside it, of this very version. */
async function laySaved(name) {
  const { EdgeVec } = await import('../../js/dist/entry/node.js');
  const folder = path.join(data, name);
  const rows = fs.readFileSync(path.join(folder, 'rows.f32'));
  const index = await EdgeVec.create(metaOf(name));
  await index.insertBatch(new Float32Array(rows.buffer.slice(rows.byteOffset, rows.byteOffset + rows.byteLength)));
  fs.writeFileSync(path.join(folder, 'saved.edgevec'), index.toBytes());
  index.close();
}

const metaOf = (name) => JSON.parse(fs.readFileSync(path.join(data, name, 'meta.json')));

for (const text of positionals) {
  console.error(`· ${text}`);
  const workloads = JSON.parse(text);
  for (const { kind, data: name } of workloads) if (kind === 'start') await laySaved(name);
  let results = [];
  for (let page = 0; page < (workloads[0].pages ?? 1); page += 1) {
    const list = JSON.stringify(workloads.map((workload) => ({ ...workload, page })));
    const outcome = await (engine === 'node' ? inNode(list) : twice(() => inBrowser(list)));
    results = outcome.results.map((result, place) => {
      const times = { ...result.times };
      for (const [way, before] of Object.entries(results[place]?.times ?? {})) times[way] = [...before, ...(times[way] ?? [])];
      return { engine: outcome.engine, backend: outcome.backend, ...result, ...(result.times && { times }) };
    });
  }
  for (const [place, result] of results.entries()) {
    const { kind, data: name } = workloads[place];
    const { set, rows, dimensions, metric, queries, top } = metaOf(name);
    console.log(JSON.stringify({ kind, set, rows, dimensions, metric, queries, top, m: 16, efConstruction: 200, ...result }));
  }
}
