/**
 * The thread of a helper: it has an instance of the module and the parts of a batch, and does the units it is
 * given. What the two sides say to each other is here, too.
 */

import type { Port } from './threads.js';
import { RawHelper, initSync } from './wasm/edgevec.js';

/** What a helper is told, in this order. */
export type Order =
  /** Once: the module to make an instance of. Answered by an empty {@link Answer}. */
  | { kind: 'start'; module: WebAssembly.Module }
  /** A batch begins. */
  | { kind: 'begin'; dimensions: number; metric: string; m: number }
  /** The next parts, in some of these bytes. Answered by a {@link Answer} with the memory. */
  | { kind: 'load'; memory: Uint8Array; bytes: number }
  /** Units, which are answered. */
  | { kind: 'work'; round: number; units: Uint32Array }
  /** The batch is over. */
  | { kind: 'rest' };

/** What a helper says. */
export interface Answer {
  /** Memory that it was sent, to be used again. */
  memory?: Uint8Array;
  /** That of the units; undefined when it did none. */
  round?: number;
  /** Undefined when the units could not be done. */
  answer?: Uint32Array | undefined;
}

/** Does what it is told. */
export function serveHelper(port: Port): void {
  let helper: RawHelper | undefined;
  const rest = (): void => {
    helper?.free();
    helper = undefined;
  };
  const work = (units: Uint32Array): Uint32Array | undefined => {
    try {
      return helper?.work(units);
    } catch {
      return undefined; // memory ran out: the others do it
    }
  };
  const tries = (call: () => void): void => {
    try {
      call();
    } catch {
      rest();
    }
  };
  port.listen((order: Order) => {
    switch (order.kind) {
      case 'start':
        initSync({ module: order.module });
        return port.post({} satisfies Answer);
      case 'begin':
        rest();
        return tries(() => (helper = new RawHelper(order.dimensions, order.metric as 'l2', order.m)));
      case 'load':
        tries(() => helper?.load(order.memory.subarray(0, order.bytes)));
        return port.post({ memory: order.memory } satisfies Answer, [order.memory.buffer]);
      case 'work': {
        const answer = work(order.units);
        return port.post({ round: order.round, answer } satisfies Answer, answer === undefined ? [] : [answer.buffer]);
      }
      case 'rest':
        return rest();
    }
  });
}
