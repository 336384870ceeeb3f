// Times of the two ways, drawn side by side, with the ratio between them.

import { duration, element } from './dom.js';

const LANES = [['loop', 'loop'], ['batch', 'batch']];

export class Bars {
  #root; #speedUp; #rows;

  constructor(root, rowCount) {
    this.#root = root;
    this.#speedUp = element('p', { class: 'speed-up' });
    this.#rows = new Map(LANES.map(([lane, name]) => {
      const fill = element('span', { class: 'bar-fill' });
      const time = element('span', { class: 'bar-time', text: 'not run yet' });
      const row = element('div', { class: `bar ${lane} open` }, element('span', { class: 'bar-name', text: name }),
        element('span', { class: 'bar-track' }, fill), time);
      return [lane, { row, fill, time }];
    }));
    root.replaceChildren(
      element('h3', { text: `Time for ${rowCount} rows` }),
      this.#speedUp,
      ...[...this.#rows.values()].map(({ row }) => row),
    );
    this.set({});
  }

  /** Draws milliseconds; a lane without a time stays an outline. */
  set({ loop, batch }) {
    const times = { loop, batch };
    const longest = Math.max(loop ?? 0, batch ?? 0);
    for (const [lane, { row, fill, time }] of this.#rows) {
      const ms = times[lane];
      row.classList.toggle('open', ms === undefined);
      fill.style.width = ms === undefined ? '0' : `${Math.max(0.5, (100 * ms) / longest)}%`;
      time.textContent = ms === undefined ? 'not run yet' : duration(ms);
    }
    this.#root.classList.toggle('both', Boolean(loop && batch));
    this.#speedUp.replaceChildren(...this.#verdict(loop, batch));
  }

  #verdict(loop, batch) {
    if (!loop || !batch) return [element('span', { text: 'Run both to compare them.' })];
    const ratio = loop / batch;
    const faster = ratio >= 1;
    return [
      element('strong', { text: `${(faster ? ratio : 1 / ratio).toFixed(ratio < 10 ? 2 : 1)}×` }),
      element('span', { text: faster ? 'faster as a batch' : 'slower as a batch' }),
    ];
  }
}
