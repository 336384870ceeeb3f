// Runs the workloads one after another, and says how far they are. Nothing here touches the page.

import { WORKLOADS } from '../../../bench/js/workloads.js';
import { QUERIES, openSource } from './data.js';

/** Shares of the rows that time is measured at, so that it can be seen growing. */
const SHARES = [0.125, 0.25, 0.5, 1];
const LEAST_ROWS = 100;
/** Rows that both ways run over before anything is timed: engines compile again, faster, what they see is hot. */
const WARM_UP_ROWS = 1200;
/** What A/A takes: some hundred milliseconds a batch. */
const NOISE_ROWS = 2500;
const NOISE_ROUNDS = 3;
/** About what a row of a batch, and a query, take of what a row of a loop takes; for the progress only. */
const BATCH_SHARE = 0.3;
const QUERY_SHARE = 0.3;
const SEARCHES_PER_ROUND = QUERIES * 10 * 2;

/** The steps: a workload, its settings, what it takes in rows of a loop, and what it is for people. */
function steps(rows, rounds) {
  const sizes = [...new Set(SHARES.map((share) => Math.max(LEAST_ROWS, Math.round(rows * share))))];
  const [warmUpRows, noiseRows] = [WARM_UP_ROWS, NOISE_ROWS].map((most) => Math.min(rows, most));
  return [
    // First, because the module's memory never shrinks.
    { kind: 'memory', settings: { data: rows }, weight: rows * BATCH_SHARE, name: 'memory of a batch' },
    {
      kind: 'build', settings: { data: warmUpRows, rounds: 1, ways: ['loop', 'batch'] }, weight: warmUpRows * (1 + BATCH_SHARE),
      name: 'warming up', isUntimed: true,
    },
    {
      kind: 'noise', settings: { data: noiseRows, rounds: NOISE_ROUNDS }, weight: noiseRows * 2 * (NOISE_ROUNDS + 1) * BATCH_SHARE,
      name: 'the same batch twice, for the noise',
    },
    ...sizes.map((size) => ({
      kind: 'build', settings: { data: size, rounds, ways: ['loop', 'batch'] }, weight: size * rounds * (1 + BATCH_SHARE),
      name: `loop and batch, ${size.toLocaleString('en')} rows`,
    })),
    {
      kind: 'search', settings: { data: rows, rounds }, weight: rows * (1 + BATCH_SHARE) + (rounds + 1) * SEARCHES_PER_ROUND * QUERY_SHARE,
      name: 'searches at each recall',
    },
    { kind: 'blocked', settings: { data: rows, rounds }, weight: rows * rounds * 2 * BATCH_SHARE, name: 'how long the page is held' },
    { kind: 'save', settings: { data: rows, rounds }, weight: rows * BATCH_SHARE, name: 'saving and loading' },
  ];
}

/**
 * Measures all of it; rejects with `signal.reason` when stopped.
 *
 * @param {{ lab: object, source: string, rows: number, dimensions: number, rounds: number, signal: AbortSignal,
 *   onStep(name: string): void, onProgress(share: number): void, onTell(kind: string, what: object): void,
 *   onResult(result: object): void }} options  `lab` is what workloads need of the package; `onTell` hears what
 *   they tell while they run, `onResult` what came of each.
 */
export async function measure({ lab, source, rows: wanted, dimensions, rounds, signal, onStep, onProgress, onTell, onResult }) {
  onStep('data');
  const data = await openSource({ source, rows: wanted, dimensions, signal });
  const plan = steps(data.rows, rounds);
  const whole = plan.reduce((sum, { weight }) => sum + weight, 0);
  let done = 0;
  for (const { kind, settings, weight, name, isUntimed = false } of plan) {
    onStep(name);
    // Not measured: finding out what each query must find.
    await data.open(settings.data);
    let inside = 0; // of this step, as far as is known
    const tell = (what) => {
      if (what.total === undefined && !isUntimed) onTell(kind, what);
      // What is told of rows starts again with each run: it moves the bar by what is left of the step.
      inside = Math.min(0.95, inside + (what.total === undefined ? 0.004 : 0.002));
      onProgress((done + inside * weight) / whole);
    };
    const result = await WORKLOADS[kind]({ ...lab, signal, tell, open: (count) => data.open(count) }, settings);
    if (!isUntimed) onResult({ kind, rows: settings.data, dimensions: data.dimensions, queries: QUERIES, ...result });
    done += weight;
    onProgress(done / whole);
  }
}
