// `?auto`: does by itself what a visitor would do, with the page's own runs, and leaves what was
// measured in `window.__result`.

const QUERY_WORD = 'guitar';
const CANCEL_AT = 0.3;

/** Throws unless all that the page promises came true: a run that ends must also be right. */
function check({ rows, inserted, insertedByLoop, insertedWithWorkers, recallAt10, recallAt10WithWorkers, search, errors, sizeAfterErrors, cancelled }, sizeBeforeErrors) {
  const wrong = [];
  const expect = (what, actual, expected) => {
    if (actual !== expected) wrong.push(`${what}: ${actual}, expected ${expected}`);
  };
  expect('rows inserted by the loop', insertedByLoop, rows);
  expect('rows inserted by the batch', inserted, rows);
  expect('rows inserted with workers', insertedWithWorkers, rows);
  expect('recall with workers', recallAt10WithWorkers, recallAt10);
  expect('the nearest of a stored row', search.hits[0]?.id, search.query.id);
  if (!(Math.abs(search.hits[0]?.distance) < 1e-3)) wrong.push(`its distance: ${search.hits[0]?.distance}`);
  for (const error of errors) expect(`code of "${error.message}"`, error.code, error.expected);
  expect('rows after the refused batches', sizeAfterErrors, sizeBeforeErrors);
  expect('a batch was cancelled', cancelled.cancelled, true);
  expect('rows after the cancelled batch', cancelled.size, 0);
  expect('hits after the cancelled batch', cancelled.hits, 0);
  if (wrong.length > 0) throw new Error(wrong.join('; '));
}

export async function runAutomatically({ EdgeVec, sample, lanes, search, errors, parameters, find }) {
  const loop = await lanes.runLoop();
  const cancelled = await lanes.runBatch({ cancelAt: CANCEL_AT });
  const helped = await lanes.runBatch({ workers: true });
  const batch = await lanes.runBatch({ workers: false });
  const query = find(QUERY_WORD, 1)[0];
  const { hits, ms } = search.pick(query);
  const provoked = await errors.provokeAll();
  const { lemma, text } = sample.texts;
  const result = {
    rows: sample.rows,
    dimensions: sample.dimensions,
    backend: EdgeVec.backend,
    ...parameters,
    loopMs: loop.ms,
    batchMs: batch.ms,
    batchMsWithWorkers: helped.ms,
    speedUp: loop.ms / batch.ms,
    inserted: batch.inserted,
    insertedByLoop: loop.inserted,
    insertedWithWorkers: helped.inserted,
    progressCalls: batch.progressCalls,
    recallAt10: batch.recall,
    recallAt10Loop: loop.recall,
    recallAt10WithWorkers: helped.recall,
    search: {
      query: { id: query, lemma: lemma[query], text: text[query] },
      ms,
      hits: hits.map(({ id, distance }) => ({ id, lemma: lemma[id], text: text[id], distance })),
    },
    errors: provoked.errors,
    sizeAfterErrors: provoked.sizeAfter,
    longestGapMs: { loop: loop.gaps.longestGapMs, batch: batch.gaps.longestGapMs },
    longestTimerGapMs: { loop: loop.gaps.longestTimerGapMs, batch: batch.gaps.longestTimerGapMs },
    frames: { loop: loop.gaps.frames, batch: batch.gaps.frames },
    cancelled,
  };
  check(result, provoked.sizeBefore);
  return result;
}
