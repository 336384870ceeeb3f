/** From creating an index to a search, as a program does it, and in every place the package runs in. */

import { expect } from 'chai';
import { EdgeVec } from 'edgevec';
import { range, rowOf, uniform } from './data.js';
import { inNode } from './environment.js';
import { filled, keep } from './indexes.js';

describe('end to end', () => {
  it('128 dimensions, 1000 rows: a search for 10 gives 10 hits, the first at distance 0 for a stored vector', async () => {
    const rows = uniform(1000, 128);
    for (const metric of ['l2', 'cosine'] as const) {
      const index = keep(await EdgeVec.create({ dimensions: 128, metric }));
      const { inserted, total, ids } = await index.insertBatch(rows);
      expect([inserted, total, index.size]).to.deep.equal([1000, 1000, 1000]);
      expect(ids).to.deep.equal(range(1000));
      for (const row of [0, 1, 499, 999]) {
        const hits = index.search(rowOf(rows, 128, row), { k: 10 });
        expect(hits).to.have.lengthOf(10);
        expect(hits[0]?.id).to.equal(row);
        expect(hits[0]?.distance).to.be.closeTo(0, 1e-6);
        expect(hits).to.deep.equal(hits.toSorted((a, b) => a.distance - b.distance));
      }
    }
  });

  it('100 rows are inserted exactly, saved, loaded and found', async () => {
    const rows = uniform(100, 128);
    const index = await filled(rows, { dimensions: 128, metric: 'cosine' });
    expect(index.size).to.equal(100);
    const copy = keep(await EdgeVec.fromBytes(index.toBytes()));
    index.close();
    expect(copy.size).to.equal(100);
    for (const row of range(100)) expect(copy.search(rowOf(rows, 128, row), { k: 1 })[0]?.id).to.equal(row);
  });
});

/** Inserts 300 rows, searches for one and prints what came of it; runs where no test file does. */
const PROGRAM = `
  const index = await EdgeVec.create({ dimensions: 4, metric: 'l2' });
  const rows = Float32Array.from({ length: 1200 }, (_, i) => (i * 7919) % 1009);
  const { inserted } = await index.insertBatch(rows);
  const [hit] = index.search(rows.subarray(40, 44), { k: 1 });
  const said = [inserted, hit.id, hit.distance, EdgeVec.backend].join();`;
const SAID = /^300,10,0,(simd128|relaxed-simd)$/;

describe('the package', () => {
  for (const entry of ['edgevec', 'edgevec/inline', './dist/entry/bun.js', './dist/entry/deno.js']) {
    it(`works in a program of its own that imports ${entry}, which then ends`, async function () {
      if (!inNode) return this.skip();
      const { execFile } = await import('node:child_process');
      const { fileURLToPath } = await import('node:url');
      const cwd = fileURLToPath(new URL('..', import.meta.url));
      const script = `import { EdgeVec } from '${entry}';${PROGRAM} console.log(said);`;
      const printed = await new Promise<string>((resolve, reject) => {
        const args = ['--input-type=module', '--eval', script];
        execFile(process.execPath, args, { cwd, timeout: 30_000 }, (error, stdout) => {
          if (error === null) resolve(stdout);
          else reject(error);
        });
      });
      expect(printed.trim()).to.match(SAID);
    });
  }

  for (const entry of ['browser', 'bundler', 'inline']) {
    it(`works in a worker that imports entry/${entry}.js`, async function () {
      if (inNode) return this.skip();
      const url = new URL(`../dist/entry/${entry}.js`, import.meta.url);
      const script = `import { EdgeVec } from '${url}';${PROGRAM} postMessage(said);`;
      const worker = new Worker(URL.createObjectURL(new Blob([script], { type: 'text/javascript' })), { type: 'module' });
      const said = await new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = (event) => reject(new Error(event.message));
      });
      worker.terminate();
      expect(said).to.match(SAID);
    });
  }
});
