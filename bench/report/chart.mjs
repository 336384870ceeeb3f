// Line and bar charts as SVG that can be read on a light and on a dark page.

const [WIDTH, HEIGHT] = [720, 380];
const PLOT = { left: 64, right: 20, top: 46, bottom: 48 };
const KEY_WIDTH = 190;
/** Apart in hue and in lightness, and by the form of the mark. */
const COLOURS = ['#2f6fde', '#d9480f', '#7a7f87', '#2b8a3e', '#a83fc4', '#b08900', '#0f8f8f', '#c2255c', '#8a6d4f', '#6f7bd6', '#5c940d', '#d6336c'];
const MARKS = [
  (x, y) => `<circle cx="${x}" cy="${y}" r="3.5"/>`,
  (x, y) => `<rect x="${x - 3.2}" y="${(y - 3.2).toFixed(1)}" width="6.4" height="6.4"/>`,
  (x, y) => `<path d="M${x} ${(y - 4.2).toFixed(1)}l4 7h-8z"/>`,
  (x, y) => `<path d="M${x} ${(y - 4.6).toFixed(1)}l4.4 4.6l-4.4 4.6l-4.4 -4.6z"/>`,
  (x, y) => `<path d="M${x} ${(y + 4.2).toFixed(1)}l4 -7h-8z"/>`,
  (x, y) => `<rect x="${x - 4.4}" y="${(y - 1.6).toFixed(1)}" width="8.8" height="3.2"/>`,
];

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** A logarithmic scale around values: where a value lies, from 0 to 1, and what is written at it. */
function logarithmic(values) {
  const [least, most] = [Math.min(...values) * 0.93, Math.max(...values) * 1.07];
  const powers = Array.from({ length: 12 }, (_, power) => 10 ** (power - 4));
  const ticks = powers.flatMap((power) => [1, 2, 5].map((digit) => digit * power)).filter((tick) => tick >= least && tick <= most);
  return {
    at: (value) => Math.log(value / least) / Math.log(most / least),
    ticks: ticks.map((tick) => [tick, tick.toLocaleString('en-US')]),
  };
}

/** A scale of recalls, up to 1. */
function recalls(values) {
  const lowest = Math.min(...values);
  const step = lowest > 0.88 ? 0.02 : 0.05;
  const low = Math.max(0.8, 1 - step * Math.ceil((1 - lowest) / step));
  const levels = Array.from({ length: Math.round((1 - low) / step) + 1 }, (_, level) => low + level * step);
  return { low, at: (value) => (value - low) / (1 - low), ticks: levels.map((level) => [level, level.toFixed(2)]) };
}

/**
 * Recall upwards against a cost or a speed across. What is beyond `enough` says nothing more. Curves of a cost rise
 * to the right and leave the lower right corner free for the key, curves of a speed the lower left one. A longer key
 * stands `beside`.
 */
export function recallChart({ title, x, lines, enough = 0.999, key = 'right' }) {
  const up = recalls(lines.flatMap(({ points }) => points.map(([, recall]) => recall)));
  const shown = lines.map(({ name, points }) => {
    const last = points.findIndex(([, recall]) => recall >= enough);
    return { name, points: points.slice(0, last < 0 ? undefined : last + 1).filter(([, recall]) => recall >= up.low) };
  });
  return draw({ title, x, y: 'recall@10', lines: shown, across: logarithmic(allOf(shown, 0)), up, key });
}

/** One quantity against another, both on logarithmic scales. */
export function growthChart({ title, x, y, lines }) {
  return draw({ title, x, y, lines, across: logarithmic(allOf(lines, 0)), up: logarithmic(allOf(lines, 1)), key: 'right' });
}

const allOf = (lines, place) => lines.flatMap(({ points }) => points.map((point) => point[place]));

function draw({ title, x, y, lines, across, up, key }) {
  const [right, bottom] = [WIDTH - PLOT.right - (key === 'beside' ? KEY_WIDTH : 0), HEIGHT - PLOT.bottom];
  const [width, height] = [right - PLOT.left, bottom - PLOT.top];
  const atX = (value) => +(PLOT.left + across.at(value) * width).toFixed(1);
  const atY = (value) => +(bottom - up.at(value) * height).toFixed(1);
  const grid = [
    ...up.ticks.map(([tick]) => `<line x1="${PLOT.left}" x2="${right}" y1="${atY(tick)}" y2="${atY(tick)}"/>`),
    ...across.ticks.map(([tick]) => `<line x1="${atX(tick)}" x2="${atX(tick)}" y1="${PLOT.top}" y2="${bottom}"/>`),
  ];
  const labels = [
    ...up.ticks.map(([tick, text]) => `<text x="${PLOT.left - 8}" y="${atY(tick) + 4}" text-anchor="end">${text}</text>`),
    ...across.ticks.map(([tick, text]) => `<text x="${atX(tick)}" y="${bottom + 18}" text-anchor="middle">${text}</text>`),
  ];
  const drawn = lines.map(({ points }, line) => {
    const path = points.map(([a, b], place) => `${place === 0 ? 'M' : 'L'}${atX(a)} ${atY(b)}`).join('');
    const marks = points.map(([a, b]) => mark(line, atX(a), atY(b))).join('');
    return `<g fill="${COLOURS[line]}"><path d="${path}" fill="none" stroke="${COLOURS[line]}" stroke-width="2"/>${marks}</g>`;
  });
  const names = lines.map(({ name }, line) => {
    const left = { left: PLOT.left + 16, right: right - KEY_WIDTH, beside: right + 18 }[key];
    const top = key === 'beside' ? PLOT.top + 12 + 20 * line : bottom - 16 - 20 * (lines.length - 1 - line);
    return `<g fill="${COLOURS[line]}">${mark(line, left, top - 4)}</g><text x="${left + 12}" y="${top}">${escaped(name)}</text>`;
  });
  return page(title, HEIGHT, `<g class="grid">${grid.join('')}</g>
${labels.join('')}
<text x="${PLOT.left + width / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escaped(x)}</text>
<text x="16" y="${PLOT.top + height / 2}" text-anchor="middle" transform="rotate(-90 16 ${PLOT.top + height / 2})">${escaped(y)}</text>
${drawn.join('\n')}
${names.join('\n')}`);
}

/** A bar for each value, from 0 on, with what is written at its end; bars that are `own` stand out. */
export function barChart({ title, bars }) {
  const [names, texts, step] = [230, 90, 24];
  const most = Math.max(...bars.map(({ value }) => value));
  const drawn = bars.map(({ name, value, text, own }, place) => {
    const top = PLOT.top + step * place;
    const width = +Math.max((value / most) * (WIDTH - names - texts - PLOT.right), 1).toFixed(1);
    return `<text x="${names - 8}" y="${top + 13}" text-anchor="end">${escaped(name)}</text>`
      + `<rect x="${names}" y="${top}" width="${width}" height="17" fill="${COLOURS[own ? 0 : 2]}"/>`
      + `<text x="${names + width + 6}" y="${top + 13}">${escaped(text)}</text>`;
  });
  return page(title, PLOT.top + step * bars.length + 8, drawn.join('\n'));
}

const mark = (line, x, y) => MARKS[line % MARKS.length](x, y);

function page(title, height, drawn) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">
<style>
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-size: 15px; font-weight: 600 }
.grid { stroke: #8c959f; stroke-opacity: .35 }
@media (prefers-color-scheme: dark) { text { fill: #d8dee4 } }
</style>
<text class="title" x="${PLOT.left}" y="24">${escaped(title)}</text>
${drawn}
</svg>
`;
}
