// The map: one point an entry, placed by its embedding. All points are kept in a picture that is
// only ever added to while rows are inserted, so that a frame costs as little as the rows it brings.
// What is seen is that picture, drawn over with what changes: names, query, hits, the entry pointed at.

import { Layout } from './map_layout.js';

// How much of the points is left beside a query and its hits.
const DIMMED = 0.32;
const POINTER_REACH = 14;
const ZOOM_MS = 420;
// Names of categories that have no place of their own on the map would mislead.
const NAMED_CATEGORIES = 11;

export class EmbeddingMap {
  #canvas; #points = document.createElement('canvas'); #tooltip; #sample; #categories; #names; #look; #describe; #onShow; #layout;
  #sprites = []; #ghost; #radius = 2; #ratio = 1; #width = 0; #height = 0;
  #shown = 0; #drawn = 0; #only = null; #hovered = -1; #query = -1; #hits = []; #frame = 0; #centres = []; #view; #target; #zoomed = false;
  #still = matchMedia('(prefers-reduced-motion: reduce)');

  /**
   * @param {{
   *   frame: HTMLElement, canvas: HTMLCanvasElement, tooltip: HTMLElement,
   *   sample: object, categories: Uint8Array, names: string[],
   *   look: () => { points: string[], ghost: string, ink: string, surface: string, accent: string },
   *   describe: (row: number) => { title: string, kind: string, text: string },
   *   onPick: (row: number) => void, onShow: (rows: number) => void, announce: (text: string) => void,
   * }} parts
   */
  constructor({ frame, canvas, tooltip, sample, categories, names, look, describe, onPick, onShow, announce }) {
    this.#canvas = canvas;
    this.#tooltip = tooltip;
    this.#sample = sample;
    this.#categories = categories;
    this.#names = names;
    this.#look = look;
    this.#describe = describe;
    this.#onShow = onShow;
    this.#layout = new Layout(sample.points);
    this.#view = this.#layout.whole;
    new ResizeObserver(() => this.resize()).observe(frame);
    this.resize();
    this.#listen(onPick, announce);
    onShow(0);
  }

