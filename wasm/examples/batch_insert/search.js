// Search: a box that finds an entry by its words (typed, or picked on the map) and the list of
// what the index says is nearest to it.

import { categoryOf, definitionOf, partOfSpeech } from './categories.js';
import { byId, count, duration, element } from './dom.js';
import { timedSearch } from './runs.js';

const OPTIONS = 8;
const HITS = 10;
const SUGGESTIONS = ['guitar', 'moon', 'coffee', 'love', 'computer'];

/** Ranks entries by where `text` occurs in them: as the lemma, at a start of a word, anywhere. */
export function createFinder({ lemma, text }) {
  const lemmas = lemma.map((l) => l.toLowerCase());
  const lines = text.map((t) => t.toLowerCase());
  const rank = (row, words) => {
    if (lemmas[row] === words) return 0;
    if (lemmas[row].startsWith(words)) return 1;
    if (lemmas[row].includes(` ${words}`)) return 2;
    const at = lines[row].indexOf(words);
    if (at < 0) return -1;
    return at === 0 || /\W/.test(lines[row][at - 1]) ? 3 : 4;
  };
  return (typed, most) => {
    const words = typed.trim().toLowerCase();
    if (words === '') return [];
    const ranks = [[], [], [], [], []];
    for (let row = 0; row < lemmas.length; row++) {
      const r = rank(row, words);
      if (r >= 0) ranks[r].push(row);
    }
    ranks[1].sort((a, b) => lemmas[a].length - lemmas[b].length || a - b);
    return ranks.flat().slice(0, most);
  };
}

export class SearchPanel {
  #sample; #map; #find; #onHits; #index = null; #query = -1; #options = []; #active = -1;
  #input = byId('query'); #list = byId('options'); #answer = byId('answer'); #time = byId('search-time');

