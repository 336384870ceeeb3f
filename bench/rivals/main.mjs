// Measures contenders in turn, each in a process or page of its own, and prints a line of JSON after each measurement:
//
//   node main.mjs --family javascript|chromium|native --data DIR --set NAME… --rounds N --seconds S [--only NAME…]
//
// A line holds all rounds of one contender, one way of building and one data set so far, so that the last line of
// each is the whole, and a run that is stopped has kept what it measured.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cpuMs } from '../js/cpu.mjs';
import { runPage } from '../../js/harness/run.mjs';
import { download } from './download.mjs';
import { firstLine } from './measure.mjs';

/** The last takes longest. */
const JAVASCRIPT = [
  'edgevec', 'edgevec-registry', 'hnswlib-wasm', 'horajs', 'rabitq', 'voy', 'orama', 'pglite', 'usearch', 'hnswlib-node', 'sqlite-vec',
  'edgevec-registry-cosine',
];
/** By what measures them: the first in Rust, the others in Python. */
const NATIVE = {
  edgevec: ['insert_batch', 'insert', 'insert_batch again'],
  hnswlib: ['add_items'],
  faiss: ['add'],
  'faiss-sq8': ['add'],
  usearch: ['add'],
  numpy: ['copy'],
};
/** What takes longer to build is not repeated in further rounds. */
const REPEATED_MS = 30_000;
/** Limits are of CPU time, because machines are shared; one that waits for nothing is ended after so many times that. */
const WAITING = 4;

const here = path.dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({
  options: {
    family: { type: 'string' },
    data: { type: 'string' },
    set: { type: 'string', multiple: true },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '900' },
    only: { type: 'string', multiple: true, default: [] },
    node: { type: 'string', default: process.execPath },
    python: { type: 'string', default: 'python3' },
    program: { type: 'string' },
  },
});
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];

const version = (name) => {
  const folder = name.startsWith('.') ? path.join(here, name) : path.join(here, 'node_modules', name);
  return JSON.parse(fs.readFileSync(path.join(folder, 'package.json'))).version;
};

async function javascript(contender) {
  const adapter = await import(`./adapters/${contender}.mjs`);
  const { about, ways, metrics } = adapter;
  const facts = {
    name: about.name,
    version: [about.package, about.with].filter(Boolean).map(version).join(' with '),
    runs: about.runs,
    ...(adapter.download && { download: download(adapter.download) }),
  };
  const command = (way, folder) => [values.node, '--expose-gc', path.join(here, 'in-node.mjs'), contender, way, folder];
  return ways.map((way) => ({ contender, way, facts, metrics, measure: (folder) => run(command(way, folder)) }));
}

/** The same in pages of Chromium, without what no page can run. */
async function chromium(contender) {
  const ways = await javascript(contender);
  const able = ways.filter(({ facts }) => facts.runs !== 'native addon');
  return able.map((way) => ({ ...way, measure: (folder) => inPage(way, path.basename(folder)) }));
}

const native = (contender) => NATIVE[contender].map((way) => ({
  contender,
  way,
  facts: {},
  measure: (folder) => run(contender === 'edgevec'
    ? [values.program, 'contender', folder, '--way', way.startsWith('insert_batch') ? 'batch' : 'loop']
    : [values.python, path.join(here, 'native/measure.py'), contender, folder]),
}));

/** A page that says nothing for so long is ended: there is no limit to its CPU time. */
async function inPage({ contender, way }, data) {
  try {
    const { version: engine, result } = await runPage({
      engine: 'chromium',
      page: `/bench/rivals/page.html?${new URLSearchParams({ contender, way, data })}`,
      timeout: seconds,
      // For finer clocks, and for libraries that need shared memory.
      isolated: true,
      mounts: { '/bench-data/': path.resolve(values.data) },
      answers: { '/bench-cpu': (run) => cpuMs(run.family()) },
      // Asking takes time that would be counted.
      pollMs: 2000,
    });
    return { engine, ...result };
  } catch (error) {
    return { failed: firstLine(error) };
  }
}

/** Runs a command that prints one line of JSON; what goes wrong is a result, too. */
function run([program, ...args]) {
  return new Promise((resolve) => {
    // Libraries that share work among threads are to use one.
    const env = { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' };
    const limited = ['-c', `ulimit -S -t ${seconds}; exec "$@"`, 'sh', program, ...args];
    const child = spawn('sh', limited, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let [printed, errors, late] = ['', '', false];
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, WAITING * seconds * 1000);
    child.stdout.on('data', (text) => { printed += text; });
    child.stderr.on('data', (text) => { errors = (errors + text).slice(-4000); });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const failed = (why) => resolve({ failed: why });
      if (late) return failed(`not over after ${WAITING * seconds} s`);
      if (signal === 'SIGXCPU') return failed(`took more than ${seconds} s of CPU`);
      try {
        return resolve(JSON.parse(printed));
      } catch {
        const last = errors.trim().split('\n').at(-1) ?? '';
        return failed(signal ? `killed by ${signal}` : `ended with ${code}: ${last.slice(0, 160)}`);
      }
    });
  });
}

const families = {
  javascript: () => Promise.all(JAVASCRIPT.map(javascript)),
  chromium: () => Promise.all(JAVASCRIPT.map(chromium)),
  native: () => Object.keys(NATIVE).map(native),
};
const contenders = (await families[values.family]()).flat().filter(({ contender }) => values.only.length === 0 || values.only.includes(contender));
if (contenders.length === 0) {
  console.error(`no contender of the family ${values.family} is called ${values.only.join(' or ')}`);
  process.exit(1);
}
const engine = values.family === 'javascript' ? await new Promise((resolve) => {
  spawn(values.node, ['--version']).stdout.once('data', (text) => resolve(`Node ${String(text).trim().slice(1)}`));
}) : undefined;

for (const name of values.set) {
  const folder = path.join(values.data, name);
  const { set, rows, dimensions, metric, queries, top } = JSON.parse(fs.readFileSync(path.join(folder, 'meta.json')));
  const able = contenders.filter(({ metrics }) => metrics === undefined || metrics.includes(metric));
  const lines = new Map();
  const once = new Set();
  for (let round = 0; round < rounds; round += 1) {
    for (const contender of able) {
      const line = lines.get(contender) ?? {
        kind: 'rival', contender: contender.contender, way: contender.way, set, rows, dimensions, metric, queries, top, engine,
        seconds, ...contender.facts, rounds: [],
      };
      lines.set(contender, line);
      const place = `${name}, round ${round + 1} of ${rounds}: ${contender.contender}, ${contender.way}`;
      if (once.has(contender)) continue;
      const start = Date.now();
      const load = os.loadavg()[0];
      const { facts, engine: ran, parameters, backend, ...measured } = await contender.measure(folder);
      Object.assign(line, facts, ran && { engine: ran }, parameters && { parameters }, backend && { backend });
      line.rounds.push({ load, ...measured });
      const outcome = measured.failed ?? `built in ${(measured.cpuMs / 1000).toFixed(2)} s of CPU`;
      console.error(`  ${place}: ${outcome} (${Math.round((Date.now() - start) / 1000)} s)`);
      console.log(JSON.stringify(line));
      if (measured.failed !== undefined || measured.cpuMs > REPEATED_MS) once.add(contender);
    }
    // What was measured first in one round is measured last in the next.
    able.reverse();
  }
}
