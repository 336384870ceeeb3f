/** What helpers are given and answer is taken from anybody: no call traps, and the index keeps its rules. */

import { expect } from 'chai';
import { EdgeVec } from 'edgevec';
import { RawHelper, RawIndex } from '../dist/wasm/edgevec.js';
import { Random, clustered, range } from './data.js';
import { manyCalls } from './environment.js';
import { thrownBy } from './failures.js';
import { hostileValues } from './hostile.js';
import { newModule } from './modules.js';
import { digest } from './savable.js';

const ROWS = 1500;
const DIMENSIONS = 12;
const rows = clustered(ROWS, DIMENSIONS);
const CODES = new Set(['INVALID_ARGUMENT', 'CAPACITY_EXCEEDED']);

/** A batch that has been begun and filled. */
function begun(): RawIndex {
  const raw = new RawIndex(DIMENSIONS, 'l2', 16, 200, 0);
  raw.beginBatch(ROWS, undefined, 'strict', true);
  raw.fillBatch(rows);
  return raw;
}

/** A batch whose units can be given away, and a helper that has its codes. */
function shared(Helper = RawHelper): { raw: RawIndex; helper: RawHelper } {
  const raw = begun();
  while (raw.sharedParts < ROWS) raw.stepBatch(100);
  const helper = new Helper(DIMENSIONS, raw.metric as 'l2', raw.m);
  for (let first = 0; first < ROWS; first += 700) helper.load(parts(raw, first, 700));
  return { raw, helper };
}

/** Parts that a helper can be given. */
function parts(raw: RawIndex, first: number, count: number): Uint8Array {
  const memory = new Uint8Array(8 + ROWS * (DIMENSIONS + 128));
  return memory.slice(0, raw.batchParts(first, count, memory));
}

/** The first units that can be given. */
function firstUnits(raw: RawIndex): Uint32Array {
  for (;;) {
    const units = raw.giveUnits();
    if (units !== undefined) return units;
    raw.stepBatch(1);
  }
}

/** Ends a batch; `answer` makes an answer of units, or none. */
function finished(raw: RawIndex, answer: (units: Uint32Array) => Uint32Array | undefined): string {
  for (let turn = 0; raw.stepBatch(2000) >= 0; turn += 1) {
    expect(turn, 'turns').to.be.below(1e5);
    const units = raw.giveUnits();
    const answered = units && answer(units);
    if (answered !== undefined) raw.acceptUnits(answered);
    if (raw.batchWaits) raw.takeBackUnits();
  }
  raw.finishBatch();
  return digest(raw.toBytes());
}

function attempt(what: string, call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    expect(error, what).to.be.instanceOf(Error);
    expect(CODES.has((error as { code?: string }).code ?? ''), `${what}: ${String(error)}`).to.equal(true);
    expect((error as Error).message.length).to.be.below(300);
    return undefined;
  }
}

describe('a helper', () => {
  let values: Record<string, () => unknown>;
  let expected: string;

  before(async () => {
    (await EdgeVec.create({ dimensions: 1 })).close(); // loads the module
    values = await hostileValues();
    const raw = begun();
    expected = finished(raw, () => undefined);
    raw.free();
  });

  it('does units of an index in another instance, and the result is the same', async () => {
    const { glue } = await newModule();
    const { raw, helper } = shared(glue.RawHelper as typeof RawHelper);
    let done = 0;
    const bytes = finished(raw, (units) => {
      done += 1;
      return helper.work(units);
    });
    expect([bytes, done > 5]).to.deep.equal([expected, true]);
    helper.free();
    raw.free();
  });

  it('has no member that is not tested here', () => {
    const ends = ['free', '__destroy_into_raw', Symbol.dispose].filter((name) => name !== undefined);
    expect(Reflect.ownKeys(RawHelper.prototype)).to.have.members(['load', 'work', 'constructor', ...ends]);
    const common = ['length', 'name', 'prototype', '__wrap'];
    const statics = Reflect.ownKeys(RawHelper).filter((name) => !common.includes(String(name)));
    expect(statics).to.deep.equal([]);
  });

  it('takes anything in the place of any argument, and works afterwards', () => {
    const { raw, helper } = shared();
    const units = firstUnits(raw);
    const good = digest(new Uint8Array(helper.work(units).buffer));
    const constructor = [DIMENSIONS, 'l2', 16];
    for (const [kind, make] of Object.entries(values)) {
      for (const place of range(4)) {
        const given = constructor.map((argument, at) => (at === place ? make() : argument));
        const made = attempt(`new, argument ${place}: ${kind}`, () => Reflect.construct(RawHelper, given)) as RawHelper;
        made?.free();
      }
      attempt(`work: ${kind}`, () => helper.work(make() as Uint32Array));
      attempt(`load: ${kind}`, () => helper.load(make() as Uint8Array));
      expect(digest(new Uint8Array(helper.work(units).buffer)), kind).to.equal(good);
    }
    attempt('work', () => (helper.work as () => unknown)());
    attempt('load', () => (helper.load as () => unknown)());
    helper.free();
    raw.free();
  });

  it('takes any words for units', () => {
    const { raw, helper } = shared();
    const random = new Random(5);
    const good = firstUnits(raw);
    for (const call of range(manyCalls)) {
      const words = good.slice(0, random.below(4) === 0 ? random.below(good.length) : good.length);
      for (const _ of range(1 + random.below(3))) {
        const place = random.below(random.below(2) === 0 ? 8 : words.length);
        words[place] = random.pick([random.below(7), ROWS, random.word(), 2 ** 32 - 1]);
      }
      attempt(`call ${call}`, () => helper.work(words));
    }
    expect(helper.work(good)).to.be.instanceOf(Uint32Array);
    helper.free();
    raw.free();
  });

  it('answers no call after free, and is not harmed by one', () => {
    const { raw, helper } = shared();
    helper.free();
    const calls = [() => helper.free(), () => helper.work(new Uint32Array(3)), () => helper.load(new Uint8Array(0))];
    for (const call of calls) {
      expect(thrownBy(call)).to.be.instanceOf(Error).with.property('message', 'null pointer passed to rust');
    }
    expect(finished(raw, () => undefined)).to.equal(expected);
    raw.free();
  });
});

