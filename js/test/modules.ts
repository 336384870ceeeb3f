/** WebAssembly modules beside the one that the package has loaded, with a memory of their own. */

import type * as Glue from '../dist/wasm/edgevec.js';
import { readFile } from './environment.js';

export interface Module {
  glue: typeof Glue;
  memory: WebAssembly.Memory;
}

let count = 0;

/** A new instance of the module, whose memory cannot grow beyond `mostPages` of 64 KiB. */
export async function newModule(mostPages = 65_536): Promise<Module> {
  count += 1;
  const url = new URL(`../dist/wasm/edgevec.js?module-${count}`, import.meta.url).href;
  const glue = (await import(url)) as typeof Glue;
  const module = await WebAssembly.compile(withMostPages(await readFile('../dist/assets/edgevec_simd128.wasm'), mostPages));
  return { glue, memory: glue.initSync({ module }).memory };
}

/** The module with a limit on its memory: section 5 of the binary format. */
function withMostPages(bytes: Uint8Array<ArrayBuffer>, mostPages: number): Uint8Array<ArrayBuffer> {
  let place = 8; // behind magic and version
  const number = (): number => {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = bytes[place++] as number;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  for (;;) {
    const start = place;
    const [section, size] = [bytes[place++], number()];
    const end = place + size;
    if (section === undefined) throw new Error('the module has no memory');
    if (section === 5) {
      place += 2; // one memory, its flags
      const contents = [1, 1, ...encoded(number()), ...encoded(mostPages)];
      const replaced = [5, ...encoded(contents.length), ...contents];
      return Uint8Array.from([...bytes.subarray(0, start), ...replaced, ...bytes.subarray(end)]);
    }
    place = end;
  }
}

/** LEB128. */
function encoded(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...encoded(Math.floor(value / 128))];
}
