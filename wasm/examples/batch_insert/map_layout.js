// Where the entries are on the map, in CSS pixels, and which one is near a place. No drawing.

const CELL = 24; // pixels; a little over the reach of the pointer
const MOST_STRETCH = 1.5;

/** The smallest box around all points, of pairs of numbers. */
function bounds(points) {
  const box = { left: Infinity, right: -Infinity, top: Infinity, bottom: -Infinity };
  for (let i = 0; i < points.length; i += 2) {
    box.left = Math.min(box.left, points[i]);
    box.right = Math.max(box.right, points[i]);
    box.top = Math.min(box.top, points[i + 1]);
    box.bottom = Math.max(box.bottom, points[i + 1]);
  }
  return box;
}

export class Layout {
  #box; #points; #cells = new Map();
  /** x, y of every row. */
  xy;

  constructor(points) {
    this.#points = points;
    this.#box = bounds(points);
    this.xy = new Float32Array(points.length);
  }

  get length() {
    return this.xy.length / 2;
  }

  /** The part of the map to look at: all of it. */
  get whole() {
    return this.#box;
  }

  /** The part around row `centre` that holds most of `rows`; far ones may be left outside. */
  around(centre, rows) {
    const x = this.#points[2 * centre];
    const y = this.#points[2 * centre + 1];
    const reach = rows
      .map((row) => Math.max(Math.abs(this.#points[2 * row] - x), Math.abs(this.#points[2 * row + 1] - y)))
      .sort((a, b) => a - b)[Math.floor(rows.length * 0.6)] ?? 0;
    const half = Math.max(reach * 1.25, (this.#box.right - this.#box.left) / 24);
    return { left: x - half, right: x + half, top: y - half, bottom: y + half };
  }

  /**
   * Fits a part of the map into `width` × `height`. The axes of such a map mean nothing by
   * themselves, so one may be stretched against the other, up to a point, to use the room.
   */
  fit(width, height, padding, { left, right, top, bottom }) {
    const wide = (width - 2 * padding) / (this.#box.right - this.#box.left);
    const tall = (height - 2 * padding) / (this.#box.bottom - this.#box.top);
    const stretch = Math.min(MOST_STRETCH, Math.max(1 / MOST_STRETCH, wide / tall));
    const scaleY = Math.min((width - 2 * padding) / ((right - left) * stretch), (height - 2 * padding) / (bottom - top));
    const scaleX = scaleY * stretch;
    this.#cells.clear();
    for (let row = 0; row < this.length; row++) {
      const x = width / 2 + (this.#points[2 * row] - (left + right) / 2) * scaleX;
      const y = height / 2 + (this.#points[2 * row + 1] - (top + bottom) / 2) * scaleY;
      this.xy[2 * row] = x;
      this.xy[2 * row + 1] = y;
      const key = cellKey(Math.floor(x / CELL), Math.floor(y / CELL));
      const cell = this.#cells.get(key);
      if (cell) cell.push(row);
      else this.#cells.set(key, [row]);
    }
  }

  at(row) {
    return { x: this.xy[2 * row], y: this.xy[2 * row + 1] };
  }

  /** The row nearest to a place for which `wanted` holds, at most `reach` (≤ CELL) away, or -1. */
  nearest(x, y, reach, wanted) {
    let best = -1;
    let bestSquared = reach * reach;
    const column = Math.floor(x / CELL);
    const line = Math.floor(y / CELL);
    for (let c = column - 1; c <= column + 1; c++) {
      for (let l = line - 1; l <= line + 1; l++) {
        for (const row of this.#cells.get(cellKey(c, l)) ?? []) {
          const squared = (this.xy[2 * row] - x) ** 2 + (this.xy[2 * row + 1] - y) ** 2;
          if (squared < bestSquared && wanted(row)) {
            best = row;
            bestSquared = squared;
          }
        }
      }
    }
    return best;
  }

  /** The row that is next in a direction (dx, dy one of 1, 0, -1): near, and not far off its line. */
  towards(from, dx, dy, wanted) {
    const start = this.at(from);
    let best = from;
    let bestCost = Infinity;
    for (let row = 0; row < this.length; row++) {
      const x = this.xy[2 * row] - start.x;
      const y = this.xy[2 * row + 1] - start.y;
      const along = x * dx + y * dy;
      if (along < 2 || !wanted(row)) continue;
      const cost = along + 3 * Math.abs(x * dy - y * dx);
      if (cost < bestCost) {
        best = row;
        bestCost = cost;
      }
    }
    return best;
  }

  /** For each category the place where it is densest, and how many points are around that place. */
  centres(categories, count) {
    const tallies = Array.from({ length: count }, () => new Map());
    const size = CELL * 2;
    for (let row = 0; row < this.length; row++) {
      const key = cellKey(Math.floor(this.xy[2 * row] / size), Math.floor(this.xy[2 * row + 1] / size));
      const tally = tallies[categories[row]];
      const sums = tally.get(key) ?? { points: 0, x: 0, y: 0 };
      sums.points++;
      sums.x += this.xy[2 * row];
      sums.y += this.xy[2 * row + 1];
      tally.set(key, sums);
    }
    return tallies.map((tally) => {
      const densest = [...tally.values()].sort((a, b) => b.points - a.points)[0];
      return densest && { points: densest.points, x: densest.x / densest.points, y: densest.y / densest.points };
    });
  }
}

function cellKey(column, line) {
  return column * 65536 + line;
}
