// One contender in a process of its own; prints the measurement as JSON:
//
//   node --expose-gc in-node.mjs ADAPTER WAY DATA-FOLDER
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { openData } from '../js/data.js';
import { measure } from './measure.mjs';

// The result alone goes to the standard output.
console.log = console.error;
const [adapter, way, folder] = process.argv.slice(2);
const { resolve } = createRequire(import.meta.url);

function clock() {
  const [cpu, wall] = [process.cpuUsage(), performance.now()];
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return { cpuMs: (user + system) / 1000, wallMs: performance.now() - wall };
  };
}

const host = {
  inPage: false,
  asset: async (file) => fs.readFileSync(resolve(file)),
  write: (file, bytes) => fs.writeFileSync(file, bytes),
  read: (file) => fs.readFileSync(file),
  open: () => openData((file) => new Uint8Array(fs.readFileSync(path.join(folder, file))).buffer),
  clock,
  stopwatch: clock,
  residentBytes() {
    globalThis.gc();
    return process.memoryUsage.rss();
  },
  temporary() {
    const parent = fs.mkdtempSync(path.join(os.tmpdir(), 'edgevec-rivals-'));
    const file = path.join(parent, 'saved');
    return { file, bytes: () => fs.statSync(file).size, remove: () => fs.rmSync(parent, { recursive: true, force: true }) };
  },
};

const result = await measure(host, adapter, way);
await new Promise((done) => { process.stdout.write(`${JSON.stringify(result)}\n`, done); });
// Some libraries leave timers or workers behind.
process.exit(result.failed === undefined ? 0 : 1);
