// The packed package, run in every bundler and runtime: node matrix.mjs [--skip-browsers] [part of a line's name…]
//
//   apps/          the pages and programs that are run, and what all of them check
//   bundlers.mjs   pages in Chromium, bundled or not
//   runtimes.mjs   programs in Node, Deno, Bun and workerd
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { withPacked } from '../scripts/packed.mjs';
import * as bundlers from './bundlers.mjs';
import * as runtimes from './runtimes.mjs';

const PAGES = [
  ['Vite, dev server', bundlers.viteDev],
  ['Vite, production build', bundlers.viteBuild],
  ['Vite 7, dev server', bundlers.vite7Dev],
  ['Vite 7, production build', bundlers.vite7Build],
  ['webpack', bundlers.webpack],
  ['esbuild', bundlers.esbuild],
  ['esbuild, one classic script', bundlers.esbuildInline],
  ['Rollup', bundlers.rollup],
  ['<script type="module">', bundlers.plain],
  ['dedicated worker', bundlers.dedicatedWorker],
  ['service worker', bundlers.serviceWorker],
];
const PROGRAMS = [
  ['Node, module', runtimes.nodeModule],
  ['Node, import() in CommonJS', runtimes.nodeCommonJs],
  ['Node, worker thread', runtimes.nodeThread],
  ['Deno', runtimes.deno],
  ['Bun', runtimes.bun],
  ['workerd', runtimes.workerd],
];
const BACKENDS = ['relaxed-simd', 'simd128'];

const { values, positionals } = parseArgs({
  options: { 'skip-browsers': { type: 'boolean', default: false } },
  allowPositionals: true,
});
const wanted = ([name]) => positionals.length === 0 || positionals.some((part) => name.toLowerCase().includes(part.toLowerCase()));
const isPage = (line) => PAGES.includes(line);

const lines = [];
await withPacked(async ({ project, installed }) => {
  fs.cpSync(fileURLToPath(new URL('apps', import.meta.url)), path.join(project, 'src'), { recursive: true });
  for (const line of [...PAGES, ...PROGRAMS].filter(wanted)) {
    const [name, run] = line;
    const skipped = isPage(line) && values['skip-browsers'];
    const outcome = skipped ? { mark: '–', says: 'not run: --skip-browsers' } : await ran(() => run({ project, installed }));
    lines.push({ name, ...outcome });
    console.log(`${outcome.mark} ${seconds(outcome)}  ${name}: ${outcome.says}`);
  }
});
table(lines);
const failed = lines.filter(({ mark }) => mark === '✗').length;
process.exitCode = failed === 0 && lines.length > 0 ? 0 : 1;

/** Does a line, and says how it ended. */
async function ran(run) {
  const start = performance.now();
  const ended = (outcome) => ({ ...outcome, ms: performance.now() - start });
  try {
    const result = await run();
    if (!BACKENDS.includes(result.backend) || !(result.rows > 0)) throw new Error(`it answers ${JSON.stringify(result)}`);
    const { tool, browser, backend, rows, did, modules = [] } = result;
    const where = browser === undefined ? tool : `${tool}, ${browser}`;
    const files = modules.length === 0 ? '' : `; emitted ${modules.join(', ')}`;
    const says = `${where}: ${backend}, ${rows.toLocaleString('en')} rows (${did})${files}`;
    return ended({ mark: '✓', says, where, backend, rows, modules: modules.length });
  } catch (error) {
    const mark = error instanceof runtimes.NotToBeHad ? '–' : '✗';
    return ended({ mark, says: mark === '–' ? error.message : (error.stack ?? String(error)) });
  }
}

function seconds({ ms }) {
  return ms === undefined ? '       ' : `${(ms / 1000).toFixed(1).padStart(5)} s`;
}

/** Prints all lines again, side by side. */
function table(lines) {
  const cells = lines.map(({ mark, name, says, where = mark === '–' ? says : '', backend = '', rows, modules, ...line }) => [
    mark, seconds(line).trim(), name, where, backend, rows === undefined ? '' : String(rows), modules ? String(modules) : '',
  ]);
  const rows = [['', 'time', 'runs in', 'version', 'backend', 'rows', '.wasm'], ...cells];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  console.log();
  for (const row of rows) console.log(row.map((cell, column) => cell.padEnd(widths[column])).join('  ').trimEnd());
  const count = (mark) => lines.filter((line) => line.mark === mark).length;
  console.log(`${count('✓')} passed, ${count('✗')} failed, ${count('–')} not run`);
}
