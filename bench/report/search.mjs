// What comes after building: searches at each recall, saving and loading, starting, and what is downloaded.
import { recallChart } from './chart.mjs';
import { GENERATED, NAMES, costAt, environment, megabytes, median, milliseconds, named, percent, spread, table, whole } from './text.mjs';

export const RECALLS = [0.9, 0.95, 0.99];
const WAYS = { loop: '`insert` loop', batch: '`insertBatch`' };

/** CPU time where there is one: the machines are shared. */
const clockOf = (times) => (times[0].cpuMs === undefined ? 'wallMs' : 'cpuMs');
const taken = (times) => median(times.map((time) => time[clockOf(times)]));
const perSecond = ({ times }, queries) => (queries / taken(times)) * 1000;

/** Queries a second at a recall; one that is more than wanted is in brackets. */
export function perSecondCell(points, queries, wanted) {
  const at = costAt(points, wanted, ({ times }) => taken(times) / queries);
  if (at === undefined) return 'not reached';
  const speed = whole(1000 / at.cost);
  return at.recall > wanted ? `${speed} (${at.recall.toFixed(3)})` : speed;
}

const ofKind = (lines, kind) => lines.filter((result) => result.kind === kind);
const noiseAt = ({ noise }, times) => (noise === undefined ? '' : `±${percent(noise[clockOf(times)])}`);

function searchTable(lines) {
  const rows = ofKind(lines, 'search').flatMap((result) => Object.entries(WAYS).map(([way, title]) => {
    const points = result.graphs[way];
    const { times } = points[0];
    return [
      named(result), title, ...RECALLS.map((recall) => perSecondCell(points, result.queries, recall)),
      clockOf(times) === 'cpuMs' ? 'CPU' : 'wall', times.length, noiseAt(result, times),
    ];
  }));
  return table(['Queries a second at recall@10', 'graph of', ...RECALLS.map((recall) => recall.toFixed(2)), 'clock', 'rounds', 'A/A'], rows);
}

function saveTable(lines) {
  return table(['Saved index', 'bytes', 'of which vectors', 'save (ms)', 'load (ms)', 'rounds', 'A/A'], ofKind(lines, 'save').map((result) => {
    const { save, load } = result.times;
    return [
      named(result), megabytes(result.bytes), percent((result.rows * result.dimensions * 4) / result.bytes),
      milliseconds(taken(save)), milliseconds(taken(load)), save.length, noiseAt(result, save),
    ];
  }));
}

/** Medians of each step, as time since the one before; then of the whole. */
function startTable(lines) {
  const rows = ofKind(lines, 'start').flatMap((result) => ['insert', 'load'].map((way) => {
    const times = result.times[way];
    const of = (step) => median(times.map((time) => time[step]));
    const all = times.map(({ hitsMs }) => hitsMs);
    const since = (later, earlier) => milliseconds(of(later) - of(earlier));
    return [
      `${named(result)}, ${way === 'insert' ? 'inserted' : 'loaded'}`, milliseconds(of('scriptsMs')), since('dataMs', 'scriptsMs'),
      way === 'insert' ? since('moduleMs', 'dataMs') : '', since('readyMs', way === 'insert' ? 'moduleMs' : 'dataMs'), since('hitsMs', 'readyMs'),
      milliseconds(median(all)), times.length, spread(all),
    ];
  }));
  return table(['To the first hits, ms', 'scripts', 'data', 'module', 'rows in the index', 'search', 'all', 'starts', 'spread'], rows);
}

function downloadTable(counts) {
  const of = (name) => counts.find((count) => count.name === name)?.value;
  const parts = [['module, SIMD128', 'module, simd128'], ['module, relaxed SIMD', 'module, relaxed'], ['glue', 'glue'], ['scripts', 'scripts']];
  const rows = parts.map(([title, name]) => [title, of(`bytes of the ${name}`), of(`bytes of the ${name}, gzip`)]);
  return table(['Download, bytes', 'as it is', 'gzip'], rows.map(([title, ...sizes]) => [title, ...sizes.map(whole)]));
}

const slug = ({ set, rows }) => `docs/benchmarks/search-${set}-${rows}.svg`;

/** Data sets that were searched, each with the engines' results of it. */
function searched(searches) {
  const found = new Map();
  for (const [engine, lines] of searches) {
    for (const result of ofKind(lines, 'search')) {
      const at = slug(result);
      found.set(at, { title: named(result), engines: [...(found.get(at)?.engines ?? []), [engine, result]] });
    }
  }
  return found;
}

export function searchReport(searches, counts) {
  const charts = [...searched(searches)].map(([at, { title }]) => `![${title}: recall against queries a second](${at.split('/').pop()})\n`);
  const sections = [...searches].map(([engine, lines]) => {
    const tables = [searchTable(lines), saveTable(lines), startTable(lines)];
    return `## ${NAMES[engine]}\n\n${environment(lines)}\n${tables.filter(Boolean).join('\n')}`;
  });
  return `${GENERATED}
# Searching, saving, starting

k 10, m 16, efConstruction 200, f32 vectors, one thread. Queries a second at a recall are interpolated between the values
of \`ef\` around it; where already the smallest \`ef\` finds more, they are those at that recall, which is in brackets. A saved
index is loaded again and must answer as before. A start is a browser, or a Node process, that has just been started and has
nothing cached, up to the first hits: with 1,000 rows that are inserted, or with an index of them that is loaded. A/A is what two
equal batches differed by right before. How it is measured, and what is not: [README](README.md).

## Download

${downloadTable(counts)}
A page loads one of the two modules, the glue and the scripts.

${[...charts, ...sections].join('\n')}`;
}

export function searchCharts(searches) {
  return Object.fromEntries([...searched(searches)].map(([at, { title, engines }]) => [at, recallChart({
    title: `${title}: searching what insertBatch built`,
    x: 'queries a second, one thread',
    key: 'left',
    lines: engines.map(([engine, { queries, graphs }]) => ({
      name: NAMES[engine],
      points: graphs.batch.map((point) => [perSecond(point, queries), point.recall]),
    })),
  })]));
}

/** A few lines for the README. */
export function searchSummary(searches) {
  const sets = [...searched(searches).values()];
  if (sets.length === 0) return '';
  const rows = [...searches].map(([engine, lines]) => [NAMES[engine], ...sets.map(({ engines }) => {
    const [, result] = engines.find(([name]) => name === engine) ?? [];
    return result === undefined ? '' : RECALLS.map((recall) => perSecondCell(result.graphs.batch, result.queries, recall)).join(' / ');
  }), startCell(lines)]);
  const head = ['', ...sets.map(({ title }) => title), 'start to first hits: inserted / loaded'];
  return `Queries a second at recall@10 ${RECALLS.map((recall) => recall.toFixed(2)).join(' / ')} of what \`insertBatch\` built, one thread (in
brackets: the recall, where already the smallest \`ef\` finds more), and the time from a cold start to the first hits in
1,000 rows ([in full](docs/benchmarks/search.md)):

${table(head, rows)}${[...searched(searches)].slice(-1).map(([at, { title }]) => `\n![${title}: recall against queries a second](${at})\n`).join('')}`;
}

function startCell(lines) {
  const result = ofKind(lines, 'start').at(-1);
  if (result === undefined) return '';
  return ['insert', 'load'].map((way) => `${milliseconds(median(result.times[way].map(({ hitsMs }) => hitsMs)))} ms`).join(' / ');
}
