// Is the page alive? A wheel that turns and a strip of the last seconds, both drawn by the page's
// own thread, frame by frame: while something holds that thread they stand still, and the strip
// shows the hole afterwards. The same frames measure the longest gap of a run.

const STRIP_MS = 10_000;
// Gaps from here on are visible as a stutter (three frames at 60 Hz).
const STUTTER_MS = 50;
const STRIP_GAP_MS = 200; // a gap this long fills the height of the strip
// Between two drawings of the strip, which moves slowly and is drawn anew each time; the wheel has every frame.
const STRIP_REST_MS = 50;
const REST_MS = 500; // between two drawings when the user asked for less motion

/** Resolves before the next frame is painted; soon, too, in a hidden tab, which has no frames. */
export function nextFrame() {
  return new Promise((resolve) => {
    const done = () => { clearTimeout(timer); cancelAnimationFrame(frame); resolve(); };
    const timer = setTimeout(done, 250);
    const frame = requestAnimationFrame(done);
  });
}

export class Pulse {
  #strip; #wheel; #colours; #still;
  #gaps = []; // { end, ms, kind }, oldest first, at least the last STRIP_MS
  #last = performance.now();
  #drawn = 0;
  #stripDrawn = 0;
  #angle = 0;
  #run = null;
  #listeners = new Set();

  /**
   * @param {{ strip: HTMLCanvasElement, wheel: HTMLCanvasElement, colours: () => Record<string, string> }} parts
   */
  constructor({ strip, wheel, colours }) {
    this.#strip = strip;
    this.#wheel = wheel;
    this.#colours = colours;
    this.#still = matchMedia('(prefers-reduced-motion: reduce)');
    document.addEventListener('visibilitychange', () => {
      if (document.hidden && this.#run) this.#run.hidden = true;
      this.#last = performance.now();
    });
    const frame = () => { this.#frame(); requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
  }

  /** Calls `listener` in every frame. Returns a function that ends it. */
  onFrame(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Starts measuring a run; `kind` is the colour of its gaps. */
  begin(kind) {
    const run = { kind, longestGapMs: 0, longestTimerGapMs: 0, frames: 0, hidden: document.hidden };
    // Painting is not all that has to go on: a timer that is always due must get its turns, too.
    let last = performance.now();
    const tick = () => {
      const now = performance.now();
      run.longestTimerGapMs = Math.max(run.longestTimerGapMs, now - last);
      last = now;
      run.timer = setTimeout(tick, 0);
    };
    run.timer = setTimeout(tick, 0);
    this.#run = run;
  }

  /** Ends the run with the frame after it. `hidden`: the tab was in the background, nothing holds. */
  async end() {
    await nextFrame();
    // A browser that has not painted yet is still in its gap.
    this.#run.longestGapMs = Math.max(this.#run.longestGapMs, performance.now() - this.#last);
    // The timer that became due during the last piece of work has its turn before this resolves.
    await new Promise((resolve) => setTimeout(resolve, 5));
    const { longestGapMs, longestTimerGapMs, frames, hidden, timer } = this.#run;
    clearTimeout(timer);
    this.#run = null;
    return { longestGapMs, longestTimerGapMs, frames, hidden };
  }

  #frame() {
    const now = performance.now();
    const ms = now - this.#last;
    this.#last = now;
    const run = this.#run;
    this.#gaps.push({ end: now, ms, kind: run?.kind ?? 'idle' });
    while (this.#gaps[0].end < now - STRIP_MS) this.#gaps.shift();
    if (run) {
      run.frames++;
      run.longestGapMs = Math.max(run.longestGapMs, ms);
    }
    for (const listener of this.#listeners) listener(now);
    if (this.#still.matches && now - this.#drawn < REST_MS) return;
    this.#drawn = now;
    if (!this.#still.matches) this.#angle += Math.min(ms, STUTTER_MS) / 1000;
    const colours = this.#colours();
    this.#drawWheel(colours);
    if (now - this.#stripDrawn < STRIP_REST_MS) return;
    this.#stripDrawn = now;
    this.#drawStrip(now, colours);
  }

  #drawWheel(colours) {
    const { context, width, height } = sized(this.#wheel);
    const spokes = 10;
    const radius = width / 2 - 4;
    context.fillStyle = colours[this.#run?.kind ?? 'idle'];
    for (let i = 0; i < spokes; i++) {
      const turn = (i / spokes + this.#angle * 0.8) * 2 * Math.PI;
      context.globalAlpha = 0.15 + (0.85 * i) / (spokes - 1);
      context.beginPath();
      context.arc(width / 2 + radius * Math.cos(turn), height / 2 + radius * Math.sin(turn), 1.2 + (1.6 * i) / spokes, 0, 7);
      context.fill();
    }
    context.globalAlpha = 1;
  }

  #drawStrip(now, colours) {
    const { context, width, height } = sized(this.#strip);
    const scale = width / STRIP_MS;
    for (const { end, ms, kind } of this.#gaps) {
      const right = width - (now - end) * scale;
      const left = Math.max(0, right - ms * scale);
      // The root keeps a frame of 17 ms visible beside a gap of 200 ms.
      const tall = Math.max(2, Math.min(1, Math.sqrt(ms / STRIP_GAP_MS)) * height);
      context.fillStyle = ms > STUTTER_MS ? colours.blocked : colours[kind];
      context.fillRect(left, height - tall, Math.max(1, right - left - 0.35), tall);
      if (ms >= 1000 && right - left > 84) {
        context.fillStyle = colours.onBlocked;
        context.font = '600 12px system-ui, sans-serif';
        context.textAlign = 'center';
        context.textBaseline = 'middle';
        context.fillText(`${(ms / 1000).toFixed(1)} s frozen`, (left + right) / 2, height / 2 + 1);
      }
    }
  }
}

/** The 2-D context of a canvas whose pixels match the screen's, cleared. Sizes in CSS pixels. */
function sized(canvas) {
  const ratio = devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  const context = canvas.getContext('2d');
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}