describe('an index that gives units away', () => {
  it('takes anything for an answer, and its batch has the same result', async () => {
    const values = await hostileValues();
    const { raw, helper } = shared();
    const kinds = Object.entries(values);
    let turn = 0;
    const expected = begun();
    const bytes = finished(raw, (units) => {
      const [kind, make] = kinds[(turn += 1) % kinds.length] as [string, () => unknown];
      attempt(`an answer: ${kind}`, () => raw.acceptUnits(make() as Uint32Array));
      const answer = helper.work(units);
      expect(raw.acceptUnits(units), 'units as an answer').to.be.a('boolean');
      expect(raw.acceptUnits(answer.subarray(0, answer.length - 1)), 'half an answer').to.be.a('boolean');
      return answer;
    });
    expect(bytes).to.equal(finished(expected, () => undefined));
    for (const each of [raw, expected, helper]) each.free();
  });

  it('keeps its rules whatever words come back', () => {
    for (const seed of range(4)) {
      const { raw, helper } = shared();
      const random = new Random(seed);
      finished(raw, (units) => {
        const answer = helper.work(units);
        for (const _ of range(1 + random.below(4))) {
          const place = random.below(random.below(2) === 0 ? 8 : answer.length);
          answer[place] = random.pick([random.below(7), ROWS, random.word()]);
        }
        return answer;
      });
      expect(raw.size).to.equal(ROWS);
      expect(raw.search(rows.subarray(0, DIMENSIONS), ROWS, ROWS).length).to.equal(2 * ROWS);
      helper.free();
      raw.free();
    }
  });

  it('says what there is before, while and after there is something to share', () => {
    const raw = new RawIndex(DIMENSIONS, 'l2', 16, 200, 0);
    const nothing = (): void => {
      expect([raw.sharedParts, raw.giveUnits(), raw.batchWaits]).to.deep.equal([0, undefined, false]);
      expect([parts(raw, 0, 10).length, raw.acceptUnits(new Uint32Array(9))]).to.deep.equal([0, false]);
    };
    nothing();
    expect(thrownBy(() => raw.takeBackUnits())).to.include({ code: 'INTERNAL_ERROR' });
    raw.beginBatch(ROWS, undefined, 'strict', true);
    nothing();
    raw.fillBatch(rows);
    nothing();
    let shared = 0;
    while (shared < ROWS) {
      raw.stepBatch(100);
      expect(raw.sharedParts).to.be.within(shared, ROWS);
      if (shared === 0 && raw.sharedParts > 0) expect(raw.sharedParts, 'while rows are coded').to.be.below(ROWS);
      shared = raw.sharedParts;
    }
    // Eight bytes say what follows: rows of codes.
    const rowBytes = parts(raw, ROWS - 1, 5).length - 8;
    expect(parts(raw, 0, 2 ** 40).length).to.equal(8 + ROWS * rowBytes);
    expect([rowBytes >= DIMENSIONS, parts(raw, 2 ** 40, 5).length]).to.deep.equal([true, 0]);
    const short = new Uint8Array(8 + rowBytes - 1);
    expect(thrownBy(() => raw.batchParts(0, 1, short))).to.include({ code: 'INVALID_ARGUMENT' });
    expect(short).to.deep.equal(new Uint8Array(short.length));
    raw.abortBatch();
    nothing();
    raw.free();
  });
});
