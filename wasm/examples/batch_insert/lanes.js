// The two lanes: a button, a progress bar and numbers for the loop and for the batch. Each run
// returns what it measured, so that the automatic mode uses the very same runs.

import { count, duration, element } from './dom.js';
import { createIndex, insertAsBatch, insertInLoop, measureRecall, warmUp } from './runs.js';
import { nextFrame } from './pulse.js';

// Between two drawings of the map and of the numbers during a batch: numbers that change faster cannot be
// read, and where browsers draw without a graphics card the map takes as long as a slice of work.
const SHOW_MS = 100;

const percent = (share) => `${(100 * share).toFixed(1)} %`;

export class Lanes {
  #EdgeVec; #sample; #pulse; #map; #bars; #status; #onIndex; #onStart;
  #lanes; #warm = false; #busy = false; #times = {};

  /** `onStart` is called when a run begins; `onIndex` is given its index at the end, and owns it. */
  constructor({ root, EdgeVec, sample, pulse, map, bars, status, onIndex, onStart }) {
    this.#EdgeVec = EdgeVec;
    this.#sample = sample;
    this.#pulse = pulse;
    this.#map = map;
    this.#bars = bars;
    this.#status = status;
    this.#onIndex = onIndex;
    this.#onStart = onStart;
    this.#lanes = Object.fromEntries(['loop', 'batch'].map((name) => {
      const lane = root.querySelector(`[data-lane=${name}]`);
      return [name, {
        lane,
        start: lane.querySelector('[data-start]'),
        cancel: lane.querySelector('[data-cancel]'),
        workers: lane.querySelector('[data-workers]'),
        progress: lane.querySelector('progress'),
        stats: lane.querySelector('.stats'),
      }];
    }));
    for (const name of ['loop', 'batch']) this.#stats(name, {});
    this.#lanes.loop.start.addEventListener('click', () => this.runLoop().catch((error) => this.#failed(error)));
    this.#lanes.batch.start.addEventListener('click', () => this.runBatch().catch((error) => this.#failed(error)));
    this.#setBusy(null);
  }

  /** Inserts all rows one by one. */
  async runLoop() {
    return this.#run('loop', async (index) => {
      this.#say('The loop is running: nothing on this page can move until it ends.');
      await nextFrame();
      await nextFrame();
      this.#pulse.begin('loop');
      const ms = insertInLoop(index, this.#sample);
      const gaps = await this.#pulse.end();
      this.#map.show(this.#sample.rows);
      return { ms, inserted: index.size, gaps };
    });
  }

  /**
   * Inserts all rows as one batch. `cancelAt` (a share of the rows) presses Cancel by itself, `workers` turns
   * the switch.
   * Resolves to what was measured, with `cancelled` set when it was.
   */
  async runBatch({ cancelAt = Infinity, workers } = {}) {
    const { cancel, progress, workers: box } = this.#lanes.batch;
    if (workers !== undefined) box.checked = workers;
    return this.#run('batch', async (index) => {
      const controller = new AbortController();
      const abort = () => controller.abort();
      cancel.hidden = false;
      cancel.addEventListener('click', abort);
      this.#say(box.checked ? 'The batch is running, with workers.' : 'The batch is running.');
      let done = 0;
      let calls = 0;
      const start = performance.now();
      let shown = start;
      const stopDrawing = this.#pulse.onFrame((now) => {
        progress.value = done / this.#sample.rows;
        if (now - shown < SHOW_MS) return;
        shown = now;
        const ms = Math.max(1, now - start);
        this.#map.show(done);
        this.#stats('batch', { ms, rate: (1000 * done) / ms });
      });
      const onProgress = (state) => {
        calls++;
        done = state.done;
        if (done >= cancelAt * state.total && done < state.total) abort();
      };
      await nextFrame();
      this.#pulse.begin('batch');
      try {
        const { ms, report } = await insertAsBatch(index, this.#sample, {
          onProgress, signal: controller.signal, workers: box.checked ? Math.max(1, navigator.hardwareConcurrency - 1) : 0,
        });
        const gaps = await this.#pulse.end();
        return { ms, inserted: report.inserted, gaps, progressCalls: calls };
      } catch (error) {
        const ms = performance.now() - start;
        await this.#pulse.end();
        if (!controller.signal.aborted) throw error;
        return { cancelled: true, reason: error.name, doneAtCancel: done, ms, size: index.size };
      } finally {
        stopDrawing();
        cancel.hidden = true;
        cancel.removeEventListener('click', abort);
      }
    });
  }

  async #run(name, insert) {
    if (this.#busy) throw new Error('another run has not ended yet');
    this.#setBusy(name);
    const { progress } = this.#lanes[name];
    let index;
    try {
      this.#onStart();
      this.#map.show(0);
      progress.value = 0;
      this.#stats(name, {});
      if (!this.#warm) {
        this.#say('Warming up…');
        await warmUp(this.#EdgeVec, this.#sample);
        this.#warm = true;
      }
      index = await createIndex(this.#EdgeVec, this.#sample);
      const result = await insert(index);
      if (result.cancelled) return this.#cancelled(result, index);
      progress.value = 1;
      this.#map.show(this.#sample.rows);
      this.#say('Measuring recall…');
      result.recall = await measureRecall(index, this.#sample);
      result.rate = (1000 * result.inserted) / result.ms;
      this.#stats(name, result);
      this.#times[name] = result.ms;
      this.#bars.set(this.#times);
      this.#say(`${count(result.inserted)} rows in ${duration(result.ms)}. Pick a point or a word to search.`);
      this.#onIndex(index);
      return result;
    } catch (error) {
      index?.close();
      this.#map.show(0);
      throw error;
    } finally {
      this.#setBusy(null);
    }
  }

  #cancelled(result, index) {
    const { doneAtCancel, ms, size } = result;
    result.hits = index.search(this.#sample.row(0), { k: 10 }).length;
    this.#lanes.batch.progress.value = 0;
    this.#map.show(0);
    this.#stats('batch', {});
    this.#say(`Cancelled at row ${count(doneAtCancel)} after ${duration(ms)}. The index holds ${count(size)} rows, as before.`);
    this.#onIndex(index);
    return result;
  }

  #setBusy(name) {
    this.#busy = name !== null;
    for (const [key, { lane, start, workers }] of Object.entries(this.#lanes)) {
      start.disabled = this.#busy;
      if (workers) workers.disabled = this.#busy;
      lane.classList.toggle('running', key === name);
    }
  }

  #stats(name, { ms, rate, gaps, recall }) {
    const values = [
      ['time', ms === undefined ? '–' : duration(ms)],
      ['rows / s', rate === undefined ? '–' : count(rate)],
      ['longest frame gap', gaps === undefined ? '–' : gaps.hidden ? 'tab hidden' : duration(gaps.longestGapMs)],
      ['recall@10', recall === undefined ? '–' : percent(recall)],
    ];
    const { stats } = this.#lanes[name];
    if (stats.children.length === 0) {
      stats.append(...values.map(([term]) => element('div', {}, element('dt', { text: term }), element('dd'))));
    }
    values.forEach(([, value], i) => { stats.children[i].lastChild.textContent = value; });
  }

  #say(text) {
    this.#status.textContent = text;
  }

  #failed(error) {
    this.#say(`The run failed: ${error}`);
    console.error(error);
  }
}
