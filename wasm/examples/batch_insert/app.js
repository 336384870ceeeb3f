// Puts the page together: loads the data and the package, makes the parts and connects them.

import { runAutomatically } from './auto.js';
import { Bars } from './bars.js';
import { CATEGORY_NAMES, categoryOf, definitionOf } from './categories.js';
import { loadSample } from './data.js';
import { byId, count, element } from './dom.js';
import { ErrorsPanel } from './errors.js';
import { Lanes } from './lanes.js';
import { EmbeddingMap } from './map.js';
import { loadPackage, packageModule } from './package.js';
import { Pulse } from './pulse.js';
import { EF_SEARCH, ELEMENT_TYPE, PARAMETERS, createIndex } from './runs.js';
import { SearchPanel, createFinder } from './search.js';
import { colourReader, setUpTheme } from './theme.js';

/** The colours of canvases follow the theme: read from the style sheet, again after a change. */
function setUpColours(onChange) {
  const read = colourReader();
  const looks = {};
  setUpTheme(byId('theme'), () => {
    looks.map = {
      points: CATEGORY_NAMES.map((_, i) => read(`--c-${i}`)),
      ghost: read('--ghost'), ink: read('--ink'), surface: read('--surface'), accent: read('--batch'),
    };
    looks.pulse = {
      idle: read('--idle'), loop: read('--loop'), batch: read('--batch'), blocked: read('--loop'), onBlocked: read('--on-loop'),
    };
    onChange();
  });
  return looks;
}

/** The button over the map that goes near the hits and back; there only while there are hits. */
function setUpZoom(map) {
  const button = byId('zoom');
  let near = false;
  const turn = (on) => {
    near = on;
    button.textContent = on ? 'Whole map' : 'Zoom to hits';
    map.zoom(on);
  };
  button.addEventListener('click', () => turn(!near));
  return (hasHits) => {
    button.hidden = !hasHits;
    if (!hasHits && near) turn(false);
  };
}

function setUpLegend(map) {
  const buttons = CATEGORY_NAMES.map((name, category) => element('button', {
    type: 'button', 'aria-pressed': 'false', style: `--dot: var(--c-${category})`,
    onclick: () => {
      const on = buttons[category].getAttribute('aria-pressed') !== 'true';
      buttons.forEach((button, i) => button.setAttribute('aria-pressed', String(on && i === category)));
      map.only(on ? category : null);
    },
  }, element('i', { class: 'dot' }), name));
  byId('legend').replaceChildren(...buttons);
}

function showFacts(facts) {
  for (const [name, value] of Object.entries(facts)) {
    byId('facts').querySelector(`[data-fact=${name}]`).textContent = value;
  }
}

async function start() {
  let map = null;
  const looks = setUpColours(() => map?.resize());
  const pulse = new Pulse({ strip: byId('strip'), wheel: byId('wheel'), colours: () => looks.pulse });
  const bars = new Bars(byId('compare'), '10,000');

  const [sample, { EdgeVec }] = await Promise.all([loadSample(), loadPackage(() => packageModule('entry/browser.js'))]);
  const { texts } = sample;
  const categories = Uint8Array.from(texts.lexname, categoryOf);

  let search = null;
  map = new EmbeddingMap({
    frame: byId('map'), canvas: byId('map-canvas'), tooltip: byId('map-tip'),
    sample, categories, names: CATEGORY_NAMES,
    look: () => looks.map,
    describe: (row) => ({ title: texts.lemma[row], kind: CATEGORY_NAMES[categories[row]], text: definitionOf(texts.text[row]) }),
    onPick: (row) => search.pick(row),
    onShow: (rows) => { byId('map-count').textContent = `${count(rows)} of ${count(sample.rows)} entries`; },
    announce: (text) => { byId('map-said').textContent = text; },
  });
  setUpLegend(map);
  const offerZoom = setUpZoom(map);
  search = new SearchPanel({ sample, map, onHits: offerZoom });
  const errors = new ErrorsPanel({ EdgeVec, sample });

  let current = null;
  const setIndex = (index) => {
    search.setIndex(index);
    current?.close();
    current = index;
  };
  const lanes = new Lanes({
    root: byId('insert'), EdgeVec, sample, pulse, map, bars, status: byId('status'),
    onIndex: setIndex,
    onStart: () => setIndex(null),
  });
  // The first index loads the module: which build it is, and that it loads at all, is known from then on.
  (await createIndex(EdgeVec, sample)).close();
  showFacts({
    backend: EdgeVec.backend, rows: count(sample.rows), dimensions: sample.dimensions, elements: ELEMENT_TYPE,
    metric: PARAMETERS.metric, m: PARAMETERS.m, efConstruction: PARAMETERS.efConstruction,
  });
  return {
    EdgeVec, sample, lanes, search, errors, find: createFinder(texts),
    parameters: { ...PARAMETERS, efSearch: EF_SEARCH, elementType: ELEMENT_TYPE },
  };
}

const automatic = new URLSearchParams(location.search).has('auto');
try {
  const parts = await start();
  if (automatic) window.__result = await runAutomatically(parts);
} catch (error) {
  byId('notice').textContent = error.message;
  byId('notice').hidden = false;
  if (automatic) window.__result = { error: String(error), stack: error.stack };
  else console.error(error);
}
