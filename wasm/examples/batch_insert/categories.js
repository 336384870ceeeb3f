// The 45 lexicographer files of WordNet in 13 groups that can be told apart by colour. The colours
// are in style.css (--c-0 … --c-12), one pair for light and dark each.

const GROUPS = [
  ['People', 'noun.person noun.group'],
  ['Animals', 'noun.animal'],
  ['Plants', 'noun.plant'],
  ['Food', 'noun.food'],
  ['Body', 'noun.body'],
  ['Places', 'noun.location'],
  ['Things', 'noun.artifact'],
  ['Nature', 'noun.substance noun.phenomenon noun.object noun.process'],
  ['Acts, events', 'noun.act noun.event noun.possession noun.motive'],
  ['Mind, language', 'noun.communication noun.cognition noun.feeling'],
  ['States, measures', 'noun.state noun.attribute noun.quantity noun.time noun.shape noun.relation noun.Tops'],
  ['Verbs', ''],
  ['Adjectives, adverbs', ''],
];
const VERBS = 11;
const OTHERS = 12;

const groupOf = new Map();
GROUPS.forEach(([, names], group) => names.split(' ').forEach((name) => groupOf.set(name, group)));

export const CATEGORY_NAMES = GROUPS.map(([name]) => name);

/** The group of one lexicographer file, such as `noun.animal`. */
export function categoryOf(lexname) {
  return groupOf.get(lexname) ?? (lexname.startsWith('verb.') ? VERBS : OTHERS);
}

const PARTS_OF_SPEECH = { n: 'noun', v: 'verb', a: 'adjective', s: 'adjective', r: 'adverb' };

export function partOfSpeech(code) {
  return PARTS_OF_SPEECH[code] ?? code;
}

/** The text without its lemmas: definition and examples. */
export function definitionOf(text) {
  const colon = text.indexOf(': ');
  return colon < 0 ? text : text.slice(colon + 2);
}
