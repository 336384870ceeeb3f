// Numbers and tables as text, and what is said of the machine.

export const NAMES = {
  native: 'Native Rust', chromium: 'Chromium', firefox: 'Firefox', webkit: 'WebKit (Safari\'s engine)',
  node: 'Node', 'node-relaxed': 'Node with relaxed SIMD',
};

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** How far apart the values of several series are, at most, as a share of their median; of one value nothing is known. */
export function spread(...series) {
  if (series.some((values) => values.length < 2)) return '–';
  return percent(Math.max(...series.map((values) => (Math.max(...values) - Math.min(...values)) / median(values))));
}

/** What the two batches of a round of A/A differ by, as a share: the median of the rounds. */
export const apart = (batch, again) => median(batch.map((time, round) => Math.max(time / again[round], again[round] / time) - 1));

/**
 * What a recall costs, interpolated between the two points around it. Where already the first finds more, that point, with
 * its recall; undefined where the last finds less.
 */
export function costAt(points, wanted, costOf) {
  const after = points.findIndex(({ recall }) => recall >= wanted);
  if (after < 0) return undefined;
  const [low, high] = [points[after - 1], points[after]];
  if (low === undefined) return { cost: costOf(high), recall: high.recall };
  const share = (wanted - low.recall) / (high.recall - low.recall);
  return { cost: costOf(low) + share * (costOf(high) - costOf(low)), recall: wanted };
}

/** A ratio, with what two equal batches differ by where that is known. */
export const ratioWith = (value, noise) => `${times(value)}${noise === undefined ? '' : ` ±${percent(noise)}`}`;

export const whole = (value) => Math.round(value).toLocaleString('en-US');
export const times = (value) => `${value.toFixed(value < 10 ? 2 : 1)}×`;
export const percent = (value, digits = 0) => `${(value * 100).toFixed(digits)} %`;
export const milliseconds = (value) => (value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : whole(value));
export const megabytes = (value) => `${(value / 1e6).toFixed(1)} MB`;

/** A Markdown table; nothing where there are no rows. */
export function table(head, rows) {
  if (rows.length === 0) return '';
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, column) => (column === 0 ? '---' : '---:'))), ...rows.map(line), ''].join('\n');
}

/** `wordnet-minilm-384`, 10,000 rows, as people say it. */
export const named = ({ set, rows, dimensions }) => `${set.replace(/-\d+$/, '')} ${whole(rows)}×${dimensions}`;

/** What the results were taken with: a line for each thing, with all its values. */
export function environment(results) {
  const values = (of) => [...new Set(results.map(of).filter((value) => value !== undefined && value !== null))].join(', ');
  const loads = results.map(({ machine }) => machine.load).filter((load) => typeof load === 'number');
  return [
    ['CPU', values(({ machine }) => `${machine.cpu}, ${machine.cores} cores, ${machine.architecture}`)],
    ['memory', values(({ machine }) => `${machine.memoryGiB} GiB`)],
    ['system', values(({ machine }) => machine.os)],
    ['load when a measurement began', loads.length === 0 ? '' : `${Math.min(...loads)} to ${Math.max(...loads)} (other programs were running: see the spread)`],
    ['engine', values(({ engine }) => engine)],
    ['instructions', values(({ backend }) => backend)],
    ['EdgeVec', values(({ machine }) => `${machine.edgevec}, commit ${machine.commit}`)],
    ['compiler', values(({ machine }) => machine.rustc)],
    ['date', values(({ machine }) => machine.date)],
  ].filter(([, value]) => value !== '').map(([name, value]) => `- ${name}: ${value}\n`).join('');
}

export const GENERATED = '<!-- Written by `cargo xtask bench report` from docs/benchmarks/data. Do not edit. -->\n';
