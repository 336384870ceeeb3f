// The package's tests, the demo and the benchmark page in one browser engine: node suite.mjs --engine chromium|firefox|webkit
import { parseArgs } from 'node:util';
import { runPage } from './run.mjs';

const { engine } = parseArgs({ options: { engine: { type: 'string', default: 'chromium' } } }).values;
let failed = 0;

const tests = await runPage({ engine, page: '/js/test/browser/index.html', timeout: 300, isolated: true });
const { passes, failures = [], pending = [], error } = tests.result;
for (const failure of failures) console.error(`✗ ${failure.title}\n  ${failure.error}`);
for (const message of tests.errors) console.error(`on the page: ${message}`);
if (error) console.error(error);
failed += failures.length + tests.errors.length + (error ? 1 : 0) + (passes > 0 ? 0 : 1);
console.log(`${tests.version}: ${passes} tests passed, ${failures.length} failed, ${pending.length} skipped; backend ${tests.result.backend}`);

const demo = await runPage({ engine, page: '/wasm/examples/batch_insert.html?auto', timeout: 300 });
for (const message of demo.errors) console.error(`in the demo: ${message}`);
if (demo.result.error) console.error(`the demo failed: ${demo.result.error}`);
failed += demo.errors.length + (demo.result.error ? 1 : 0);
const { rows, loopMs, batchMs, backend } = demo.result;
console.log(`${demo.version}: demo with ${rows} rows, loop ${Math.round(loopMs)} ms, batch ${Math.round(batchMs)} ms, ${backend}`);
failed += rows === 10_000 ? 0 : 1;

const page = await runPage({ engine, page: '/wasm/examples/benchmark.html?auto', timeout: 300 });
for (const message of page.errors) console.error(`on the benchmark page: ${message}`);
if (page.result.error) console.error(`the benchmark page failed: ${page.result.error}`);
const { kinds = [], markdown = '', stopped } = page.result;
const measured = ['memory', 'noise', 'build', 'search', 'blocked', 'save'];
const missing = measured.filter((kind) => !kinds.includes(kind));
if (missing.length > 0) console.error(`the benchmark page did not measure ${missing.join(', ')}`);
const tables = markdown.match(/^\| --- /gm)?.length ?? 0;
if (tables !== 3) console.error(`the benchmark page's Markdown has ${tables} tables, expected 3`);
if (!stopped) console.error('the benchmark page did not stop');
failed += page.errors.length + missing.length + (tables === 3 && stopped && !page.result.error ? 0 : 1);
console.log(`${page.version}: benchmark page measured ${kinds.join(', ')}`);
process.exitCode = failed === 0 ? 0 : 1;
