// A batch against loops of `insert`, engine by engine, and the targets beside what was measured.
import { growthChart } from './chart.mjs';
import { againstHnswlib } from './quality.mjs';
import { GENERATED, NAMES, apart, environment, megabytes, median, milliseconds, named, percent, ratioWith, spread, table, times, whole } from './text.mjs';

/** From so many rows on a batch is long enough to be told in CPU time. */
const CPU_ROWS = 9000;
/** From so many rows on threads have to pay. */
const LARGE_ROWS = 50_000;
const TARGETS = { loop: 4.5, f32Loop: 8, attach: 4.5, workers: 1.6, overhead: 0.05, blockedMs: 16, peakBytesPerRow: 1200, growthBytes: 100e6 };

const clockOf = ({ rows, times: all }) => (rows >= CPU_ROWS && all.batch[0].cpuMs !== undefined ? 'cpuMs' : 'wallMs');
const taken = (result, way) => result.times[way]?.map((time) => time[clockOf(result)]);
const same = (kind, { set, rows, dimensions }) => (other) =>
  other.kind === kind && other.set === set && other.rows === rows && other.dimensions === dimensions;

/** A ratio of medians. In an engine that compiles while it runs the first round is not of it: that is `cold`. */
function ratio(result, way, native) {
  const warm = (values) => median(native || values.length < 2 ? values : values.slice(1));
  const [slow, batch] = [taken(result, way), taken(result, 'batch')];
  return slow && warm(slow) / warm([...batch, ...(taken(result, 'batchAgain') ?? [])]);
}

/** What equal batches differ by: in the rounds of the result, where it has some that are warm, else in the A/A before it. */
function noiseOf(result, native) {
  const warm = (values = []) => (native ? values : values.slice(1));
  const [batch, again] = [taken(result, 'batch'), taken(result, 'batchAgain')].map(warm);
  if (again.length < 2) return result.noise?.[clockOf(result)];
  return apart(batch, again);
}

/** The first loop of an engine against first batches, each in an engine that had just started. */
function coldRatio(lines, result) {
  const cold = lines.find(same('cold', result));
  return cold && taken(result, 'loop')[0] / median(taken({ ...result, times: cold.times }, 'batch'));
}

function timesTable(lines, native) {
  const rows = lines.filter(({ kind }) => kind === 'build').map((result) => {
    const [sequential, batch] = [taken(result, 'loop'), taken(result, 'batch')];
    const again = taken(result, 'batchAgain');
    const overhead = lines.find(same('overhead', result));
    const cold = native ? undefined : coldRatio(lines, result);
    const f32 = ratio(result, 'f32Loop', native);
    const noise = noiseOf(result, native);
    return [
      `${result.set.replace(/-\d+$/, '')} ${whole(result.rows)}`, result.dimensions, milliseconds(median(sequential)), milliseconds(median(batch)),
      ratioWith(ratio(result, 'loop', native), noise), cold === undefined ? '' : ratioWith(cold, noise), f32 === undefined ? '' : ratioWith(f32, noise),
      overhead === undefined ? '' : percent(overheadOf(overhead), 1),
      `${result.recall.loop.toFixed(3)} / ${result.recall.batch.toFixed(3)}`,
      `${clockOf(result) === 'cpuMs' ? 'CPU' : 'wall'}, ${sequential.length}`,
      again === undefined ? '' : times(median(again) / median(batch)),
      spread(sequential, batch),
    ];
  });
  return table([
    'Vectors', 'Dim', 'Sequential (ms)', 'Batch (ms)', 'Speed-up', 'cold', 'against an f32 loop', 'Overhead',
    'recall@10 seq / batch', 'clock, rounds', 'A/A', 'spread',
  ], rows);
}

