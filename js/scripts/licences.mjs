// Puts the licences and the README of the repository into the package while it is packed.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const js = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
for (const name of ['LICENSE-MIT', 'LICENSE-APACHE', 'README.md']) {
  const copy = path.join(js, name);
  if (process.argv[2] === 'copy') fs.copyFileSync(path.join(js, '..', name), copy);
  else fs.rmSync(copy, { force: true });
}
