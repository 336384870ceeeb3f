/** What ends with its owner, also when the owner was forgotten and not closed. */

const registry =
  typeof FinalizationRegistry === 'function' ? new FinalizationRegistry<() => void>((end) => end()) : undefined;

/** Calls `end`, which must not refer to the owner, some time after the owner was collected. */
export function whenCollected(owner: object, end: () => void): void {
  registry?.register(owner, end);
}
