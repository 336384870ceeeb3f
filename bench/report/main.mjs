// Writes the benchmark documents from docs/benchmarks/data/*.json and bench/counts.json, the only sources of their
// numbers:
//
//   node main.mjs            writes them
//   node main.mjs --check    says which is not what the results give, and fails
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { batchCharts, batchReport, batchSummary } from './batch.mjs';
import { qualityCharts, qualityReport, qualitySummary } from './quality.mjs';
import { rivalsCharts, rivalsReport, rivalsSummary } from './rivals.mjs';
import { searchCharts, searchReport, searchSummary } from './search.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const ENGINES = ['native', 'chromium', 'firefox', 'webkit', 'node', 'node-relaxed'];
const [START, END] = ['<!-- bench:start -->', '<!-- bench:end -->'];

function results(name) {
  const file = `${root}docs/benchmarks/data/${name}.json`;
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : [];
}

/** The README with another text between its two marks. */
function withResults(readme, text) {
  const [start, end] = [readme.indexOf(START), readme.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`README.md lacks ${START} and ${END}`);
  return `${readme.slice(0, start + START.length)}\n${text}${readme.slice(end)}`;
}

/** Results of all engines, or families, that have some. */
function byName(kind, names) {
  return new Map(names.map((name) => [name, results(`${kind}-${name}`)]).filter(([, lines]) => lines.length > 0));
}

const quality = results('quality');
const batches = byName('batch', ENGINES);
const searches = byName('search', ENGINES);
const rivals = byName('rivals', ['chromium', 'javascript', 'native']);
const counts = JSON.parse(fs.readFileSync(`${root}bench/counts.json`, 'utf8'));

const summaries = [batchSummary(batches), qualitySummary(quality), searchSummary(searches), rivalsSummary(rivals)];
const documents = {
  'docs/benchmarks/quality.md': qualityReport(quality),
  'docs/benchmarks/wasm_batch.md': batchReport(batches, quality),
  'docs/benchmarks/search.md': searchReport(searches, counts),
  'docs/benchmarks/rivals.md': rivalsReport(rivals),
  'README.md': withResults(fs.readFileSync(`${root}README.md`, 'utf8'), summaries.filter(Boolean).join('\n')),
  ...qualityCharts(quality),
  ...batchCharts(batches),
  ...searchCharts(searches),
  ...rivalsCharts(rivals),
};

const stale = Object.entries(documents).filter(([path, text]) => {
  const there = fs.existsSync(root + path) ? fs.readFileSync(root + path, 'utf8') : undefined;
  return there !== text;
});
if (process.argv.includes('--check')) {
  for (const [path] of stale) console.error(`${path} is not what the results give: run \`cargo xtask bench report\``);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  for (const [path, text] of stale) fs.writeFileSync(root + path, text);
  console.log(stale.length === 0 ? 'the documents are up to date' : `written: ${stale.map(([path]) => path).join(', ')}`);
}
