// EdgeVec and its rivals on the same data: what is faster, smaller or wrong, in tables, charts and words.
import { barChart, recallChart } from './chart.mjs';
import { GENERATED, costAt, environment, median, megabytes, milliseconds, named, percent, spread, table, times, whole } from './text.mjs';

const OWN = 'edgevec';
const AGAIN = / again$/;
const RECALLS = [0.9, 0.95, 0.99];
const LEAST_RECALL = 0.9;
const TITLES = { chromium: 'JavaScript, in Chromium', javascript: 'JavaScript, in Node', native: 'Native, one thread' };
/** Of the build's time; what holds the thread longer lets nothing else run until it is over. */
const WHOLE_BUILD = 0.9;
const seconds = (ms) => (ms < 10_000 ? (ms / 1000).toFixed(2) : ms < 100_000 ? (ms / 1000).toFixed(1) : whole(ms / 1000));
const kilobytes = (bytes) => `${whole(bytes / 1000)} KB`;

const measured = (line) => line.rounds.filter(({ failed }) => failed === undefined);
const of = (line, pick) => {
  const values = measured(line).map(pick).filter((value) => value !== undefined && value !== null);
  return values.length === 0 ? undefined : median(values);
};
const growthBytes = (line) => of(line, ({ rssBytes }) => rssBytes);
const savedBytes = (line) => of(line, ({ saved }) => saved?.bytes);
const buildMs = (line) => of(line, ({ cpuMs }) => cpuMs);
const bestRecall = ({ points }) => Math.max(...points.map(({ recall }) => recall));

/** Queries a second of CPU time at a recall. */
function speedAt(points, wanted) {
  const at = costAt(points, wanted, ({ cpuUs }) => cpuUs);
  return at && 1e6 / at.cost;
}
const speed = (line, recall) => of(line, ({ points }) => speedAt(points, recall));

/** Each check of a contender: what, whether it passed, and the figure. Of several rounds the worst counts. */
function checks(line) {
  const rounds = measured(line);
  const failed = line.rounds.find((round) => round.failed !== undefined);
  if (failed) return { ends: { passed: false, figure: failed.failed } };
  const worst = (pick) => rounds.map(pick).reduce((a, b) => (b.share < a.share ? b : a));
  const share = (part, all) => ({ share: part / all, passed: part === all, figure: `${whole(part)} of ${whole(all)}` });
  const found = {
    'rows stored': worst(({ stored }) => share(stored, line.rows)),
    'rows that find themselves': worst(({ probe }) => share(probe.found, probe.asked)),
    'recall@10 reached': worst((round) => {
      const best = bestRecall(round);
      return { share: best, passed: best >= LEAST_RECALL, figure: best.toFixed(3) };
    }),
  };
  if (rounds[0].saved) {
    found['what was saved answers the same'] = worst(({ saved }) => (saved.error === undefined
      ? share(saved.same, saved.asked) : { share: -1, passed: false, figure: saved.error }));
  }
  return found;
}
const CHECKS = ['ends', 'rows stored', 'rows that find themselves', 'recall@10 reached', 'what was saved answers the same'];
const passes = (line) => Object.values(checks(line)).every(({ passed }) => passed);

/** As it is called beside others: EdgeVec by itself, the others with where they run if that differs. */
const called = ({ name, contender, runs }) => `${name ?? contender}${runs === 'native addon' ? ' (addon)' : ''}`;
const fully = (line) => `${called(line)}, ${line.way}`;

/** Of each contender one way of building: of those that pass the one that builds sooner, else the first that ended. */
function chosen(lines) {
  const contenders = [...new Set(lines.map(({ contender }) => contender))];
  return contenders.flatMap((contender) => {
    const ways = lines.filter((line) => line.contender === contender && !AGAIN.test(line.way) && buildMs(line) !== undefined);
    const passing = ways.filter(passes).sort((a, b) => buildMs(a) - buildMs(b));
    return [...passing, ...ways].slice(0, 1);
  });
}

/** The results of each data set. */
function bySet(lines) {
  const sets = new Map();
  for (const line of lines) sets.set(named(line), [...(sets.get(named(line)) ?? []), line]);
  return [...sets.values()];
}

