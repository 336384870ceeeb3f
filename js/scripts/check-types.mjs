// Compiles test/types/consumer.ts against the packed package, strictly, in every way modules are resolved.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { js, withPacked } from './packed.mjs';

const tsc = path.join(js, 'node_modules/typescript/bin/tsc');
const ways = [
  ['node16', ['--module', 'node16', '--moduleResolution', 'node16']],
  ['nodenext', ['--module', 'nodenext', '--moduleResolution', 'nodenext']],
  ['bundler', ['--module', 'esnext', '--moduleResolution', 'bundler']],
];
let failed = 0;
withPacked(({ project }) => {
  fs.copyFileSync(path.join(js, 'test/types/consumer.ts'), path.join(project, 'consumer.ts'));
  for (const [name, options] of ways) {
    const all = ['--strict', '--noEmit', '--target', 'es2022', '--lib', 'es2022,dom', '--types', '', ...options, 'consumer.ts'];
    try {
      execFileSync(process.execPath, [tsc, ...all], { cwd: project, stdio: 'pipe', encoding: 'utf8' });
      console.log(`types resolve with moduleResolution ${name}`);
    } catch (error) {
      failed += 1;
      console.error(`types with moduleResolution ${name}:\n${error.stdout}`);
    }
  }
});
process.exitCode = failed === 0 ? 0 : 1;
