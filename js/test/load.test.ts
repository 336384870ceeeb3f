/** Which build of the module is loaded, and what happens when none can be. */

import { expect } from 'chai';
import { EdgeVec } from 'edgevec';
import { runsRelaxedSimd } from '../dist/detect.js';
import type * as Engine from '../dist/engine.js';
import { fetchModule } from '../dist/loaders.js';
import { readFile } from './environment.js';
import { expectError, rejectionOf } from './failures.js';
import { fresh } from './indexes.js';

describe('the build', () => {
  it('is found by running relaxed SIMD, which is there or not', async () => {
    const runs = await runsRelaxedSimd();
    expect(runs).to.be.a('boolean');
    expect(await runsRelaxedSimd()).to.equal(runs);
  });

  it('has relaxed SIMD exactly where that runs, and EdgeVec.backend says so', async () => {
    await fresh();
    expect(EdgeVec.backend).to.equal((await runsRelaxedSimd()) ? 'relaxed-simd' : 'simd128');
  });
});

describe('loading', () => {
  /** The module that loads, as if nothing had been loaded yet. */
  async function notLoaded(name: string): Promise<typeof Engine> {
    const url = new URL(`../dist/engine.js?${name}`, import.meta.url).href;
    return (await import(url)) as typeof Engine;
  }

  it('that fails is LOAD_FAILED with the reason, and the next call tries again', async () => {
    const engine = await notLoaded('fails');
    expect(engine.loadedBackend()).to.equal(undefined);
    const bytes = await readFile('../dist/assets/edgevec_simd128.wasm');
    let tries = 0;
    engine.setLoader(
      (build) => {
        tries += 1;
        if (tries === 1) throw new Error(`no network for ${build}`);
        return WebAssembly.compile(bytes);
      },
      ['simd128'],
    );
    const [first, second] = await Promise.all([rejectionOf(engine.load()), rejectionOf(engine.load())]);
    const { message } = expectError(first, 'LOAD_FAILED', { reason: 'no network for simd128' });
    expect(message).to.include('no network for simd128');
    expect([second, tries]).to.deep.equal([first, 1]);
    await engine.load();
    await engine.load();
    expect(tries).to.equal(2);
    expect(engine.loadedBackend()).to.be.oneOf(['simd128', 'relaxed-simd']);
  });

  it('without a way of loading says so', async () => {
    const engine = await notLoaded('without');
    expectError(await rejectionOf(engine.load()), 'LOAD_FAILED', { reason: 'no way of loading was chosen' });
  });

  it('takes the first way that is set, and a build that it has', async () => {
    const bytes = await readFile('../dist/assets/edgevec_simd128.wasm');
    const never = (): never => {
      throw new Error('the second way was taken');
    };
    for (const available of [['simd128'], ['relaxed', 'simd128']] as const) {
      const engine = await notLoaded(`has-${available.length}`);
      const asked: string[] = [];
      engine.setLoader((build) => (asked.push(build), WebAssembly.compile(bytes)), available);
      engine.setLoader(never, ['relaxed', 'simd128']);
      await engine.load();
      const relaxed = available.length > 1 && (await runsRelaxedSimd());
      expect(asked).to.deep.equal([relaxed ? 'relaxed' : 'simd128']);
    }
  });

  it('by the network takes any type that bytes may be served as, and no page', async () => {
    const empty = 'base64,AGFzbQEAAAA=';
    for (const type of ['application/wasm', 'application/octet-stream', '']) {
      expect(await fetchModule(`data:${type};${empty}`), type).to.be.instanceOf(WebAssembly.Module);
    }
    const error = await rejectionOf(fetchModule(`data:text/html;${empty}`));
    expect((error as Error).message).to.include('is a page');
  });
});