const file = (kind, family, { set, rows }) => `docs/benchmarks/rivals-${kind}-${family}-${set}-${rows}.svg`;

function mainTable(lines) {
  const holds = (line) => {
    const [held, wall] = [of(line, ({ holdMs }) => holdMs), of(line, ({ wallMs }) => wallMs)];
    return held >= WHOLE_BUILD * wall ? 'whole build' : `${milliseconds(held)} ms`;
  };
  const rows = lines.map((line) => {
    const name = [called(line), line.version, line.runs];
    if (buildMs(line) === undefined) return [...name, line.way, ...Array(6).fill(''), line.rounds.length];
    return [
      ...name, line.way, seconds(buildMs(line)), seconds(of(line, ({ wallMs }) => wallMs)), holds(line),
      ...RECALLS.map((recall) => (speed(line, recall) === undefined ? 'not reached' : whole(speed(line, recall)))), line.rounds.length,
    ];
  });
  return table([
    '', 'version', 'runs as', 'rows go in by', 'build, CPU s', 'wall s', 'thread held', ...RECALLS.map((recall) => `q/s at ${recall}`), 'rounds',
  ], rows);
}

function parameterTable(lines) {
  const rows = chosen(lines).map((line) => {
    const { index, element, metric, m = '–', efConstruction = '–', note = '' } = line.parameters;
    return [called(line), index, element, metric, m, efConstruction, note];
  });
  return table(['', 'index', 'element', 'metric', 'm', 'efConstruction', ''], rows);
}

function sizeTable(lines) {
  const rows = lines.filter((line) => buildMs(line) !== undefined).map((line) => {
    const { download } = line;
    const counted = download && [`${download.scripts} script${download.scripts === 1 ? '' : 's'}`, ...download.others].join(', ');
    return [
      fully(line), ...[growthBytes(line), savedBytes(line)].map((bytes) => (bytes === undefined ? '–' : megabytes(bytes))),
      ...(download ? [kilobytes(download.gzipBytes), counted] : ['–', '']),
    ];
  });
  return table(['', 'memory growth', 'saved', 'download, gzip', 'counted'], rows);
}

function checkTable(lines) {
  const rows = lines.map((line) => {
    const done = checks(line);
    return [fully(line), ...CHECKS.map((name) => {
      if (done[name] === undefined) return name === 'ends' ? '✓' : '–';
      return `${done[name].passed ? '✓' : '✗'} ${done[name].figure}`;
    })];
  });
  return table(['', ...CHECKS], rows);
}

/** EdgeVec beside itself: by how much two equal series differ, as a share; undefined where it was not measured twice. */
function apart(lines, value) {
  const again = lines.find(({ contender, way }) => contender === OWN && AGAIN.test(way));
  const once = again && lines.find(({ contender, way }) => contender === OWN && way === again.way.replace(AGAIN, ''));
  const [a, b] = [once && value(once), again && value(again)];
  return a === undefined || b === undefined ? undefined : Math.max(a / b, b / a) - 1;
}

/** Which others are better than EdgeVec in one thing, and by how much; `noisy` says that A/A bounds what that means. */
function compared(what, lines, value, { more = false, noisy = false, show }) {
  const shown = chosen(lines);
  const ours = shown.find(({ contender }) => contender === OWN);
  const own = ours && value(ours);
  if (own === undefined) return '';
  const noise = noisy ? (apart(lines, value) ?? 0) : 0;
  const others = shown.filter((line) => line !== ours && value(line) !== undefined)
    .map((line) => ({ line, value: value(line), ratio: more ? value(line) / own : own / value(line) }))
    .sort((a, b) => b.ratio - a.ratio);
  const listed = (found) => found.map(({ line, value: figure, ratio }) =>
    `${called(line)}${passes(line) ? '' : ' (fails a check)'} ${show(figure)} (${times(ratio)})`).join(', ');
  const better = others.filter(({ ratio }) => ratio > 1 + noise);
  const alike = others.filter(({ ratio }) => ratio <= 1 + noise && ratio > 1 / (1 + noise));
  const found = better.length === 0 ? `none of ${others.length}` : `${better.length} of ${others.length}: ${listed(better)}`;
  return `- **${what}** than EdgeVec (${show(own)}): ${found}${alike.length > 0 ? `; within the noise: ${listed(alike)}` : ''}.\n`;
}

