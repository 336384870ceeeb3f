/** Giving the thread back between two slices of work. */

interface Scheduler {
  yield?: () => Promise<void>;
}

const { scheduler, setImmediate } = globalThis as { scheduler?: Scheduler; setImmediate?: (callback: () => void) => unknown };

/**
 * Every this many slices a plain task is taken. A page that continues by `scheduler.yield` alone goes
 * before timers, which would then not run until the batch is over.
 */
const PLAIN_TASK_EVERY = 2;

let channel: MessageChannel | undefined;
const waiting: (() => void)[] = [];
let slices = 0;

function plainTask(): Promise<void> {
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

/** Resolves in a later task: painting, input and timers come first. */
export function nextTask(): Promise<void> {
  slices += 1;
  if (scheduler?.yield !== undefined && slices % PLAIN_TASK_EVERY !== 0) return scheduler.yield();
  return plainTask();
}
