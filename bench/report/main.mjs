// Writes the benchmark documents from docs/benchmarks/data/*.json, the only source of their numbers:
//
//   node main.mjs            writes them
//   node main.mjs --check    says which is not what the results give, and fails
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { batchReport, batchSummary } from './batch.mjs';
import { qualityCharts, qualityReport, qualitySummary } from './quality.mjs';
import { rivalsCharts, rivalsReport, rivalsSummary } from './rivals.mjs';

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

const quality = results('quality');
const batches = new Map(ENGINES.map((engine) => [engine, results(`batch-${engine}`)]));
for (const [engine, lines] of batches) if (lines.length === 0) batches.delete(engine);

const rivals = new Map(['javascript', 'native'].map((family) => [family, results(`rivals-${family}`)]).filter(([, lines]) => lines.length > 0));

const summary = [batchSummary(batches, quality), qualitySummary(quality), rivalsSummary(rivals)].filter(Boolean).join('\n');
const documents = {
  'docs/benchmarks/quality.md': qualityReport(quality),
  'docs/benchmarks/wasm_batch.md': batchReport(batches, quality),
  'README.md': withResults(fs.readFileSync(`${root}README.md`, 'utf8'), summary),
  ...qualityCharts(quality),
  'docs/benchmarks/rivals.md': rivalsReport(rivals),
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
