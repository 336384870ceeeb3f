// What a page has to download for a library: its scripts, and the WebAssembly they fetch.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const here = path.dirname(fileURLToPath(import.meta.url));
const IMPORT = /(?:\bfrom|\bimport)\s*["'](\.[^"']+)["']/g;

/** The scripts that these need to begin, each once: what is imported, not what may be imported later. */
function scripts(entries) {
  const found = new Set();
  const follow = (file) => {
    if (found.has(file)) return;
    found.add(file);
    for (const [, to] of fs.readFileSync(file, 'utf8').matchAll(IMPORT)) follow(path.resolve(path.dirname(file), to));
  };
  entries.forEach(follow);
  return [...found];
}

/** As they are published, each compressed by itself. */
export function download({ entries, more = [] }) {
  const at = (file) => path.join(here, file.startsWith('.') ? '.' : 'node_modules', file);
  const files = [...scripts(entries.map(at)), ...more.map(at)];
  const gzipBytes = files.map((file) => gzipSync(fs.readFileSync(file), { level: 9 }).length);
  const others = more.map((file) => path.basename(file));
  return { gzipBytes: gzipBytes.reduce((sum, bytes) => sum + bytes), scripts: files.length - others.length, others };
}
