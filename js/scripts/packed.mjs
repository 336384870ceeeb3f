// Packs the package and installs it into a throw-away project, as users get it.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const js = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** Calls `use` with the tarball and a project that has it in node_modules; both are gone when it is done. */
export async function withPacked(use) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'edgevec-packed-'));
  try {
    const quiet = { cwd: js, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' };
    const packing = ['pack', '--json', '--foreground-scripts=false', '--pack-destination', folder];
    const printed = execFileSync('npm', packing, quiet);
    const [{ filename, size, files }] = JSON.parse(printed.slice(printed.indexOf('[')));
    const tarball = path.join(folder, filename);
    const project = path.join(folder, 'project');
    const installed = path.join(project, 'node_modules/edgevec');
    fs.mkdirSync(installed, { recursive: true });
    execFileSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
    fs.writeFileSync(path.join(project, 'package.json'), '{ "type": "module", "private": true }\n');
    await use({ tarball, project, installed, size, files: files.map((file) => file.path) });
  } finally {
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}
