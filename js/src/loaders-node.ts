/** Getting a compiled module from where it lies, in Node and what is compatible with it. */

import { readFile } from 'node:fs/promises';

/** From the file system. */
export async function readModule(url: URL): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await readFile(url));
}
