// Recall and what it costs: loop, batch and hnswlib beside each other.
import { recallChart } from './chart.mjs';
import { GENERATED, costAt, environment, median, named, ratioWith, spread, table, whole } from './text.mjs';

const GRAPHS = ['loop', 'batch', 'hnswlib'];
const TITLES = { loop: 'EdgeVec, `insert` loop', batch: 'EdgeVec, `insert_batch`', hnswlib: 'hnswlib' };
const EFS = [16, 32, 64, 128, 256];
const RECALLS = [0.95, 0.98, 0.99, 0.995];
/** How many more distances than the loop's graph the batch's may need. */
const ALLOWED = new Map([[0.95, 0], [0.98, 0], [0.99, 0], [0.995, 0.03]]);
/** Times as fast as hnswlib's `add_items` that a batch is to be. */
const HNSWLIB_TARGET = 12;

const distancesAt = (points, recall) => costAt(points, recall, ({ distances }) => distances)?.cost;
const present = (result) => GRAPHS.filter((name) => result.graphs[name] !== undefined);
const slug = ({ set, rows }) => `docs/benchmarks/recall-${set}-${rows}.svg`;

const seeds = ({ graphs: { batch: { seeds = 1 } } }) => (seeds === 1 ? 'one seed' : `means of ${seeds} seeds`);

function atEqualEf(result) {
  const rows = EFS.flatMap((ef) => present(result).map((name) => {
    const { points, searchCpuUs } = result.graphs[name];
    const { recall, distances } = points.find((point) => point.ef === ef);
    const us = median(searchCpuUs[ef]);
    const rival = result.graphs.hnswlib?.searchCpuUs[ef];
    return [
      ef, TITLES[name], recall.toFixed(4), whole(distances), us.toFixed(0),
      rival === undefined ? '' : ratioWith(us / median(rival), result.noise?.cpuMs),
    ];
  }));
  return table(['ef', 'graph', 'recall@10', 'distances a query', 'CPU µs a query', 'time, of hnswlib\'s'], rows);
}

function building(result) {
  const noise = result.noise?.cpuMs;
  const loop = median(result.graphs.loop.buildCpuMs);
  const rows = present(result).map((name) => {
    const { buildCpuMs } = result.graphs[name];
    const rival = result.graphs.hnswlib?.buildCpuMs;
    return [
      TITLES[name], whole(median(buildCpuMs)), buildCpuMs.length, spread(buildCpuMs), ratioWith(loop / median(buildCpuMs), noise),
      rival === undefined ? '' : ratioWith(median(rival) / median(buildCpuMs), noise),
    ];
  });
  return table(['build', 'CPU ms', 'rounds', 'spread', 'as fast as our loop', 'as fast as hnswlib'], rows);
}

function atEqualRecall(result) {
  const rows = RECALLS.map((recall) => {
    const [loop, batch, rival] = GRAPHS.map((name) => result.graphs[name] && distancesAt(result.graphs[name].points, recall));
    const more = loop && batch ? batch / loop - 1 : undefined;
    const cell = (value) => (value === undefined ? 'not reached' : whole(value));
    const allowed = ALLOWED.get(recall);
    return [
      recall, cell(loop), cell(batch), result.graphs.hnswlib ? cell(rival) : '',
      more === undefined ? '' : `${more > 0 ? '+' : '−'}${Math.abs(more * 100).toFixed(1)} %`,
      more === undefined ? '' : more <= allowed ? 'met' : `missed by ${((more - allowed) * 100).toFixed(1)} points`,
    ];
  });
  const head = ['recall@10', 'loop', 'batch', 'hnswlib', 'batch against loop', 'target: at most +0 %, at 0.995 +3 %'];
  return table(head, rows);
}

export function qualityReport(results) {
  const sections = results.map((result) => `## ${named(result)}

${result.metric}, ${whole(result.queries)} queries, m ${result.m}, efConstruction ${result.efConstruction}; ${seeds(result)}.

![Recall against distance computations](${slug(result).split('/').pop()})

${building(result)}
Distances a query at equal recall, interpolated:

${atEqualRecall(result)}
At equal \`ef\`:

${atEqualEf(result)}`);
  return `${GENERATED}
# Recall, and what it costs

Graphs of an \`insert\` loop, of one \`insert_batch\`, and of [hnswlib](https://github.com/nmslib/hnswlib) 0.8.0, at the
same m and efConstruction, natively and on one thread, built and searched in turn in one run. Times are medians of CPU
times; a spread is (longest − shortest) / median. EdgeVec links by 7-bit codes and searches in f32; hnswlib does both in
f32, compiled with \`-O3 -march=native\`. A count of distances does not depend on the machine, but on the seed: means of
some are given for EdgeVec's graphs, hnswlib's has one. How to run it: [README](README.md).

${environment(results)}
${sections.join('\n')}`;
}

export function qualityCharts(results) {
  return Object.fromEntries(results.map((result) => [slug(result), recallChart({
    title: named(result),
    x: 'distances a query',
    lines: present(result).map((name) => ({
      name: TITLES[name].replaceAll('`', ''),
      points: result.graphs[name].points.map(({ recall, distances }) => [distances, recall]),
    })),
  })]));
}

/** A few lines for the README. */
export function qualitySummary(results) {
  const rows = results.filter(({ graphs }) => graphs.hnswlib).map((result) => {
    const { loop, batch, hnswlib } = result.graphs;
    const at = (graph) => distancesAt(graph.points, 0.99);
    return [
      named(result), `${whole(at(loop))} / ${whole(at(batch))} / ${whole(at(hnswlib))}`,
      ratioWith(median(hnswlib.buildCpuMs) / median(loop.buildCpuMs), result.noise?.cpuMs),
      ratioWith(median(hnswlib.buildCpuMs) / median(batch.buildCpuMs), result.noise?.cpuMs),
    ];
  });
  if (rows.length === 0) return '';
  return `Natively beside hnswlib 0.8.0, one thread, m 16, efConstruction 200 ([recall in full](docs/benchmarks/quality.md)):

${table(['', 'distances a query at recall@10 0.99: loop / batch / hnswlib', 'loop builds as fast as hnswlib', 'batch'], rows)}`;
}

/** Whether a batch is as much faster than hnswlib as it is to be: rows of the table of targets. */
export function againstHnswlib(results) {
  return results.filter(({ graphs }) => graphs.hnswlib).map((result) => {
    const ratio = median(result.graphs.hnswlib.buildCpuMs) / median(result.graphs.batch.buildCpuMs);
    return { what: `native batch against hnswlib \`add_items\`, ${named(result)}`, target: HNSWLIB_TARGET, value: ratio };
  });
}