const overheadOf = ({ packageMs, coreMs }) => 1 - median(coreMs) / median(packageMs);
/** Says that rounds differ by more than the target, or that the core alone took longer than the core in the package. */
function overheadNoise({ packageMs, coreMs }) {
  const rounds = packageMs.map((whole, round) => 1 - coreMs[round] / whole);
  const [least, most] = [Math.min(...rounds), Math.max(...rounds)];
  const same = (least > TARGETS.overhead) === (most > TARGETS.overhead);
  return same && least >= -TARGETS.overhead ? undefined : `rounds say ${percent(least)} to ${percent(most)}`;
}

const clockOfAttach = ({ times: all }) => (all.batch[0].cpuMs === undefined ? 'wallMs' : 'cpuMs');
const attachRatio = (result) => {
  const [all, clock] = [result.times, clockOfAttach(result)];
  return median(all.loop.map((time) => time[clock])) / median(all.batch.map((time) => time[clock]));
};

function attachTable(lines) {
  return table(['1,000 rows into', 'loop (ms)', 'batch (ms)', 'speed-up', 'rounds'], lines.filter(({ kind }) => kind === 'attach').map((result) => {
    const clock = clockOfAttach(result);
    const taken = (way) => median(result.times[way].map((time) => time[clock]));
    return [`${whole(result.before)} of ${result.set}`, milliseconds(taken('loop')), milliseconds(taken('batch')), ratioWith(attachRatio(result), result.noise?.[clock]), result.times.batch.length];
  }));
}

const wall = (result, way) => median(result.times[way].map(({ wallMs }) => wallMs));
const workersRatio = (result) => wall(result, 'alone') / wall(result, 'helped');

function workersTable(lines) {
  const head = ['Threads that help', 'none, wall ms', 'two, wall ms', 'speed-up', 'CPU time against none', 'rounds'];
  return table(head, lines.filter(({ kind }) => kind === 'workers').map((result) => {
    const cpu = (way) => median(result.times[way].map(({ cpuMs }) => cpuMs ?? NaN));
    const more = cpu('helped') / cpu('alone');
    return [
      named(result), milliseconds(wall(result, 'alone')), milliseconds(wall(result, 'helped')),
      ratioWith(workersRatio(result), result.noise?.wallMs), Number.isNaN(more) ? '' : times(more), result.times.alone.length,
    ];
  }));
}

function overheadTable(lines, native) {
  return table(['Boundary overhead', 'package (ms)', 'core (ms)', 'overhead', 'of which each round repeats', 'WASM / native'], lines.filter(({ kind }) => kind === 'overhead').map((result) => {
    const there = native?.find(same('build', result));
    return [
      `${whole(result.rows)}×${result.dimensions}`, milliseconds(median(result.packageMs)), milliseconds(median(result.coreMs)),
      percent(overheadOf(result), 1), result.repeated,
      there === undefined ? '' : ratioWith(median(result.packageMs) / median(there.times.batch.map(({ wallMs }) => wallMs)), result.noise?.wallMs),
    ];
  }));
}

function memoryTable(lines, isNative) {
  const results = lines.filter(({ kind }) => kind === 'memory');
  if (isNative) {
    return table(['Memory', 'finished index', 'peak of the batch', 'peak above the index, a row'], results.map((result) => [
      named(result), megabytes(result.finishedBytes), megabytes(result.peakBytes), `${whole((result.peakBytes - result.finishedBytes) / result.rows)} B`,
    ]));
  }
  return table(['Memory', 'growth of the module\'s memory', 'of the JavaScript heap'], results.map((result) => [
    named(result), megabytes(result.growthBytes), result.heapGrowthBytes === undefined ? '' : megabytes(Math.max(result.heapGrowthBytes, 0)),
  ]));
}

function blockedTable(lines) {
  const head = ['Thread held, ms', 'longest, median of rounds', 'longest of all', '90 % of gaps below', 'longest with nothing running', 'rounds'];
  return table(head, lines.filter(({ kind }) => kind === 'blocked').map(({ longestMs, p90Ms, idleLongestMs, ...result }) => [
    named(result), milliseconds(median(longestMs)), milliseconds(Math.max(...longestMs)),
    p90Ms === undefined ? '' : milliseconds(median(p90Ms)), milliseconds(median(idleLongestMs)), longestMs.length,
  ]));
}

