// A line chart as SVG that can be read on a light and on a dark page.

const [WIDTH, HEIGHT] = [720, 380];
const PLOT = { left: 64, right: 20, top: 46, bottom: 48 };
/** Apart in hue and in lightness, and by the form of the mark. */
const COLOURS = ['#2f6fde', '#d9480f', '#7a7f87'];
const MARKS = [
  (x, y) => `<circle cx="${x}" cy="${y}" r="3.5"/>`,
  (x, y) => `<rect x="${x - 3.2}" y="${(y - 3.2).toFixed(1)}" width="6.4" height="6.4"/>`,
  (x, y) => `<path d="M${x} ${(y - 4.2).toFixed(1)}l4 7h-8z"/>`,
];

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** Lines of points [x, y], y rising to 1, x on a logarithmic scale. What is beyond `enough` says nothing more. */
export function chart({ title, x, y, lines, enough = 0.999 }) {
  const lowest = Math.min(...lines.flatMap(({ points }) => points.map(([, value]) => value)));
  const step = lowest > 0.88 ? 0.02 : 0.05;
  const low = Math.max(0.8, 1 - step * Math.ceil((1 - lowest) / step));
  const shown = lines.map(({ name, points }) => {
    const last = points.findIndex(([, value]) => value >= enough);
    return { name, points: points.slice(0, last < 0 ? undefined : last + 1).filter(([, value]) => value >= low) };
  });
  const all = shown.flatMap(({ points }) => points.map(([value]) => value));
  const [least, most] = [Math.min(...all) * 0.93, Math.max(...all) * 1.05];
  const [width, height] = [WIDTH - PLOT.left - PLOT.right, HEIGHT - PLOT.top - PLOT.bottom];
  const across = (value) => +(PLOT.left + (Math.log(value / least) / Math.log(most / least)) * width).toFixed(1);
  const up = (value) => +(PLOT.top + ((1 - value) / (1 - low)) * height).toFixed(1);
  const bottom = HEIGHT - PLOT.bottom;

  const levels = Array.from({ length: Math.round((1 - low) / step) + 1 }, (_, level) => low + level * step);
  const rows = levels.map((level) => `<line x1="${PLOT.left}" x2="${WIDTH - PLOT.right}" y1="${up(level)}" y2="${up(level)}"/>`);
  const labels = levels.map((level) => `<text x="${PLOT.left - 8}" y="${up(level) + 4}" text-anchor="end">${level.toFixed(2)}</text>`);
  for (const tick of [1, 2, 5].flatMap((digit) => [10, 100, 1000, 10_000].map((power) => digit * power))) {
    if (tick < least || tick > most) continue;
    rows.push(`<line x1="${across(tick)}" x2="${across(tick)}" y1="${PLOT.top}" y2="${bottom}"/>`);
    labels.push(`<text x="${across(tick)}" y="${bottom + 18}" text-anchor="middle">${tick.toLocaleString('en-US')}</text>`);
  }
  const drawn = shown.map(({ points }, line) => {
    const path = points.map(([value, level], place) => `${place === 0 ? 'M' : 'L'}${across(value)} ${up(level)}`).join('');
    const marks = points.map(([value, level]) => MARKS[line](across(value), up(level))).join('');
    return `<g fill="${COLOURS[line]}"><path d="${path}" fill="none" stroke="${COLOURS[line]}" stroke-width="2"/>${marks}</g>`;
  });
  // Curves rise to the left: the lower right corner is free.
  const key = shown.map(({ name }, line) => {
    const [left, top] = [WIDTH - PLOT.right - 190, bottom - 16 - 20 * (shown.length - 1 - line)];
    return `<g fill="${COLOURS[line]}">${MARKS[line](left, top - 4)}</g><text x="${left + 12}" y="${top}">${escaped(name)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">
<style>
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-size: 15px; font-weight: 600 }
.grid { stroke: #8c959f; stroke-opacity: .35 }
@media (prefers-color-scheme: dark) { text { fill: #d8dee4 } }
</style>
<text class="title" x="${PLOT.left}" y="24">${escaped(title)}</text>
<g class="grid">${rows.join('')}</g>
${labels.join('')}
<text x="${PLOT.left + width / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escaped(x)}</text>
<text x="16" y="${PLOT.top + height / 2}" text-anchor="middle" transform="rotate(-90 16 ${PLOT.top + height / 2})">${escaped(y)}</text>
${drawn.join('\n')}
${key.join('\n')}
</svg>
`;
}