const words = (lines) => [
  compared('Builds in less CPU time', lines, buildMs, { noisy: true, show: (ms) => `${seconds(ms)} s` }),
  ...RECALLS.map((recall) => compared(`Faster at recall@10 ${recall}`, lines, (line) => speed(line, recall), {
    more: true, noisy: true, show: (value) => `${whole(value)} q/s`,
  })),
  compared('Grows memory less', lines, growthBytes, { show: megabytes }),
  compared('Saves fewer bytes', lines, savedBytes, { show: megabytes }),
  compared('Smaller to download', lines, ({ download }) => download?.gzipBytes, { show: kilobytes }),
].join('');

function noise(lines) {
  const [build, search] = [apart(lines, buildMs), apart(lines, (line) => speed(line, 0.95))];
  if (build === undefined || search === undefined) return '';
  const series = lines.filter(({ contender }) => contender === OWN).map((line) => measured(line).map(({ cpuMs }) => cpuMs));
  const spreads = series.every(({ length }) => length > 1) ? ` Build times of its rounds spread by ${spread(...series)}.` : '';
  return `A/A: the same EdgeVec, measured twice in the same rounds, differs by ${percent(build)} in build time and by ${percent(search)} in queries a second at
0.95.${spreads}
`;
}

const failures = (lines) => lines.filter((line) => !passes(line)).map((line) => {
  const wrong = Object.entries(checks(line)).filter(([, { passed }]) => !passed).map(([name, { figure }]) => `${name}: ${figure}`);
  return `- ${fully(line)}: ${wrong.join('; ')}\n`;
}).join('');

/** Where memory can be measured: not in a page. */
const growsMemory = (line) => growthBytes(line) !== undefined;

function section(family, lines) {
  const picture = (kind, alternative) => `![${alternative}](${file(kind, family, lines[0]).split('/').pop()})`;
  const failing = failures(lines);
  return `### ${TITLES[family]}

${picture('recall', 'Recall against queries a second')}

${picture('build', 'CPU time of building')}

${lines.some(growsMemory) ? `${picture('memory', 'Growth of memory')}\n\n` : ''}${words(lines)}
${noise(lines)}
${failing ? `Failing:\n\n${failing}\n` : ''}${mainTable(lines)}
${parameterTable(lines)}
${sizeTable(lines)}
${checkTable(lines)}`;
}

/** `families` has the results of each; those without any are absent. */
export function rivalsReport(families) {
  const sets = bySet([...families.values()].flat());
  const all = [...families.values()].flat().flatMap((line) => line.rounds.map(({ load }) => ({ ...line, machine: { ...line.machine, load } })));
  const limits = [...new Set(all.map((line) => line.seconds))].join(' or ');
  const sections = sets.map((lines) => {
    const { metric, queries } = lines[0];
    const parts = [...families].map(([family, results]) => [family, results.filter((line) => named(line) === named(lines[0]))]);
    const there = parts.filter(([, results]) => results.length > 0).map(([family, results]) => section(family, results));
    return `## ${named(lines[0])}\n\n${metric}, ${whole(queries)} queries.\n\n${there.join('\n')}`;
  });
  return `${GENERATED}
# EdgeVec and its rivals

The same rows, queries and exact neighbours for every library, each in a process or page of its own, measured in turn by the same
program through an adapter of a few lines ([bench/rivals](../../bench/rivals)). What runs in JavaScript is measured in pages of Chromium,
as far as it runs there, and in Node. m is 16 and efConstruction 200 wherever a library has them; one thread. How to run it: [README](README.md).

- **Build** is the CPU time of the process (of all processes of a browser) while rows go in, with what a library does to make them
  searchable; \`wall\` is longer where other programs were running. What has no index builds at once and searches slowly.
- **q/s** are queries a second of CPU time (in a page of time: it cannot see the former) at a recall@10, between the two points of a sweep of ef (10 to 512, or until it rises no more) around it;
  of three or more passes over all queries the fastest counts.
  JavaScript asks one query at a time; native libraries get all of them in one call, as their interface has it.
- **Thread held** is the longest time while rows go in during which the program could do nothing else; \`whole build\` is a call that
  does not return before. Where rows go in one by one it is the longest call.
- **Memory growth** is of the process, from before the index is made to when it is built; the rows themselves are not in it.
  A page cannot see it.
- **Download** is the scripts that a page loads and the WebAssembly they fetch, each as it is published and compressed by gzip
  itself. A bundler makes scripts smaller.
- **Checks**: rows stored are the rows given; every 100th row finds itself (or a copy of it) first at ef 512; a recall of ${LEAST_RECALL} is reached at some
  ef; 50 queries are answered the same by what was saved and loaded again (– where the library cannot, as the adapter uses it). More than ${limits} s of
  CPU is a failure, too.
- \`edgevec of the registry\` is an older, unrelated package of the same name.
- What builds in more than 30 s is measured in one round only. Of a library's ways of building, charts and words have the fastest that
  passes its checks.

${environment(all)}
${sections.join('\n')}`;
}