/** Every target for which there is a measurement: what, what was wanted, what there is. */
function goals(batches, quality) {
  const found = [];
  const atLeast = (what, target, value, noise) => value !== undefined && found.push({
    what, wanted: `≥ ${target}×`, is: ratioWith(value, noise), verdict: value >= target ? 'met' : `missed: ${percent(1 - value / target)} short`,
  });
  const atMost = (what, target, value, show, noise) => {
    const verdict = noise ? `undecided: ${noise}` : value <= target ? 'met' : `missed: ${percent(value / target - 1)} over`;
    found.push({ what, wanted: `≤ ${show(target)}`, is: show(value), verdict });
  };
  const native = batches.get('native') ?? [];
  for (const [engine, lines] of batches) {
    const isNative = engine === 'native';
    const at = (result) => `${NAMES[engine]}, ${named(result)}`;
    for (const result of lines.filter(({ kind, rows }) => kind === 'build' && rows >= CPU_ROWS)) {
      atLeast(`${at(result)}: batch against our loop`, TARGETS.loop, ratio(result, 'loop', isNative), noiseOf(result, isNative));
      if (!isNative) atLeast(`${at(result)}: the same, cold`, TARGETS.loop, coldRatio(lines, result), noiseOf(result));
      atLeast(`${at(result)}: batch against an f32 loop`, TARGETS.f32Loop, ratio(result, 'f32Loop', isNative), noiseOf(result, isNative));
    }
    for (const result of lines.filter(({ kind }) => kind === 'attach')) {
      atLeast(`${NAMES[engine]}: 1,000 rows into ${whole(result.before)} of ${result.set}`, TARGETS.attach, attachRatio(result), result.noise?.[clockOfAttach(result)]);
    }
    for (const result of lines.filter(({ kind, rows }) => kind === 'workers' && rows >= LARGE_ROWS)) {
      atLeast(`${at(result)}: two workers against none, wall time`, TARGETS.workers, workersRatio(result), result.noise?.wallMs);
    }
    for (const result of lines.filter(({ kind }) => kind === 'overhead')) {
      atMost(`${at(result)}: boundary overhead`, TARGETS.overhead, overheadOf(result), (value) => percent(value, 1), overheadNoise(result));
    }
    for (const result of lines.filter(({ kind, rows }) => kind === 'blocked' && rows >= CPU_ROWS)) {
      const idle = median(result.idleLongestMs);
      const noise = idle > TARGETS.blockedMs && median(result.longestMs) > TARGETS.blockedMs ? `${milliseconds(idle)} ms with nothing running` : undefined;
      atMost(`${at(result)}: thread held at most, median`, TARGETS.blockedMs, median(result.longestMs), (value) => `${milliseconds(value)} ms`, noise);
    }
    for (const result of lines.filter(({ kind }) => kind === 'memory')) {
      if (!isNative && result.rows <= 10_000) {
        atMost(`${at(result)}: growth of memory`, TARGETS.growthBytes, result.growthBytes, megabytes);
        continue;
      }
      const finished = isNative ? result.finishedBytes : native.find(same('memory', result))?.finishedBytes;
      if (finished === undefined || result.rows <= 10_000) continue;
      const peak = ((isNative ? result.peakBytes : result.growthBytes) - finished) / result.rows;
      atMost(`${at(result)}: peak memory above the finished index, a row`, TARGETS.peakBytesPerRow, peak, (value) => `${whole(value)} B`);
    }
  }
  for (const { what, target, value } of againstHnswlib(quality)) atLeast(what, target, value);
  return found;
}

