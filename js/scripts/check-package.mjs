// Checks the packed package as registries and bundlers see it: publint and are-the-types-wrong.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { js, withPacked } from './packed.mjs';

const WANTED = ['LICENSE-MIT', 'LICENSE-APACHE', 'README.md', 'dist/assets/edgevec_simd128.wasm', 'dist/assets/edgevec_relaxed.wasm'];
const problems = [];
await withPacked(async ({ tarball, installed, size, files }) => {
  console.log(`${files.length} files, ${(size / 1000).toFixed(0)} kB packed`);
  for (const wanted of WANTED.filter((name) => !files.includes(name))) problems.push(`the tarball lacks ${wanted}`);
  try {
    // The package is ESM only: `require` gets it by import().
    const attw = path.join(js, 'node_modules/.bin/attw');
    execFileSync(attw, [tarball, '--profile', 'esm-only', '--format', 'ascii'], { stdio: 'pipe', encoding: 'utf8' });
    console.log('are-the-types-wrong: no');
  } catch (error) {
    problems.push(`are-the-types-wrong:\n${error.stdout}${error.stderr}`);
  }
  const copy = fs.mkdtempSync(path.join(js, '.publint-'));
  try {
    fs.cpSync(installed, copy, { recursive: true });
    const { messages, pkg } = await publint({ pkgDir: copy, strict: true, pack: false });
    for (const message of messages) problems.push(`publint: ${formatMessage(message, pkg)}`);
    if (messages.length === 0) console.log('publint: nothing to say');
  } finally {
    fs.rmSync(copy, { recursive: true, force: true });
  }
});
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
