// Compiles test/ into dist-test/, for Node and for the page that runs it in browsers.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const js = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
fs.rmSync(path.join(js, 'dist-test'), { recursive: true, force: true });
const tsc = path.join(js, 'node_modules/typescript/bin/tsc');
execFileSync(process.execPath, [tsc, '--project', path.join(js, 'test')], { stdio: 'inherit' });
