// Puts the page together: settings, charts that grow while it measures, tables, Markdown.

import { median, milliseconds } from '../../../bench/report/text.mjs';
import { byId, duration, element } from '../batch_insert/dom.js';
import { loadPackage, packageModule } from '../batch_insert/package.js';
import { setUpTheme } from '../batch_insert/theme.js';
import { Chart } from './chart.js';
import { SAMPLE_DIMENSIONS, SAMPLE_ROWS } from './data.js';
import { markdown, shownTables, tablesOf } from './results.js';
import { measure } from './run.js';

const ROWS = { sample: [1000, 2500, 5000, SAMPLE_ROWS], generated: [1000, 2500, 5000, 10_000, 25_000] };
const USUAL_ROWS = 2500;
const DIMENSIONS = [64, 128, 384, 768];
const ROUNDS = [1, 2, 3, 5];
const USUAL_ROUNDS = 2;
/** A page that is held no longer than this draws every frame at 60 a second. */
const FRAME_MS = 16;

const number = (value) => value.toLocaleString('en');

/** What workloads need of the package. */
async function loadLab() {
  const [{ EdgeVec }, { moduleMemoryBytes }] = await Promise.all(['entry/browser.js', 'engine.js'].map(packageModule));
  // The first index loads the module: which build it is, and that it loads at all, is known from then on.
  (await EdgeVec.create({ dimensions: 2 })).close();
  return { EdgeVec, memoryBytes: moduleMemoryBytes };
}

/** What results are to be read with. */
function factsOf(EdgeVec) {
  const brand = navigator.userAgentData?.brands.find(({ brand }) => !/not.?a.?brand/i.test(brand));
  const [browser] = brand ? [`${brand.brand} ${brand.version}`] : (/(Firefox|Version|Chrome)\/[\d.]+/.exec(navigator.userAgent) ?? [navigator.userAgent]);
  return {
    browser: brand || browser.startsWith('Firefox') ? browser : browser.replace('Version', 'Safari'),
    system: navigator.userAgentData?.platform ?? navigator.platform,
    cores: navigator.hardwareConcurrency ?? 'unknown',
    ...(navigator.deviceMemory && { memory: `≥ ${navigator.deviceMemory} GiB` }),
    instructions: EdgeVec.backend,
  };
}

function showFacts(facts) {
  byId('facts').replaceChildren(...Object.entries(facts).map(([name, value]) => element('div', {}, element('dt', { text: name }), element('dd', { text: value }))));
}

