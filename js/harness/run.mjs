// Opens a page in a real browser engine and returns what it puts into window.__result.
//
//   node run.mjs --engine chromium|firefox|webkit --check                     is the engine there?
//   node run.mjs --engine … --page /path.html [--root DIR] [--timeout S]      prints the result as JSON
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as puppeteer from './engines/puppeteer.mjs';
import * as webkit from './engines/webkit.mjs';
import { Run, sleep, within } from './processes.mjs';
import { serve } from './server.mjs';

export const ENGINES = ['chromium', 'firefox', 'webkit'];
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

// Runs in the page: null until there is a result, then the result as JSON.
const PROBE = `(() => {
  const result = window.__result;
  if (result === undefined) return null;
  return JSON.stringify({ result }, (_, value) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value);
})()`;
const STATE = `document.readyState + ', ' + document.title + ': ' + (document.body?.innerText ?? '').slice(0, 300)`;

export function find(engine) {
  return engine === 'webkit' ? webkit.find() : puppeteer.find(engine);
}

/**
 * @param {{ engine: string, page: string, root?: string, origin?: string, timeout?: number, width?: number,
 *   height?: number, screenshot?: string, isolated?: boolean, mounts?: object, answers?: object, onLine?: Function,
 *   pollMs?: number }} options  `page` is a path below `root`, or of the server at `origin`; `timeout` in seconds;
 *   a page that is `isolated` has `SharedArrayBuffer`; `mounts` and `answers` are the server's, and answers get the
 *   run; `onLine` gets what the page logs at once; the page is asked for its result every `pollMs`.
 * @returns {Promise<{ engine, version, result, errors: string[], lines: string[] }>}  `errors` are what the page
 *   or its workers threw or logged as errors, and requests that failed.
 */
export async function runPage(options) {
  const { engine, page, root = ROOT, timeout = 120, width = 1280, height = 900, screenshot } = options;
  const { isolated = false, mounts, onLine, pollMs = 100 } = options;
  if (find(engine) === undefined) throw new Error(`${engine} is not installed`);
  const run = new Run();
  const log = { errors: [], lines: [] };
  const answers = Object.fromEntries(Object.entries(options.answers ?? {}).map(([at, answer]) => [at, () => answer(run)]));
  const server = options.origin ? running(options.origin) : await serve(root, { isolated, mounts, answers });
  try {
    const open = engine === 'webkit' ? webkit.open : puppeteer.open;
    const settings = { engine, width, height, startMs: 180_000, timeoutMs: timeout * 1000, log };
    const browser = await within(open(run, settings), 200_000, `starting ${engine}`);
    const deadline = Date.now() + timeout * 1000;
    await within(browser.goto(server.origin + page), timeout * 1000, `loading ${page}`);
    let result;
    let said = 0;
    for (;;) {
      for (; onLine && said < log.lines.length; said += 1) onLine(log.lines[said]);
      const text = await within(browser.evaluate(PROBE), Math.max(deadline - Date.now(), 5000), 'the page');
      if (typeof text === 'string') {
        ({ result } = JSON.parse(text));
        break;
      }
      if (Date.now() > deadline) {
        const state = await within(browser.evaluate(STATE), 5000, 'its state').catch(() => 'no answer');
        throw new Error(`${page} set no result in ${timeout} s (${state}); ${log.errors.join('; ')}`);
      }
      await sleep(pollMs);
    }
    if (screenshot) await within(browser.screenshot(screenshot), 30_000, 'the screenshot');
    await sleep(200); // late messages
    await browser.evaluate(STATE).catch(() => {});
    return { engine, version: browser.version, result, errors: [...log.errors, ...server.missing], lines: log.lines };
  } finally {
    await run.close();
    await server.close();
  }
}

/** A server that somebody else has started, and ends. */
function running(origin) {
  return { origin, missing: [], close: () => {} };
}

async function main() {
  const { values } = parseArgs({
    options: {
      engine: { type: 'string', default: 'chromium' },
      check: { type: 'boolean', default: false },
      page: { type: 'string' },
      root: { type: 'string', default: ROOT },
      timeout: { type: 'string', default: '120' },
      size: { type: 'string', default: '1280x900' },
      screenshot: { type: 'string' },
    },
  });
  if (!ENGINES.includes(values.engine)) throw new Error(`--engine is one of ${ENGINES.join(', ')}`);
  if (values.check) {
    if (find(values.engine) === undefined) throw new Error(`${values.engine} is not installed`);
    return;
  }
  if (values.page === undefined) throw new Error('--page is the path of a page');
  const [width, height] = values.size.split('x').map(Number);
  const outcome = await runPage({
    engine: values.engine,
    page: values.page,
    root: path.resolve(values.root),
    timeout: Number(values.timeout),
    width,
    height,
    ...(values.screenshot ? { screenshot: path.resolve(values.screenshot) } : {}),
  });
  console.log(JSON.stringify(outcome, null, 2));
  if (outcome.errors.length > 0 || outcome.result?.error) process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
