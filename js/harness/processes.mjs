// A folder and the processes of one run; nothing of either is left when it is over.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Rejects when `promise` takes longer than `ms`. */
export function within(promise, ms, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing for ${Math.round(ms / 1000)} s`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const INTERRUPTIONS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

export class Run {
  constructor() {
    this.mark = randomUUID();
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'edgevec-browser-'));
    this.groups = new Set();
    this.closers = [];
    this.onExit = () => {
      this.kill('SIGKILL');
      fs.rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    };
    this.onInterruption = (signal) => process.exit(128 + os.constants.signals[signal]);
    process.once('exit', this.onExit);
    for (const signal of INTERRUPTIONS) process.once(signal, this.onInterruption);
  }

  /** The environment of a browser: a home of its own, and a mark by which its children are found. */
  env(extra = {}) {
    const home = path.join(this.folder, 'home');
    const temporary = path.join(this.folder, 'tmp');
    for (const folder of [home, temporary, path.join(home, 'run')]) fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    return {
      ...process.env,
      EDGEVEC_RUN: this.mark,
      HOME: home,
      TMPDIR: temporary,
      XDG_CACHE_HOME: path.join(home, 'cache'),
      XDG_CONFIG_HOME: path.join(home, 'config'),
      XDG_DATA_HOME: path.join(home, 'data'),
      XDG_RUNTIME_DIR: path.join(home, 'run'),
      ...extra,
    };
  }

  /** Starts a program in a process group of its own. */
  start(program, args, options = {}) {
    const child = spawn(program, args, { detached: true, env: this.env(), ...options });
    child.failed = new Promise((_, reject) => child.once('error', reject));
    child.failed.catch(() => {});
    if (child.pid) this.groups.add(child.pid);
    return child;
  }

  marked() {
    if (!fs.existsSync('/proc')) return [];
    const own = `EDGEVEC_RUN=${this.mark}`;
    return fs.readdirSync('/proc').map(Number).filter((pid) => {
      try {
        return pid > 0 && pid !== process.pid && fs.readFileSync(`/proc/${pid}/environ`, 'latin1').includes(own);
      } catch {
        return false;
      }
    });
  }

  /** All processes of the run: the marked ones, and their children, which may have cleared their environment. */
  family() {
    const parents = new Map();
    for (const pid of fs.existsSync('/proc') ? fs.readdirSync('/proc').map(Number).filter((pid) => pid > 0) : []) {
      try {
        // Behind the name, which is in brackets and may hold anything: state, parent.
        const [, , parent] = fs.readFileSync(`/proc/${pid}/stat`, 'latin1').split(')').at(-1).split(' ');
        parents.set(pid, Number(parent));
      } catch {
        // It ended meanwhile.
      }
    }
    const family = new Set(this.marked());
    const belongs = (pid) => pid > 1 && (family.has(pid) || belongs(parents.get(pid) ?? 0));
    return [...parents.keys()].filter(belongs);
  }

  kill(signal) {
    for (const target of [...[...this.groups].map((group) => -group), ...this.marked()]) {
      try {
        process.kill(target, signal);
      } catch {
        // It is gone already.
      }
    }
  }

  async close() {
    for (const close of this.closers.reverse()) {
      await within(Promise.resolve().then(close), 8000, 'closing').catch(() => {});
    }
    this.kill('SIGTERM');
    for (let i = 0; i < 20 && this.marked().length > 0; i += 1) await sleep(100);
    this.kill('SIGKILL');
    process.removeListener('exit', this.onExit);
    for (const signal of INTERRUPTIONS) process.removeListener(signal, this.onInterruption);
    await fs.promises.rm(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}
