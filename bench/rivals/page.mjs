// One contender in a page: page.html?contender=…&way=…&data=NAME; the measurement goes to window.__result.
import { openData } from '../js/data.js';
import { bytes, cpuMs } from '../js/served.js';
import { measure } from './measure.mjs';

const { contender, way, data } = Object.fromEntries(new URLSearchParams(location.search));

const kept = new Map();

const host = {
  inPage: true,
  asset: async (file) => new Uint8Array(await bytes(new URL(`node_modules/${file}`, import.meta.url))),
  write: (file, content) => kept.set(file, typeof content === 'string' ? new TextEncoder().encode(content) : content),
  read: (file) => kept.get(file),
  open: () => openData((file) => bytes(`/bench-data/${data}/${file}`)),
  /** What all processes of the browser take; time, where that cannot be known. */
  async clock() {
    const [cpu, wall] = [await cpuMs(), performance.now()];
    return async () => {
      const wallMs = performance.now() - wall;
      return { cpuMs: cpu === undefined ? wallMs : (await cpuMs()) - cpu, wallMs };
    };
  },
  /** Time alone: to ask for the CPU's takes longer than some searches. */
  stopwatch() {
    const start = performance.now();
    return () => {
      const taken = performance.now() - start;
      return { cpuMs: taken, wallMs: taken };
    };
  },
  /** Pages cannot tell what all of their memory is. */
  residentBytes: () => undefined,
  temporary: () => ({ file: 'saved', bytes: () => kept.get('saved').length, remove: () => kept.clear() }),
};

window.__result = await measure(host, contender, way);
