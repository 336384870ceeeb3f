// Results as tables: the same for the page and for the Markdown that is copied.

import { RECALLS, perSecondCell } from '../../../bench/report/search.mjs';
import { apart, megabytes, median, milliseconds, ratioWith, table, whole } from '../../../bench/report/text.mjs';
import { element } from '../batch_insert/dom.js';

const BUILT = { loop: 'built by the loop', batch: 'built by the batch' };
const wall = (times) => median(times.map(({ wallMs }) => wallMs));

/** What two equal batches differ by here. */
function noiseOf(results) {
  const { times } = results.find(({ kind }) => kind === 'noise') ?? {};
  return times && apart(...[times.batch, times.batchAgain].map((series) => series.map(({ wallMs }) => wallMs)));
}

/** Heads and rows of the tables that there are results for. */
export function tablesOf(results) {
  const of = (kind) => results.filter((result) => result.kind === kind);
  const noise = noiseOf(results);
  const builds = of('build').map(({ rows, dimensions, times, recall }) => [
    `${whole(rows)}×${dimensions}`, milliseconds(wall(times.loop)), milliseconds(wall(times.batch)),
    ratioWith(wall(times.loop) / wall(times.batch), noise), `${recall.loop.toFixed(3)} / ${recall.batch.toFixed(3)}`,
  ]);
  const searches = of('search').flatMap(({ graphs, queries }) => Object.entries(BUILT).map(([way, name]) => [
    name, ...RECALLS.map((recall) => perSecondCell(graphs[way], queries, recall)),
  ]));
  const others = [
    ...of('blocked').flatMap(({ longestMs, idleLongestMs }) => [
      ['page held at most during a batch, median', `${milliseconds(median(longestMs))} ms`],
      ['the same with nothing running', `${milliseconds(median(idleLongestMs))} ms`],
    ]),
    ...of('memory').map(({ growthBytes }) => ['growth of the module\'s memory', megabytes(growthBytes)]),
    ...of('save').flatMap(({ bytes, times }) => [
      ['saved index', megabytes(bytes)],
      ['saving / loading', `${milliseconds(wall(times.save))} / ${milliseconds(wall(times.load))} ms`],
    ]),
  ];
  return [
    { head: ['Vectors', 'Loop (ms)', 'Batch (ms)', 'Speed-up', 'recall@10 loop / batch'], rows: builds },
    { head: ['Queries a second at recall@10', ...RECALLS.map((recall) => recall.toFixed(2))], rows: searches },
    { head: ['Also', ''], rows: others },
  ].filter(({ rows }) => rows.length > 0);
}

/** The tables for the page. */
export function shownTables(tables) {
  return tables.map(({ head, rows }) => {
    const line = (cells, tag) => element('tr', {}, ...cells.map((text) => element(tag, { text, ...(tag === 'th' && { scope: 'col' }) })));
    const body = element('tbody', {}, ...rows.map((cells) => line(cells, 'td')));
    return element('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': head[0] },
      element('table', {}, element('thead', {}, line(head, 'th')), body));
  });
}

/** All of it as Markdown, with what it was measured with. */
export function markdown(facts, tables) {
  const list = Object.entries(facts).map(([name, value]) => `- ${name}: ${value}\n`).join('');
  return `EdgeVec, m 16, efConstruction 200, f32 vectors, cosine, one thread, wall time\n\n${list}\n${tables.map(({ head, rows }) => table(head, rows)).join('\n')}`;
}
