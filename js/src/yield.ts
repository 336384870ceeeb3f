/** Giving the thread back between two slices of work. */

interface Scheduler {
  postTask?: (callback: () => void) => Promise<void>;
}

const { scheduler, setImmediate } = globalThis as { scheduler?: Scheduler; setImmediate?: (callback: () => void) => unknown };

let channel: MessageChannel | undefined;
const waiting: (() => void)[] = [];

/**
 * Resolves in a later task: painting, input and timers come first.
 *
 * By `postTask`, where there is one: of the ways that a hidden page does not slow down it paints most. Between slices of
 * 5 ms that did nothing Firefox painted 18 frames a second by messages, mostly 60 by this; in a batch it paints 13 to 22
 * by either. `scheduler.yield` goes before timers and what the page sends itself, which then wait for two slices, or for
 * the whole batch.
 */
export function nextTask(): Promise<void> {
  if (scheduler?.postTask !== undefined) return scheduler.postTask(() => undefined);
  return new Promise((resolve) => {
    // Where there is `setImmediate`, a message channel would keep the process from ending.
    if (setImmediate !== undefined) {
      setImmediate(resolve);
    } else if (typeof MessageChannel === 'function') {
      if (channel === undefined) {
        channel = new MessageChannel();
        channel.port1.onmessage = () => waiting.shift()?.();
      }
      waiting.push(resolve);
      channel.port2.postMessage(null);
    } else {
      setTimeout(resolve, 0);
    }
  });
}
