/**
 * The helpers of an index: threads that do part of its batches.
 *
 * ```text
 * gather ─► tend … tend ─► rest       parts go out once a batch, units again and again, answers come back
 * ```
 *
 * Whatever helpers do, and whether they do anything, the batch has the same result: what they do not answer is
 * taken back and done without them. So every fault ends in {@link Crew.#dismiss}, and nothing here rejects.
 */

import { loadedModule } from './engine.js';
import type { Answer, Order } from './helper.js';
import { threads, type Thread } from './threads.js';
import type { RawIndex } from './wasm/edgevec.js';

/** Portions of some milliseconds that a helper has at most: one it does, others for until it is asked again. */
const PORTIONS = 6;
/** Bytes of parts sent in one turn. */
const PARTS_BYTES = 1 << 20;
/** Bytes that a part may take more than a row has dimensions, and bytes before some parts. */
const [PART_BYTES, HEADER_BYTES] = [128, 8];
/** How long answers are taken in before the page may do something else. */
const TAKE_MS = 5;
/** How long the owner waits for an answer before it looks for an abort. */
const WAIT_MS = 50;
/** After so much silence, while nothing else can be done, helpers are given up. */
const PATIENCE_MS = 2000;

/** A helper. */
interface Member {
  thread: Thread;
  isReady: boolean;
  /** Parts of this batch that it was sent. */
  parts: number;
  /** Portions of this round that it has not answered. */
  owed: number;
}

/** The helpers of one index. */
export class Crew {
  #members: Member[] = [];
  /** The members that help with this batch; 0 between batches. */
  #wanted = 0;
  /** Answers to units of another round are for nobody: those were taken back, or their batch is over. */
  #round = 0;
  #answers: { member: Member; answer: Uint32Array }[] = [];
  /** Memory that parts were sent in: fresh memory takes several times as long to write to. */
  #memory: Uint8Array[] = [];
  /** Whether units are to be taken back. */
  #isShort = false;
  /** Whether a thread could not be started: the next could not, either. */
  #isHopeless = false;
  #lastHeard = 0;
  #wake: () => void = () => {};

  /** Begins a batch: starts threads that are missing. They help as soon as they have started. */
  gather(count: number): void {
    this.#wanted = count;
    for (const { thread } of this.#members) thread.hold(true);
    while (this.#members.length < count && !this.#isHopeless) this.#start();
  }

  #start(): void {
    const [start, module] = [threads()?.startHelper, loadedModule()];
    try {
      if (start === undefined || module === undefined) throw new Error('there are no threads');
      const thread = start();
      const member: Member = { thread, isReady: false, parts: 0, owed: 0 };
      this.#members.push(member);
      thread.hold(true);
      thread.listen((answer: Answer) => this.#hear(member, answer));
      thread.onFailure(() => this.#dismiss(member));
      post(member, { kind: 'start', module });
    } catch {
      this.#isHopeless = true;
    }
  }

  #hear(member: Member, { memory, round, answer }: Answer): void {
    if (memory !== undefined) {
      if (this.#wanted > 0) this.#memory.push(memory);
      return;
    }
    this.#lastHeard = performance.now();
    if (round === undefined) {
      member.isReady = true;
    } else if (round === this.#round) {
      member.owed -= 1;
      if (answer instanceof Uint32Array) this.#answers.push({ member, answer });
      else this.#dismiss(member);
    }
    this.#wake();
  }

  #dismiss(member: Member): void {
    const place = this.#members.indexOf(member);
    if (place < 0) return;
    this.#members.splice(place, 1);
    this.#isHopeless ||= !member.isReady;
    this.#isShort = true;
    member.thread.end();
    this.#wake();
  }

  /** Whether more has come back than could be taken in at once: the owner need not work, too. */
  get isBehind(): boolean {
    return this.#answers.length > 0;
  }

  /** Takes in what has come back, and gives helpers something to do. Called in each slice of a batch. */
  tend(raw: RawIndex): void {
    const start = performance.now();
    while (performance.now() - start < TAKE_MS) {
      const next = this.#answers.shift();
      if (next === undefined) break;
      if (!raw.acceptUnits(next.answer)) this.#dismiss(next.member);
    }
    if (this.#isShort) this.#takeBack(raw);
    const parts = raw.sharedParts;
    if (parts === 0) return;
    const ready = this.#members.slice(0, this.#wanted).filter(({ isReady }) => isReady);
    // Parts go to one at a time: the first to have all can begin.
    const behind = ready.find((member) => member.parts < parts);
    for (const member of ready) {
      try {
        if (member === behind) this.#load(member, raw, parts);
        else if (member.parts === parts) this.#give(member, raw);
      } catch {
        this.#dismiss(member); // there is no memory for what it needs
      }
    }
  }

  #give(member: Member, raw: RawIndex): void {
    while (member.owed < PORTIONS) {
      const units = raw.giveUnits();
      if (units === undefined) return;
      if (this.#owed() === 0) this.#lastHeard = performance.now();
      member.owed += 1;
      post(member, { kind: 'work', round: this.#round, units }, units.buffer);
    }
  }

  #load(member: Member, raw: RawIndex, parts: number): void {
    if (member.parts === 0) {
      post(member, { kind: 'begin', dimensions: raw.dimensions, metric: raw.metric, m: raw.m });
    }
    const count = Math.floor(PARTS_BYTES / (raw.dimensions + PART_BYTES));
    const memory = this.#memory.pop() ?? new Uint8Array(PARTS_BYTES + HEADER_BYTES);
    const bytes = raw.batchParts(member.parts, count, memory);
    post(member, { kind: 'load', memory, bytes }, memory.buffer);
    member.parts = Math.min(parts, member.parts + count);
  }

  #owed(): number {
    return this.#members.reduce((sum, { owed }) => sum + owed, 0);
  }

  #takeBack(raw: RawIndex): void {
    this.#newRound();
    raw.takeBackUnits();
  }

  #newRound(): void {
    this.#isShort = false;
    this.#round += 1;
    this.#answers = [];
    for (const member of this.#members) member.owed = 0;
  }

  /** Resolves when a helper has said something, or after a while; helpers that are silent too long are given up. */
  async heard(): Promise<void> {
    if (this.#answers.length > 0 || this.#isShort) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, WAIT_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    if (performance.now() - this.#lastHeard < PATIENCE_MS) return;
    for (const member of this.#members.filter(({ owed }) => owed > 0)) this.#dismiss(member);
    this.#isShort = true;
  }

  /** Ends a batch. The threads stay for the next, and do not keep the program from ending. */
  rest(): void {
    this.#newRound();
    this.#wanted = 0;
    this.#memory = [];
    for (const member of this.#members) {
      if (member.parts > 0) post(member, { kind: 'rest' });
      member.parts = 0;
      member.thread.hold(false);
    }
  }

  /** Ends the threads. */
  close(): void {
    for (const { thread } of this.#members.splice(0)) thread.end();
    this.#isHopeless = true;
    this.#wake();
  }
}

function post({ thread }: Member, order: Order, buffer?: ArrayBufferLike): void {
  thread.post(order, buffer === undefined ? [] : [buffer]);
}
