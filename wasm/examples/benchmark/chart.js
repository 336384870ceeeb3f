// A chart that grows: SVG in colours of the style sheet, so that it follows the theme and any width.

import { element } from '../batch_insert/dom.js';
import { median } from '../../../bench/report/text.mjs';

const NAMESPACE = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT] = [380, 260];
const PLOT = { left: 46, right: 12, top: 24, bottom: 38 };
/** Drawing takes time from what is measured, so it is done seldom. */
const REST_MS = 250;

function svg(tag, attributes, ...children) {
  const node = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** Four steps of recall up to 1, low enough for all that is found. */
function recallTicks(values) {
  const step = [0.01, 0.025, 0.05, 0.1, 0.25].find((width) => 1 - 4 * width <= Math.min(1, ...values)) ?? 0.25;
  return Array.from({ length: 5 }, (_, place) => 1 - (4 - place) * step);
}

/** Round numbers from 0 to beyond `most`, about five of them. */
function ticksTo(most) {
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((digit) => digit * power >= rough);
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, place) => place * step);
}

const shown = (value) => value.toLocaleString('en', { maximumSignificantDigits: 3 });

export class Chart {
  #root; #options; #lines; #timer; #said;

  /**
   * @param {HTMLElement} root
   * @param {{ label: string, x: string, y: string, lines: Record<string, string>, form?: 'line' | 'sticks',
   *   recall?: boolean, rule?: number }} options  `lines` are names by key, which is also the class; values begin at
   *   0 except for recalls; a `rule` is a line across that values should stay below.
   */
  constructor(root, options) {
    this.#root = root;
    this.#options = options;
    this.#said = element('p', { class: 'chart-said' });
    this.clear();
  }

  clear() {
    this.#lines = new Map(Object.keys(this.#options.lines).map((line) => [line, new Map()]));
    this.say('');
    this.#draw();
  }

  /** A point; those with the same key are drawn, and their medians are joined. */
  add(line, key, x, y) {
    const points = this.#lines.get(line);
    points.set(key, [...(points.get(key) ?? []), [x, y]]);
    this.#timer ??= setTimeout(() => this.flush(), REST_MS);
  }

  /** What the chart shows, in a line below it. */
  say(text) {
    this.#said.textContent = text;
  }

  flush() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#draw();
  }

  #draw() {
    const { label, x, y, lines, form = 'line', recall = false, rule } = this.#options;
    const all = [...this.#lines.values()].flatMap((points) => [...points.values()].flat());
    const most = (place, least) => Math.max(least, ...all.map((point) => point[place]));
    const across = ticksTo(most(0, 1) * 1.02);
    const up = recall ? recallTicks(all.map(([, value]) => value)) : ticksTo(most(1, rule ?? 1) * 1.05);
    const atX = (value) => PLOT.left + (value / across.at(-1)) * (WIDTH - PLOT.left - PLOT.right);
    const atY = (value) => HEIGHT - PLOT.bottom - (Math.max(0, value - up[0]) / (up.at(-1) - up[0])) * (HEIGHT - PLOT.top - PLOT.bottom);
    const [left, right, bottom] = [PLOT.left, WIDTH - PLOT.right, HEIGHT - PLOT.bottom];
    const grid = svg('g', { class: 'grid' }, ...up.map((tick) => svg('line', { x1: left, x2: right, y1: atY(tick), y2: atY(tick) })));
    const labels = svg('g', {},
      ...up.map((tick) => svg('text', { x: left - 7, y: atY(tick) + 4, 'text-anchor': 'end' }, recall ? tick.toFixed(3).replace(/0$/, '') : shown(tick))),
      ...across.map((tick, place) => svg('text', { x: atX(tick), y: bottom + 17, 'text-anchor': place === 0 ? 'start' : place === across.length - 1 ? 'end' : 'middle' }, shown(tick))),
      svg('text', { x: 0, y: 12, class: 'name' }, y),
      svg('text', { x: right, y: HEIGHT - 3, 'text-anchor': 'end', class: 'name' }, x));
    const drawn = [...this.#lines].map(([line, points]) => {
      if (form === 'sticks') {
        const path = [...points.values()].flat().map(([a, b]) => `M${atX(a).toFixed(1)} ${bottom}V${atY(b).toFixed(1)}`).join('');
        return svg('g', { class: `line ${line}` }, svg('path', { d: path, class: 'sticks' }));
      }
      const middles = [...points].sort(([a], [b]) => a - b)
        .map(([, values]) => [median(values.map(([a]) => a)), median(values.map(([, b]) => b))]);
      const path = middles.map(([a, b], place) => `${place === 0 ? 'M' : 'L'}${atX(a).toFixed(1)} ${atY(b).toFixed(1)}`).join('');
      const dots = [...points.values()].flat().map(([a, b]) => svg('circle', { cx: atX(a).toFixed(1), cy: atY(b).toFixed(1), r: 3 }));
      return svg('g', { class: `line ${line}` }, svg('path', { d: path }), ...dots);
    });
    const limit = rule === undefined ? [] : [svg('line', { class: 'rule', x1: left, x2: right, y1: atY(rule), y2: atY(rule) })];
    const picture = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': label }, grid, ...drawn, ...limit, labels);
    const key = element('p', { class: 'chart-key' }, ...Object.entries(lines).map(([line, name]) => element('span', { class: line }, element('i'), name)));
    this.#root.replaceChildren(picture, key, this.#said);
  }
}
