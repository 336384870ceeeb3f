// Checks the packed package as registries and bundlers see it: publint and are-the-types-wrong.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { js, withPacked } from './packed.mjs';
import fs from 'node:fs';

let failed = 0;
const problems = [];
let check = Promise.resolve();
withPacked(({ tarball, project, size, files }) => {
  console.log(`${files.length} files, ${(size / 1000).toFixed(0)} kB packed`);
  for (const wanted of ['LICENSE-MIT', 'LICENSE-APACHE', 'README.md', 'dist/wasm/edgevec_simd128.wasm', 'dist/wasm/edgevec_relaxed.wasm']) {
    if (!files.includes(wanted)) problems.push(`the tarball lacks ${wanted}`);
  }
  try {
    // The package is ESM only: `require` gets it by import().
    const attw = path.join(js, 'node_modules/.bin/attw');
    execFileSync(attw, [tarball, '--profile', 'esm-only', '--format', 'ascii'], { stdio: 'pipe', encoding: 'utf8' });
    console.log('are-the-types-wrong: no');
  } catch (error) {
    problems.push(`are-the-types-wrong:\n${error.stdout}${error.stderr}`);
  }
  const copy = fs.mkdtempSync(path.join(js, '.publint-'));
  fs.cpSync(path.join(project, 'node_modules/edgevec'), copy, { recursive: true });
  check = publint({ pkgDir: copy, strict: true, pack: false })
    .then(({ messages, pkg }) => {
      for (const message of messages) problems.push(`publint: ${formatMessage(message, pkg)}`);
      if (messages.length === 0) console.log('publint: nothing to say');
    })
    .finally(() => fs.rmSync(copy, { recursive: true, force: true }));
});
await check;
for (const problem of problems) {
  failed += 1;
  console.error(problem);
}
process.exitCode = failed === 0 ? 0 : 1;
