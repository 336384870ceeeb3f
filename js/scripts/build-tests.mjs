// Compiles test/ into dist-test/, for Node and for the page that runs it in browsers.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const js = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const compiled = path.join(js, 'dist-test');
fs.rmSync(compiled, { recursive: true, force: true });
const tsc = path.join(js, 'node_modules/typescript/bin/tsc');
execFileSync(process.execPath, [tsc, '--project', path.join(js, 'test')], { stdio: 'inherit' });
// A page cannot list a folder: all.js imports every test.
const tests = fs.readdirSync(compiled).filter((name) => name.endsWith('.test.js')).sort();
fs.writeFileSync(path.join(compiled, 'all.js'), tests.map((name) => `import './${name}';\n`).join(''));
// What Node saves, for other engines to compare with.
const { savedBytes } = await import('../dist-test/savable.js');
fs.writeFileSync(path.join(compiled, 'saved.json'), JSON.stringify(await savedBytes()));