  /** `onHits` hears whether hits are shown, whenever that may have changed. */
  constructor({ sample, map, onHits }) {
    this.#sample = sample;
    this.#map = map;
    this.#onHits = onHits;
    this.#find = createFinder(sample.texts);
    this.#input.disabled = false;
    this.#input.addEventListener('input', () => this.#suggest());
    this.#input.addEventListener('keydown', (event) => this.#key(event));
    this.#input.addEventListener('blur', () => this.#closeList());
    this.#input.addEventListener('focus', () => this.#input.select());
    this.#list.addEventListener('pointerdown', (event) => event.preventDefault()); // keeps the focus in the box
    this.#list.addEventListener('click', (event) => {
      const option = event.target.closest('[role=option]');
      if (option) this.pick(Number(option.dataset.row));
    });
    this.#showEmpty();
  }

  /** The index to search from now on, `null` while there is none. */
  setIndex(index) {
    this.#index = index;
    if (this.#query >= 0 && index?.size > 0) this.pick(this.#query);
    else {
      this.#map.mark(-1, []);
      this.#showEmpty();
    }
  }

  clear() {
    this.#query = -1;
    this.#map.mark(-1, []);
    this.#showEmpty();
  }

  /** Searches with entry `row`; returns what was found, or `null` with nothing to search in. */
  pick(row) {
    const { texts } = this.#sample;
    this.#closeList();
    this.#input.value = texts.lemma[row];
    this.#query = row;
    if (!this.#index?.size) {
      this.#map.mark(row, []);
      this.#showEmpty();
      return null;
    }
    // The entry is in the index itself, so it is its own nearest: one hit more than is shown.
    const { hits, ms, runs } = timedSearch(this.#index, this.#sample.row(row), HITS + 1);
    const others = hits.filter(({ id }) => id !== row).slice(0, HITS);
    this.#map.mark(row, others.map(({ id }) => id));
    this.#time.textContent = `${others.length} of ${count(this.#index.size)} in ${duration(ms)}`;
    this.#time.title = runs > 1 ? `mean of ${runs} equal searches` : '';
    this.#onHits(others.length > 0);
    const self = hits.find(({ id }) => id === row);
    this.#answer.replaceChildren(this.#queryCard(row, self), this.#hitList(others));
    return { hits, ms, runs };
  }

  #dot(row) {
    return element('i', { class: 'dot', style: `--dot: var(--c-${categoryOf(this.#sample.texts.lexname[row])})` });
  }

  #queryCard(row, self) {
    const { lemma, pos, text } = this.#sample.texts;
    const distance = self ? ` Its distance to itself: ${Math.max(0, self.distance).toFixed(4)}.` : '';
    return element('p', { class: 'query-card' }, this.#dot(row),
      element('span', {}, element('strong', { text: lemma[row] }), ' ', element('small', { text: partOfSpeech(pos[row]) }),
        ` ${definitionOf(text[row])}`, element('small', { class: 'self', text: distance })));
  }

  #hitList(hits) {
    const { lemma, pos, text } = this.#sample.texts;
    const items = hits.map(({ id, distance }) => element('li', {},
      element('button', { type: 'button', onclick: () => this.pick(id) },
        this.#dot(id),
        element('span', { class: 'hit-text' }, element('strong', { text: lemma[id] }), ' ',
          element('small', { text: partOfSpeech(pos[id]) }), ' ', element('span', { text: definitionOf(text[id]) })),
        element('span', { class: 'hit-distance' }, distance.toFixed(3),
          element('i', { style: `--near: ${Math.max(0, Math.min(1, 1 - distance)).toFixed(3)}` })))));
    return element('ol', { class: 'hits', 'aria-label': 'Nearest entries, nearest first' }, ...items);
  }

  #showEmpty() {
    this.#onHits(false);
    this.#time.textContent = '';
    const ready = this.#index?.size > 0;
    const chips = SUGGESTIONS.map((word) => element('button', {
      type: 'button', class: 'chip', text: word, onclick: () => this.pick(this.#find(word, 1)[0]),
    }));
    const hint = ready ? 'Type above, click a point on the map, or try' : 'The index is empty: insert the rows first, then search them.';
    const picked = this.#query >= 0 ? [this.#queryCard(this.#query)] : [];
    this.#answer.replaceChildren(...picked, element('div', { class: 'empty' }, element('p', { text: hint }),
      ...(ready ? [element('div', { class: 'chips' }, ...chips)] : [])));
  }

  #suggest() {
    this.#options = this.#find(this.#input.value, OPTIONS);
    this.#active = -1;
    const { lemma, text } = this.#sample.texts;
    const items = this.#options.map((row, i) => element('li', { role: 'option', id: `option-${i}`, 'data-row': row, 'aria-selected': 'false' },
      this.#dot(row), element('strong', { text: lemma[row] }), element('span', { text: definitionOf(text[row]) })));
    const none = this.#input.value.trim() ? [element('li', { class: 'none', text: 'No entry has these letters.' })] : [];
    this.#list.replaceChildren(...(items.length > 0 ? items : none));
    this.#list.hidden = this.#list.children.length === 0;
    this.#input.setAttribute('aria-expanded', String(!this.#list.hidden));
    this.#activate(items.length > 0 ? 0 : -1);
  }

  #activate(option) {
    this.#list.children[this.#active]?.setAttribute('aria-selected', 'false');
    this.#active = option;
    const item = option < 0 ? undefined : this.#list.children[option];
    item?.setAttribute('aria-selected', 'true');
    item?.scrollIntoView({ block: 'nearest' });
    if (item) this.#input.setAttribute('aria-activedescendant', item.id);
    else this.#input.removeAttribute('aria-activedescendant');
  }

  #closeList() {
    this.#list.hidden = true;
    this.#options = [];
    this.#active = -1;
    this.#input.setAttribute('aria-expanded', 'false');
    this.#input.removeAttribute('aria-activedescendant');
  }

  #key(event) {
    const last = this.#options.length - 1;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && last < 0 && this.#input.value) this.#suggest();
    else if (step && last >= 0) this.#activate((this.#active + step + last + 1) % (last + 1));
    else if (event.key === 'Enter' && this.#active >= 0) this.pick(this.#options[this.#active]);
    else if (event.key === 'Escape' && !this.#list.hidden) this.#closeList();
    else if (event.key === 'Escape') { this.#input.value = ''; this.clear(); }
    else return;
    event.preventDefault();
  }
}