  /** Draws everything anew: the size, the theme or the screen has changed. */
  resize() {
    this.#width = this.#canvas.clientWidth;
    this.#height = this.#canvas.clientHeight;
    if (this.#width === 0 || this.#height === 0) return;
    this.#ratio = devicePixelRatio || 1;
    for (const canvas of [this.#points, this.#canvas]) {
      canvas.width = Math.round(this.#width * this.#ratio);
      canvas.height = Math.round(this.#height * this.#ratio);
      canvas.getContext('2d').setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    }
    this.#makeSprites();
    this.#place();
    this.#repaint();
  }

  #makeSprites() {
    const radius = Math.min(2.3, Math.max(1.05, Math.sqrt(this.#width * this.#height) / 330));
    this.#radius = this.#zoomed ? radius * 1.7 : radius;
    const { points, ghost } = this.#look();
    this.#sprites = points.map((colour) => this.#sprite(colour, this.#radius));
    this.#ghost = this.#sprite(ghost, this.#radius * 0.8);
  }

  /** Lights the first `rows` rows; the others are shadows. */
  show(rows) {
    if (rows === this.#shown) return;
    this.#shown = rows;
    this.#onShow(rows);
    if (rows < this.#drawn) this.#repaint();
    else this.#addPoints(this.#drawn, rows);
    this.#requestDraw();
  }

  /** Shows one category only, or all (`null`). */
  only(category) {
    this.#only = category;
    this.#repaint();
  }

  /** Looks at the query and most of its hits, or at the whole map again. */
  zoom(closer) {
    const target = closer && this.#query >= 0 ? this.#layout.around(this.#query, this.#hits) : this.#layout.whole;
    this.#zoomed = target !== this.#layout.whole;
    const from = this.#view;
    const start = performance.now();
    const step = () => {
      if (this.#target !== target) return; // another zoom has begun
      const part = this.#still.matches ? 1 : Math.min(1, (performance.now() - start) / ZOOM_MS);
      const eased = 1 - (1 - part) ** 3;
      const mix = (side) => from[side] + (target[side] - from[side]) * eased;
      this.#view = part === 1 ? target : { left: mix('left'), right: mix('right'), top: mix('top'), bottom: mix('bottom') };
      this.#place();
      this.#repaint();
      if (part < 1) requestAnimationFrame(step);
    };
    this.#target = target;
    this.#makeSprites();
    step();
  }

  #place() {
    this.#hover(-1);
    this.#layout.fit(this.#width, this.#height, Math.max(14, this.#width / 32), this.#view);
    this.#centres = this.#layout.centres(this.#categories, this.#names.length);
  }

  /** Marks a query and its hits; -1 and none take the marks away. */
  mark(query, hits) {
    this.#query = query;
    this.#hits = hits;
    if (this.#zoomed) this.zoom(query >= 0);
    this.#requestDraw();
  }

  #sprite(colour, radius) {
    const size = Math.ceil((radius + 1) * 2 * this.#ratio);
    const sprite = document.createElement('canvas');
    sprite.width = sprite.height = size;
    const context = sprite.getContext('2d');
    context.fillStyle = colour;
    context.beginPath();
    context.arc(size / 2, size / 2, radius * this.#ratio, 0, 2 * Math.PI);
    context.fill();
    return { sprite, size: size / this.#ratio };
  }

  #isLit(row) {
    return row < this.#shown && (this.#only === null || this.#categories[row] === this.#only);
  }

  #isThere = (row) => this.#only === null || this.#categories[row] === this.#only;

  #stamp(context, { sprite, size }, row) {
    const x = this.#layout.xy[2 * row];
    const y = this.#layout.xy[2 * row + 1];
    if (x < -size || y < -size || x > this.#width + size || y > this.#height + size) return;
    context.drawImage(sprite, x - size / 2, y - size / 2, size, size);
  }

  #repaint() {
    const context = this.#points.getContext('2d');
    context.clearRect(0, 0, this.#width, this.#height);
    for (let row = 0; row < this.#layout.length; row++) {
      if (!this.#isLit(row)) this.#stamp(context, this.#ghost, row);
    }
    this.#addPoints(0, this.#shown);
    this.#requestDraw();
  }

  #addPoints(from, to) {
    const context = this.#points.getContext('2d');
    for (let row = from; row < to; row++) {
      if (this.#isLit(row)) this.#stamp(context, this.#sprites[this.#categories[row]], row);
    }
    this.#drawn = to;
  }

  #requestDraw() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw() {
    const context = this.#canvas.getContext('2d');
    const look = this.#look();
    context.clearRect(0, 0, this.#width, this.#height);
    context.globalAlpha = this.#query < 0 ? 1 : DIMMED;
    context.drawImage(this.#points, 0, 0, this.#width, this.#height);
    context.globalAlpha = 1;
    if (this.#query < 0) this.#drawNames(context, look);
    else this.#drawAnswer(context, look);
    if (this.#hovered >= 0) {
      const { x, y } = this.#layout.at(this.#hovered);
      this.#disc(context, x, y, this.#radius + 2.5, look.points[this.#categories[this.#hovered]], look.surface, 1.5);
      this.#ring(context, x, y, this.#radius + 4.5, look.ink, 1.5);
    }
  }

  #drawNames(context, look) {
    const size = this.#width < 480 ? 11 : 13;
    const taken = [];
    const centres = this.#centres;
    const order = [...centres.keys()]
      .filter((category) => category < NAMED_CATEGORIES && centres[category])
      .filter((category) => this.#only === null || category === this.#only)
      .sort((a, b) => centres[b].points - centres[a].points);
    context.font = `600 ${size}px system-ui, sans-serif`;
    for (const category of order) {
      const { x, y } = centres[category];
      this.#text(context, this.#names[category], x, y, size, look, taken);
    }
  }

  #drawAnswer(context, look) {
    const from = this.#layout.at(this.#query);
    context.strokeStyle = look.ink;
    context.lineWidth = 1;
    context.globalAlpha = 0.35;
    context.beginPath();
    for (const row of this.#hits) {
      const to = this.#layout.at(row);
      context.moveTo(from.x, from.y);
      context.lineTo(to.x, to.y);
    }
    context.stroke();
    context.globalAlpha = 1;
    for (const row of this.#hits) {
      const { x, y } = this.#layout.at(row);
      this.#disc(context, x, y, this.#radius + 2.6, look.points[this.#categories[row]], look.surface, 1.5);
    }
    this.#disc(context, from.x, from.y, this.#radius + 4, look.points[this.#categories[this.#query]], look.surface, 2);
    this.#ring(context, from.x, from.y, this.#radius + 7.5, look.ink, 2);
    this.#drawAnswerNames(context, look);
  }

  /** Names of the query and of as many hits as there is room for, nearest first. */
  #drawAnswerNames(context, look) {
    const size = this.#width < 480 ? 11 : 12;
    const taken = [this.#query, ...this.#hits].map((row, i) => {
      const { x, y } = this.#layout.at(row);
      const reach = this.#radius + (i === 0 ? 7 : 2);
      return { left: x - reach, right: x + reach, top: y - reach, bottom: y + reach };
    });
    const write = (row, points, away, force) => {
      const { x, y } = this.#layout.at(row);
      if (x < 0 || y < 0 || x > this.#width || y > this.#height) return;
      const name = this.#sample.texts.lemma[row];
      const side = context.measureText(name).width / 2 + away - 2;
      const places = [[0, -away], [0, away], [side, 0], [-side, 0], [side, -away], [-side, -away], [side, away], [-side, away]];
      const written = places.some(([dx, dy]) => this.#text(context, name, x + dx, y + dy, points, look, taken));
      if (!written && force) this.#text(context, name, x, y - away, points, look, []);
    };
    context.font = `700 ${size + 2}px system-ui, sans-serif`;
    write(this.#query, size + 2, this.#radius + 19, true);
    context.font = `500 ${size}px system-ui, sans-serif`;
    for (const row of this.#hits) write(row, size, this.#radius + 12, false);
  }

  /** Writes where nothing has been written yet, inside the canvas; says whether it did. */
  #text(context, text, x, y, size, look, taken) {
    const half = context.measureText(text).width / 2 + 3;
    const middle = Math.min(this.#width - half - 2, Math.max(half + 2, x));
    const line = Math.min(this.#height - size, Math.max(size, y));
    const box = { left: middle - half, right: middle + half, top: line - size * 0.7, bottom: line + size * 0.7 };
    const free = taken.every((b) => box.right < b.left || box.left > b.right || box.bottom < b.top || box.top > b.bottom);
    if (!free) return false;
    taken.push(box);
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.lineJoin = 'round';
    context.lineWidth = 4;
    context.strokeStyle = look.surface;
    context.strokeText(text, middle, line);
    context.fillStyle = look.ink;
    context.fillText(text, middle, line);
    return true;
  }

  #disc(context, x, y, radius, fill, stroke, width) {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fillStyle = fill;
    context.fill();
    context.lineWidth = width;
    context.strokeStyle = stroke;
    context.stroke();
  }

  #ring(context, x, y, radius, colour, width) {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.stroke();
  }

  #hover(row) {
    if (row === this.#hovered) return;
    this.#hovered = row;
    this.#canvas.classList.toggle('over-point', row >= 0);
    this.#tooltip.hidden = row < 0;
    if (row >= 0) this.#placeTooltip(row);
    this.#requestDraw();
  }

  #placeTooltip(row) {
    const { title, kind, text } = this.#describe(row);
    const [strong, small, body] = this.#tooltip.children;
    strong.textContent = title;
    small.textContent = kind;
    body.textContent = text;
    const { x, y } = this.#layout.at(row);
    const { offsetWidth: width, offsetHeight: height } = this.#tooltip;
    const left = Math.min(this.#width - width - 6, Math.max(6, x - width / 2));
    const above = y - height - 14;
    const top = above >= 6 ? above : Math.min(this.#height - height - 6, y + 16);
    this.#tooltip.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  }

  #listen(onPick, announce) {
    const canvas = this.#canvas;
    const find = (event) => this.#layout.nearest(event.offsetX, event.offsetY, POINTER_REACH, this.#isThere);
    canvas.addEventListener('pointermove', (event) => this.#hover(find(event)));
    canvas.addEventListener('pointerleave', () => this.#hover(-1));
    canvas.addEventListener('click', (event) => {
      const row = find(event);
      if (row >= 0) onPick(row);
    });
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    canvas.addEventListener('keydown', (event) => {
      const step = steps[event.key];
      if (step) {
        const start = this.#hovered >= 0 ? this.#hovered : Math.max(0, this.#query);
        const row = this.#layout.towards(start, ...step, this.#isThere);
        this.#hover(row);
        const { title, kind } = this.#describe(row);
        announce(`${title}, ${kind}`);
      } else if (event.key === 'Enter' && this.#hovered >= 0) onPick(this.#hovered);
      else if (event.key === 'Escape') this.#hover(-1);
      else return;
      event.preventDefault();
    });
    canvas.addEventListener('blur', () => this.#hover(-1));
  }
}
