// Runs workloads in one engine, each in a process or page of its own, and prints a line of JSON for each:
//
//   node main.mjs --engine node|chromium|firefox|webkit --data DIR --modules DIR [--node PROGRAM] WORKLOAD…
//
// A workload is the JSON of `workloads.js`'s arguments and `kind`. With `pages` it is run in so many processes
// or pages, for what is cold only once, and the times are put together.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runPage } from '../../js/harness/run.mjs';

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

/** Time that the threads of these processes have worked. */
function cpuMs(processes) {
  let nanoseconds = 0;
  for (const process of processes) {
    const tasks = `/proc/${process}/task`;
    try {
      for (const task of fs.readdirSync(tasks)) {
        nanoseconds += Number(fs.readFileSync(`${tasks}/${task}/schedstat`, 'latin1').split(' ', 1)[0]);
      }
    } catch {
      // It ended meanwhile.
    }
  }
  return nanoseconds / 1e6;
}

async function inBrowser(workload) {
  const outcome = await runPage({
    engine,
    page: `/bench/js/page.html?${encodeURIComponent(workload)}`,
    timeout: SECONDS,
    // Isolated pages have finer clocks.
    isolated: true,
    mounts: { '/bench-data/': data, '/bench-wasm/': modules },
    answers: { '/bench-cpu': (run) => (os.platform() === 'linux' ? cpuMs(run.family()) : null) },
    // Asking takes time that would be counted.
    pollMs: 2000,
    onLine: (line) => console.error(`  ${line}`),
  });
  if (outcome.errors.length > 0) throw new Error(outcome.errors.join('; '));
  if (outcome.result.error) throw new Error(outcome.result.error);
  return { engine: outcome.version, ...outcome.result };
}

function inNode(workload) {
  const script = fileURLToPath(new URL('node.mjs', import.meta.url));
  return new Promise((resolve, reject) => {
    const child = execFile(node, [script, workload, data, modules], { maxBuffer: 1 << 24, timeout: SECONDS * 1000 }, (error, printed) => {
      if (error) reject(error);
      else resolve({ engine: `Node/${version}`, ...JSON.parse(printed) });
    });
    child.stderr.pipe(process.stderr);
  });
}

const version = await new Promise((resolve, reject) => {
  execFile(node, ['--version'], (error, printed) => (error ? reject(error) : resolve(printed.trim().slice(1))));
});
for (const workload of positionals) {
  console.error(`· ${workload}`);
  const { kind, data: name, pages = 1 } = JSON.parse(workload);
  const { set, rows, dimensions, metric, queries, top } = JSON.parse(fs.readFileSync(path.join(data, name, 'meta.json')));
  let result;
  for (let page = 0; page < pages; page += 1) {
    const next = await (engine === 'node' ? inNode(workload) : inBrowser(workload));
    for (const [way, times] of Object.entries(result?.times ?? {})) next.times[way].unshift(...times);
    result = next;
  }
  console.log(JSON.stringify({ kind, set, rows, dimensions, metric, queries, top, m: 16, efConstruction: 200, ...result }));
}
