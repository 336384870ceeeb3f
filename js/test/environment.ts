/** Where the tests run: in Node or in a browser's page. */

export const inNode = typeof process === 'object' && process.versions?.node !== undefined;

/** Random sequences are shorter in browsers, which run one after another. */
export const manyCalls = inNode ? 3000 : 600;

/** A task later: timers and messages that are due have run. */
export function laterTask(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}

/** Memory that several threads may have, of at least so many bytes; undefined where there is none. */
export function sharedMemory(bytes: number): SharedArrayBuffer | undefined {
  if (typeof SharedArrayBuffer === 'function') return new SharedArrayBuffer(bytes);
  try {
    // Some engines have it without a name.
    const pages = Math.ceil(bytes / 65_536);
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }).buffer as unknown as SharedArrayBuffer;
  } catch {
    return undefined;
  }
}

/** The bytes of a file beside the compiled tests, or of the built package: `../dist/…`. */
export async function readFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(path, import.meta.url);
  if (!inNode) return new Uint8Array(await (await fetch(url)).arrayBuffer());
  const { promises } = await import('node:fs');
  return new Uint8Array(await promises.readFile(url));
}
