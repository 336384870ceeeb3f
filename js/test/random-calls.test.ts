/** Thousands of calls in random order, good and bad, against a model in plain JavaScript. */

import { expect } from 'chai';
import { EdgeVec, EdgeVecError, type Metric } from 'edgevec';
import { Random, range } from './data.js';
import { laterTask, manyCalls } from './environment.js';
import { hostileValues } from './hostile.js';
import { fresh, keep } from './indexes.js';
import { nearest } from './oracle.js';

const DIMENSIONS = 3;
/** Up to so many rows a search with `ef` 64 looks at all, so that its answer is known. */
const EXACT_ROWS = 500;

/** An index, what it should hold, and the calls that lead from one state to the next. */
class Player {
  readonly #random: Random;
  readonly #metric: Metric;
  readonly #hostile: (() => unknown)[];
  readonly #rows = new Map<number, number[]>();
  #index: EdgeVec;

  constructor(index: EdgeVec, random: Random, hostile: (() => unknown)[]) {
    [this.#index, this.#metric, this.#random, this.#hostile] = [index, index.metric, random, hostile];
  }

  get rows(): number {
    return this.#rows.size;
  }

  /** Small integers: distances are exact, and many are equal. Never zero, which cosine refuses. */
  #vector(): number[] {
    const [x, y] = [this.#random.below(9) - 4, this.#random.below(9) - 4];
    return [x, y, 1 + this.#random.below(4)];
  }

  /** A number that makes a row bad. */
  #spoiled(): number[] {
    const row = this.#vector();
    const kind = this.#random.below(4);
    if (kind === 0) return row.slice(1);
    row[this.#random.below(3)] = this.#random.pick([NaN, Infinity, -Infinity]);
    return row;
  }

  /** The id that the index chooses next. */
  #nextId(): number {
    for (let id = 0; ; id += 1) if (!this.#rows.has(id)) return id;
  }

  insert(): void {
    const vector = this.#vector();
    const id = this.#random.below(3) === 0 ? this.#random.below(2000) : undefined;
    if (id !== undefined && this.#rows.has(id)) {
      expect(() => this.#index.insert(vector, id)).to.throw(EdgeVecError).with.property('code', 'DUPLICATE_ID');
      return;
    }
    const expected = id ?? this.#nextId();
    expect(this.#index.insert(vector, id)).to.equal(expected);
    this.#rows.set(expected, vector);
  }

  insertBad(): void {
    expect(() => this.#index.insert(this.#spoiled())).to.throw(EdgeVecError);
  }

  async insertBatch(): Promise<void> {
    const count = 1 + this.#random.below(30);
    const bad = this.#random.below(3) === 0;
    const rows = range(count).map(() => (bad && this.#random.below(4) === 0 ? this.#spoiled() : this.#vector()));
    const ids = this.#random.below(3) === 0 ? range(count).map(() => this.#random.below(3000)) : undefined;
    const mode = this.#random.pick(['strict', 'skip'] as const);
    const abort = this.#random.below(6) === 0;
    const validateDimensions = this.#random.below(2) === 0;

    const taken = new Map(this.#rows);
    const inserted: number[] = [];
    const skipped: number[] = [];
    rows.forEach((row, place) => {
      const id = ids?.[place] ?? range(taken.size + 1).find((free) => !taken.has(free)) ?? 0;
      const good = row.length === DIMENSIONS && row.every(Number.isFinite) && !taken.has(id);
      (good ? inserted : skipped).push(good ? id : place);
      if (good) taken.set(id, row);
    });

    const stop = new AbortController();
    const config = { mode, validateDimensions, signal: stop.signal, ...(ids === undefined ? {} : { ids }) };
    const running = this.#index.insertBatch(rows, config).catch((error: unknown) => error);
    if (abort) stop.abort('stopped');
    const outcome = await running;
    const rejected = mode === 'strict' && skipped.length > 0;
    if (outcome === 'stopped' || outcome instanceof Error) {
      expect(abort || rejected).to.equal(true);
      return;
    }
    expect(rejected).to.equal(false);
    expect(outcome).to.deep.include({ inserted: inserted.length, total: count, ids: inserted });
    expect((outcome as { skipped: { index: number }[] }).skipped.map(({ index }) => index)).to.deep.equal(skipped);
    for (const [id, row] of taken) this.#rows.set(id, row);
  }

  search(): void {
    const query = this.#vector();
    const k = 1 + this.#random.below(this.#random.below(2) === 0 ? 10 : 600);
    const ids = [...this.#rows.keys()];
    const truth = nearest(this.#metric, [...this.#rows.values()], query, k, ids);
    const found = this.#index.search(query, { k });
    expect(found).to.have.lengthOf(truth.length);
    found.forEach(({ id, distance }, place) => {
      expect(distance).to.be.closeTo(truth[place]?.distance ?? NaN, 1e-5);
      const itself = nearest(this.#metric, [this.#rows.get(id) ?? []], query, 1)[0];
      expect(distance).to.be.closeTo(itself?.distance ?? NaN, 1e-5);
    });
    // Integers have exact distances: the ids are the same, ties included.
    if (this.#metric !== 'cosine') expect(found.map(({ id }) => id)).to.deep.equal(truth.map(({ id }) => id));
  }

  read(): void {
    const id = this.#random.below(3000);
    expect(this.#index.has(id)).to.equal(this.#rows.has(id));
    const row = this.#rows.get(id);
    const stored = this.#index.get(id);
    if (row === undefined) expect(stored).to.equal(undefined);
    else if (this.#metric !== 'cosine') expect(stored).to.deep.equal(Float32Array.from(row));
    else expect(Math.hypot(...(stored ?? []))).to.be.closeTo(1, 1e-6);
    expect(this.#index.size).to.equal(this.#rows.size);
  }

  async reload(): Promise<void> {
    const bytes = this.#index.toBytes();
    if (this.#random.below(2) === 0) this.#index.close();
    this.#index = keep(await EdgeVec.fromBytes(bytes));
  }

  async hostile(): Promise<void> {
    const value = (): never => this.#random.pick(this.#hostile)() as never;
    const calls: (() => unknown)[] = [
      () => this.#index.search(value(), value()),
      () => this.#index.search(this.#vector(), { k: value(), ef: value() }),
      () => this.#index.insertBatch([this.#spoiled(), value()], { ids: value() }),
      () => this.#index.insertBatch([this.#vector()], { mode: value(), signal: value(), onProgress: value() as never }),
      () => this.#index.get(value()),
      () => this.#index.has(value()),
      () => this.#index.insert(value(), -1),
      () => EdgeVec.fromBytes(value()),
    ];
    // Only what changes nothing, or is refused, is called here; `ids: undefined` beside a good row is neither.
    const size = this.#index.size;
    const outcome = await (async () => this.#random.pick(calls)())().catch((error: unknown) => error);
    expect(outcome).not.to.be.instanceOf(WebAssembly.RuntimeError);
    if (this.#index.size === size) return;
    const { ids } = outcome as { ids: number[] };
    for (const id of ids) this.#rows.set(id, Array.from(this.#index.get(id) ?? []));
  }
}

for (const metric of ['l2', 'cosine', 'dot'] as const) {
  describe(`random calls of an index with the metric ${metric}`, () => {
    for (const seed of [1, 2]) {
      it(`lead where the model says (seed ${seed})`, async () => {
        const random = new Random(seed);
        const hostile = Object.values(await hostileValues());
        const next = async (): Promise<Player> =>
          new Player(await fresh({ dimensions: DIMENSIONS, metric }), random, hostile);
        let player = await next();
        for (const call of range(Math.floor(manyCalls / 6))) {
          const moves: (() => unknown)[] = [
            () => player.insert(),
            () => player.insert(),
            () => player.insertBad(),
            () => player.insertBatch(),
            () => player.insertBatch(),
            () => player.search(),
            () => player.search(),
            () => player.search(),
            () => player.read(),
            () => player.read(),
            () => player.hostile(),
            () => player.hostile(),
            ...(call % 5 === 0 ? [() => player.reload()] : []),
          ];
          await random.pick(moves)();
          if (call % 100 === 0) await laterTask();
          if (player.rows > EXACT_ROWS - 30) player = await next();
        }
      });
    }
  });
}
