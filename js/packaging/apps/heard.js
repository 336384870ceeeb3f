// What Web Workers say that are started from now on.

/** Returns a list that gets their messages. */
export function heardOfWorkers() {
  const heard = [];
  const Real = globalThis.Worker;
  globalThis.Worker = class extends Real {
    constructor(...given) {
      super(...given);
      this.addEventListener('message', ({ data }) => heard.push(data));
    }
  };
  return heard;
}
