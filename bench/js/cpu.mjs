// What other processes have worked.
import fs from 'node:fs';

/** Time that the threads of these processes have worked; null where that cannot be known. */
export function cpuMs(processes) {
  if (!fs.existsSync('/proc/self/schedstat')) return null;
  let nanoseconds = 0;
  for (const process of processes) {
    const tasks = `/proc/${process}/task`;
    try {
      for (const task of fs.readdirSync(tasks)) {
        nanoseconds += Number(fs.readFileSync(`${tasks}/${task}/schedstat`, 'latin1').split(' ', 1)[0]);
      }
    } catch {
      // It ended meanwhile.
    }
  }
  return nanoseconds / 1e6;
}
