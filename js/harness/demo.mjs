// The demo: served until it is interrupted, or run without a screen and told as text.
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { ROOT, runPage } from './run.mjs';
import { serve } from './server.mjs';

const PAGE = '/wasm/examples/batch_insert.html';
const BENCHMARK = '/wasm/examples/benchmark.html';
const { values } = parseArgs({
  options: {
    headless: { type: 'boolean', default: false },
    engine: { type: 'string', default: 'chromium' },
    port: { type: 'string', default: '8737' },
    screenshot: { type: 'string' },
  },
});

if (values.headless) {
  const { engine, screenshot } = values;
  const outcome = await runPage({ engine, page: `${PAGE}?auto`, timeout: 300, width: 1440, height: 1000, ...(screenshot ? { screenshot } : {}) });
  for (const message of outcome.errors) console.error(`on the page: ${message}`);
  if (outcome.result.error) console.error(outcome.result.error);
  else tell(outcome);
  process.exitCode = outcome.errors.length === 0 && !outcome.result.error ? 0 : 1;
} else {
  const { origin } = await serve(ROOT, { port: Number(values.port), folders: ['/wasm/examples/', '/js/dist/', '/data/', '/bench/js/', '/bench/report/'] });
  console.log(`The demo is at ${origin}${PAGE} (Ctrl+C ends it)`);
  console.log(`Measure this browser at ${origin}${BENCHMARK}`);
  const opener = process.platform === 'darwin' ? 'open' : process.platform === 'win32' ? 'explorer' : 'xdg-open';
  if (process.platform !== 'linux' || process.env.DISPLAY || process.env.WAYLAND_DISPLAY) {
    spawn(opener, [origin + PAGE], { stdio: 'ignore', detached: true }).on('error', () => {}).unref();
  }
}

function tell({ version, result }) {
  const { rows, dimensions, backend, loopMs, batchMs, batchMsWithWorkers, speedUp, inserted, recallAt10, search, errors, longestGapMs } = result;
  const ms = (value) => `${Math.round(value).toLocaleString('en')} ms`;
  console.log(`${version}, ${backend}: ${inserted.toLocaleString('en')} of ${rows.toLocaleString('en')} rows inserted, ${dimensions} dimensions`);
  console.log(`  loop of insert()   ${ms(loopMs)}`);
  console.log(`  insertBatch()      ${ms(batchMs)}   ${speedUp.toFixed(1)} times as fast, recall@10 ${Number(recallAt10).toFixed(3)}`);
  console.log(`  with workers       ${ms(batchMsWithWorkers)}`);
  console.log(`  page blocked for at most ${ms(longestGapMs.loop)} by the loop, ${ms(longestGapMs.batch)} by the batch`);
  console.log(`search for “${search.query.lemma}”: ${search.ms.toFixed(2)} ms`);
  for (const { distance, lemma, text } of search.hits) console.log(`  ${distance.toFixed(3)}  ${lemma}: ${text.slice(0, 90)}`);
  console.log('errors, each from a real bad call:');
  for (const { code, message } of errors) console.log(`  ${code}: ${message}`);
}