class Page {
  #form = byId('settings');
  #lab; #facts; #stop; #results = []; #measured;
  #charts = {
    build: new Chart(byId('build-chart'), { label: 'Time of building against rows', x: 'rows', y: 'ms', lines: { loop: 'loop of insert()', batch: 'insertBatch()' } }),
    search: new Chart(byId('search-chart'), {
      label: 'Recall against queries a second', x: 'queries a second', y: 'recall@10', recall: true, lines: { loop: 'built by the loop', batch: 'built by the batch' },
    }),
    blocked: new Chart(byId('hold-chart'), {
      label: 'Time the page was held, during a batch and with nothing running', x: 'ms since the start', y: 'ms held', form: 'sticks', rule: FRAME_MS,
      lines: { batch: 'during insertBatch()', idle: 'with nothing running' },
    }),
  };

  constructor({ EdgeVec, memoryBytes }) {
    this.#lab = { EdgeVec, memoryBytes, heapBytes: () => performance.memory?.usedJSHeapSize, cpuMs: async () => undefined, say: () => {} };
    this.#facts = factsOf(EdgeVec);
    showFacts(this.#facts);
    this.#offer('dimensions', DIMENSIONS, 128);
    this.#offer('rounds', ROUNDS, USUAL_ROUNDS);
    this.#offerRows();
    this.#form.elements.source.addEventListener('change', () => this.#offerRows());
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      const { source, rows, dimensions, rounds } = Object.fromEntries(new FormData(this.#form));
      this.run({ source, rows: Number(rows), dimensions: Number(dimensions ?? SAMPLE_DIMENSIONS), rounds: Number(rounds) }).catch(console.error);
    });
    byId('stop').addEventListener('click', () => this.#stop?.abort());
    byId('copy').addEventListener('click', () => this.#copy());
    byId('start').disabled = false;
    byId('status').textContent = 'Ready. The usual settings take well under a minute on a laptop.';
  }

  /** Fills a list of numbers. */
  #offer(name, values, usual) {
    this.#form.elements[name].replaceChildren(...values.map((value) => element('option', { value, text: number(value), selected: value === usual })));
  }

  #offerRows() {
    const { source, dimensions } = this.#form.elements;
    this.#offer('rows', ROWS[source.value], USUAL_ROWS);
    const isSample = source.value === 'sample';
    dimensions.disabled = isSample;
    this.#offer('dimensions', isSample ? [SAMPLE_DIMENSIONS] : DIMENSIONS, isSample ? SAMPLE_DIMENSIONS : 128);
  }

  /** Measures everything and shows it as it comes. Returns what was measured; stopping is no error. */
  async run(settings) {
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    const start = performance.now();
    let hidden = document.hidden;
    const watch = () => { hidden ||= document.hidden; };
    document.addEventListener('visibilitychange', watch);
    this.#begin(settings);
    let end;
    try {
      await measure({
        lab: this.#lab, ...settings, signal,
        onStep: (name) => { byId('status').textContent = `Measuring: ${name} …`; },
        onProgress: (share) => { byId('progress').value = share; },
        onTell: (kind, what) => this.#tell(kind, what),
        onResult: (result) => this.#add(result),
      });
      byId('progress').value = 1;
      end = `Done in ${duration(performance.now() - start)}.${hidden ? ' The tab was in the background for a while: times are too long.' : ''}`;
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
      end = signal.aborted ? 'Stopped. What was measured until then stays.' : 'It failed.';
      if (!signal.aborted) throw error;
    } finally {
      document.removeEventListener('visibilitychange', watch);
      byId('status').textContent = end;
      this.#end();
    }
    return { results: this.#results, stopped: signal.aborted, markdown: this.#markdown() };
  }

  #begin({ source, rows, dimensions, rounds }) {
    this.#results = [];
    this.#measured = { data: source === 'sample' ? 'WordNet sample' : 'generated clusters', rows: number(rows), dimensions, rounds };
    Object.values(this.#charts).forEach((chart) => chart.clear());
    byId('notice').hidden = true;
    byId('progress').value = 0;
    this.#setRunning(true);
    byId('results').replaceChildren(element('p', { class: 'empty', text: 'Results come here one by one.' }));
  }

  #end() {
    Object.values(this.#charts).forEach((chart) => chart.flush());
    this.#setRunning(false);
  }

  #setRunning(running) {
    byId('start').disabled = running;
    byId('stop').disabled = !running;
    byId('copy').disabled = running || this.#results.length === 0;
    for (const field of this.#form.querySelectorAll('select')) field.disabled = running;
    this.#form.elements.dimensions.disabled ||= this.#form.elements.source.value === 'sample';
  }

  /** Puts what a workload tells into its chart. */
  #tell(kind, what) {
    const { build, search, blocked } = this.#charts;
    if (kind === 'build') build.add(what.way, what.rows, what.rows, what.time.wallMs);
    else if (kind === 'search' && what.ef !== undefined) search.add(what.way, what.ef, what.perSecond, what.recall);
    else if (kind === 'blocked') blocked.add(what.during, what.atMs, what.atMs, what.gapMs);
  }

  #add(result) {
    this.#results.push(result);
    const { build, search, blocked } = this.#charts;
    byId('results').replaceChildren(...shownTables(tablesOf(this.#results)));
    const cellOf = (head, row, column) => tablesOf(this.#results).find((table) => table.head[0] === head).rows.at(row)[column];
    if (result.kind === 'build') build.say(`${cellOf('Vectors', -1, 3)} as fast by a batch, ${cellOf('Vectors', -1, 0)}`);
    if (result.kind === 'search') search.say(`Built by the batch, at recall 0.95: ${cellOf('Queries a second at recall@10', 1, 2)} a second`);
    if (result.kind === 'blocked') blocked.say(`Longest, median of rounds: ${milliseconds(median(result.longestMs))} ms`);
  }

  #markdown() {
    return markdown({ ...this.#facts, ...this.#measured, date: new Date().toISOString().slice(0, 10) }, tablesOf(this.#results));
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(this.#markdown());
      byId('copy').textContent = 'Copied';
    } catch {
      // Without permission, or on a page that is not secure: shown, to be copied by hand.
      byId('results').append(element('textarea', { readonly: true, rows: 12, 'aria-label': 'Results as Markdown' }, this.#markdown()));
      byId('copy').textContent = 'Shown below';
    }
    setTimeout(() => { byId('copy').textContent = 'Copy as Markdown'; }, 2000);
  }

  #fail(error) {
    byId('notice').textContent = error.message;
    byId('notice').hidden = false;
  }
}

/** `?auto`: starts by itself, stops that, measures a little, and leaves what came of both in `window.__result`. */
async function runAutomatically(page) {
  const settings = { source: 'generated', rows: 600, dimensions: 32, rounds: 1, ...Object.fromEntries(AUTOMATIC_NUMBERS) };
  const stopping = page.run({ ...settings, source: 'sample' });
  byId('stop').click();
  const { stopped } = await stopping;
  const whole = await page.run(settings);
  return { kinds: [...new Set(whole.results.map(({ kind }) => kind))], markdown: whole.markdown, stopped };
}

const query = new URLSearchParams(location.search);
const AUTOMATIC_NUMBERS = ['rows', 'dimensions', 'rounds'].filter((name) => query.has(name)).map((name) => [name, Number(query.get(name))]);
setUpTheme(byId('theme'), () => {});
try {
  const page = new Page(await loadPackage(loadLab));
  if (query.has('auto')) window.__result = await runAutomatically(page);
} catch (error) {
  byId('status').textContent = '';
  byId('notice').textContent = error.message;
  byId('notice').hidden = false;
  if (query.has('auto')) window.__result = { error: String(error), stack: error.stack };
  else console.error(error);
}
