// The six error codes of a batch, each on a real call. Five can be provoked; the sixth means that
// EdgeVec broke a promise to itself, and no input does that.

import { byId, element } from './dom.js';
import { createIndex } from './runs.js';

const STORED_ROWS = 3;

/** What to call; `row(i)` is a good row, `index` already holds rows with the ids 0 to 2. */
const CASES = [
  {
    code: 'EMPTY_BATCH',
    call: 'insertBatch([])',
    run: (index) => index.insertBatch([]),
  },
  {
    code: 'DIMENSION_MISMATCH',
    call: 'insertBatch([row, row, row.slice(1)])',
    run: (index, { row }) => index.insertBatch([row(5), row(6), row(7).slice(1)]),
  },
  {
    code: 'DUPLICATE_ID',
    call: 'insertBatch([row, row], { ids: [7, 7] })',
    run: (index, { row }) => index.insertBatch([row(5), row(6)], { ids: [7, 7] }),
  },
  {
    code: 'INVALID_VECTOR',
    call: 'insertBatch([row, rowWithNaN])',
    run: (index, { row }) => {
      const broken = row(6).slice();
      broken[17] = NaN;
      return index.insertBatch([row(5), broken]);
    },
  },
  {
    code: 'CAPACITY_EXCEEDED',
    call: 'insertBatch(Array(EdgeVec.batchLimit(384) + 1).fill(row))',
    run: (index, { row }, EdgeVec) => index.insertBatch(Array(EdgeVec.batchLimit(index.dimensions) + 1).fill(row(5))),
  },
  {
    code: 'INTERNAL_ERROR',
    why: 'A broken invariant inside EdgeVec. Bad input never causes it, so this page cannot provoke it, and does not pretend to.',
  },
];

export class ErrorsPanel {
  #EdgeVec; #sample; #items; #index;
  #count = byId('errors-count'); #all = byId('errors-all');

  constructor({ EdgeVec, sample }) {
    this.#EdgeVec = EdgeVec;
    this.#sample = sample;
    this.#items = CASES.map((entry) => this.#item(entry));
    byId('errors').replaceChildren(...this.#items.map(({ item }) => item));
    this.#all.disabled = false;
    this.#all.addEventListener('click', () => this.provokeAll());
  }

  /** Makes all bad calls; resolves to the errors seen and the size of the index afterwards. */
  async provokeAll() {
    const errors = [];
    for (const entry of this.#items) {
      if (entry.run) errors.push(await this.#provoke(entry));
    }
    return { errors, sizeBefore: STORED_ROWS, sizeAfter: this.#index.size };
  }

  #item({ code, call, run, why }) {
    const output = element('div', { class: 'error-output', 'aria-live': 'polite' });
    const head = element('div', { class: 'error-head' }, element('h3', {}, element('code', { text: code })));
    const item = element('li', {}, head);
    const entry = { code, run, item, output, seen: false };
    if (run) {
      item.append(element('code', { class: 'call', text: call }), output);
      head.append(element('button', {
        type: 'button', class: 'small', 'aria-label': `Provoke ${code}`, text: 'Provoke', onclick: () => this.#provoke(entry),
      }));
    } else {
      item.classList.add('impossible');
      item.append(element('p', { text: why }));
    }
    return entry;
  }

  async #provoke(entry) {
    this.#index ??= await this.#smallIndex();
    let error = null;
    try {
      await entry.run(this.#index, this.#sample, this.#EdgeVec);
    } catch (thrown) {
      error = thrown;
    }
    const asExpected = error?.code === entry.code;
    entry.seen ||= asExpected;
    entry.item.classList.toggle('seen', asExpected);
    entry.item.classList.toggle('wrong', !asExpected);
    entry.output.replaceChildren(...describe(error));
    const seen = this.#items.filter((i) => i.seen).length;
    const possible = this.#items.filter((i) => i.run).length;
    this.#count.textContent = `${seen} of ${possible} provoked · the index still holds ${this.#index.size} rows`;
    return { code: error?.code ?? null, expected: entry.code, message: error?.message ?? 'the call was accepted', details: error?.details ?? null };
  }

  async #smallIndex() {
    const index = await createIndex(this.#EdgeVec, this.#sample);
    for (let i = 0; i < STORED_ROWS; i++) index.insert(this.#sample.row(i));
    return index;
  }
}

function describe(error) {
  if (!error) return [element('p', { text: 'No error: the call was accepted.' })];
  const parts = [element('p', { text: error.message })];
  const details = Object.entries(error.details ?? {});
  if (details.length > 0) {
    parts.push(element('dl', {}, ...details.map(([name, value]) =>
      element('div', {}, element('dt', { text: name }), element('dd', { text: String(value) })))));
  } else parts.push(element('small', { text: 'no details' }));
  return parts;
}
