/** A clock for tests: what a slice holds then depends on the work alone, not on the machine. */

/** Within a `describe`: every look at the clock finds it a millisecond later, so that a slice is some steps of work. */
export function countTime(): void {
  const own = Object.getOwnPropertyDescriptor(performance, 'now');
  let now = 0;
  before(() => {
    Object.defineProperty(performance, 'now', { configurable: true, value: () => (now += 1) });
  });
  after(() => {
    if (own === undefined) Reflect.deleteProperty(performance, 'now');
    else Object.defineProperty(performance, 'now', own);
  });
}