export function batchReport(batches, quality) {
  const charts = Object.keys(batchCharts(batches)).map((at) => `\n![Time of building against rows](${at.split('/').pop()})\n`);
  const rows = goals(batches, quality).map(({ what, wanted, is, verdict }) => [what, wanted, is, verdict]);
  const count = (word) => rows.filter(([, , , verdict]) => verdict.startsWith(word)).length;
  const sections = [...batches].map(([engine, lines]) => {
    const tables = [
      timesTable(lines, engine === 'native'),
      attachTable(lines),
      workersTable(lines),
      overheadTable(lines, batches.get('native')),
      memoryTable(lines, engine === 'native'),
      blockedTable(lines),
    ];
    return `## ${NAMES[engine]}\n\n${environment(lines)}\n${tables.filter(Boolean).join('\n')}`;
  });
  return `${GENERATED}
# A batch against a loop of inserts

The same rows into an empty index by one \`insertBatch\` and by \`insert()\` in a loop; m 16, efConstruction 200, one
thread, links chosen by 7-bit codes in both, vectors kept in f32. \`recall@10\` is at ef 64. ± beside a ratio is what two
equal batches of the same run differ by, as a median of its rounds (A/A). How it is measured, what the columns mean and what is not measured: [README](README.md). Recall against distance computations, and hnswlib:
[quality](quality.md); searching, saving and starting: [search](search.md). What was not measured is not here.

## Targets

${count('met')} of ${rows.length} met, ${count('missed')} missed, ${count('undecided')} where the machine's noise was larger than the target.

${table(['what', 'target', 'measured', ''], rows)}${charts.join('')}
${sections.join('\n')}`;
}

/** The engines of the chart of building times: one without JavaScript and the most used one with it. */
const CHARTED = ['native', 'chromium'];
const CHART = 'docs/benchmarks/build-time.svg';

/** Time of building against rows, for the data set that was measured with most numbers of rows. */
export function batchCharts(batches) {
  const builds = CHARTED.flatMap((engine) => (batches.get(engine) ?? []).filter(({ kind }) => kind === 'build').map((result) => ({ ...result, engine })));
  const sizes = new Map();
  const from = ({ set, dimensions }) => `${set.replace(/-\d+$/, '')}, ${dimensions} dimensions`;
  for (const result of builds) sizes.set(from(result), (sizes.get(from(result)) ?? new Set()).add(result.rows));
  const [source, { size }] = [...sizes].sort(([, a], [, b]) => b.size - a.size)[0] ?? ['', { size: 0 }];
  if (size < 3) return {};
  const lines = CHARTED.flatMap((engine) => ['loop', 'batch'].map((way) => ({
    name: `${NAMES[engine]}, ${way}`,
    points: builds.filter((result) => result.engine === engine && from(result) === source)
      .sort((a, b) => a.rows - b.rows)
      .map(({ rows, times: all }) => [rows, median(all[way].map(({ wallMs }) => wallMs))]),
  })));
  return { [CHART]: growthChart({ title: `Building an index: ${source}`, x: 'rows', y: 'ms, wall', lines: lines.filter(({ points }) => points.length > 0) }) };
}

/** A few lines for the README. */
export function batchSummary(batches) {
  const sets = [];
  for (const lines of batches.values()) {
    for (const result of lines.filter(({ kind, rows }) => kind === 'build' && rows >= CPU_ROWS)) {
      if (!sets.some(same('build', { ...result }))) sets.push(result);
    }
  }
  const rows = [...batches].map(([engine, lines]) => [
    NAMES[engine],
    ...sets.map((set) => {
      const result = lines.find(same('build', set));
      if (result === undefined) return '';
      const cold = engine === 'native' ? undefined : coldRatio(lines, result);
      const native = engine === 'native';
      return `${ratioWith(ratio(result, 'loop', native), noiseOf(result, native))}${cold === undefined ? '' : ` (cold ${times(cold)})`}`;
    }),
  ]);
  if (rows.length === 0) return '';
  return `\`insertBatch\` against a loop of \`insert()\`: the same rows, one thread, m 16, efConstruction 200, both linking by 7-bit
codes; medians, with ± what two equal batches differ by on that machine
([everything measured, and the targets missed](docs/benchmarks/wasm_batch.md)):

${table(['', ...sets.map(named)], rows)}${Object.keys(batchCharts(batches)).map((at) => `\n![Time of building against rows](${at})\n`).join('')}`;
}