export function rivalsCharts(families) {
  const charts = {};
  for (const [family, results] of families) {
    for (const lines of bySet(results)) {
      const at = (kind) => file(kind, family, lines[0]);
      const where = `${named(lines[0])}, ${TITLES[family]}`;
      const shown = chosen(lines);
      const curves = shown.filter((line) => of(line, bestRecall) >= LEAST_RECALL);
      charts[at('recall')] = recallChart({
        title: `${where}: recall and speed`,
        x: family === 'chromium' ? 'queries a second' : 'queries a second, of CPU time',
        key: 'beside',
        lines: curves.map((line) => ({ name: called(line), points: curve(line) })),
      });
      const bars = (value, show) => shown.map((line) => ({ name: called(line), value: value(line), text: show(value(line)), own: line.contender === OWN }))
        .sort((a, b) => a.value - b.value);
      charts[at('build')] = barChart({ title: `${where}: building, CPU seconds`, bars: bars(buildMs, (ms) => `${seconds(ms)} s`) });
      if (!lines.some(growsMemory)) continue;
      charts[at('memory')] = barChart({ title: `${where}: growth of memory`, bars: bars(growthBytes, megabytes) });
    }
  }
  return charts;
}

/** Medians over rounds of speed and recall at each ef that all rounds have. */
function curve(line) {
  const rounds = measured(line);
  const at = (ef) => rounds.map(({ points }) => points.find((point) => point.ef === ef));
  return rounds[0].points.map(({ ef }) => at(ef)).filter((points) => points.every(Boolean))
    .map((points) => [1e6 / median(points.map(({ cpuUs }) => cpuUs)), median(points.map(({ recall }) => recall))]);
}

/** Two charts and the words for the README. */
export function rivalsSummary(families) {
  const family = ['chromium', 'javascript'].find((name) => families.has(name));
  if (family === undefined) return '';
  const [lines] = bySet(families.get(family));
  const picture = (kind, alternative) => `![${alternative}](${file(kind, family, lines[0])})`;
  const failing = [...new Set(lines.filter((line) => !passes(line)).map(called))];
  const inNode = families.get('javascript')?.some((line) => named(line) === named(lines[0]) && growsMemory(line));
  const memory = inNode ? `![Growth of memory, in Node](${file('memory', 'javascript', lines[0])})\n\n` : '';
  return `Beside other libraries, ${named(lines[0])}, ${TITLES[family]}, one thread, m 16, efConstruction 200
([in Node too, the native ones, and what fails](docs/benchmarks/rivals.md)):

${picture('recall', 'Recall against queries a second')}

${picture('build', 'CPU time of building')}

${memory}${words(lines)}- **Fails a check**: ${failing.length === 0 ? 'none' : failing.join(', ')}.

${noise(lines)}`;
}
