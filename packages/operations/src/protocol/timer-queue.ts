/** setTimeout takes no more: 24.8 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A time at which something is due. */
export interface Timer {
  /** On the clock of the queue. */
  readonly at: number;
  readonly callback: () => void;
  /** Place in the heap, -1 outside of it. */
  index: number;
}

/**
 * Many times, one `setTimeout`: a binary heap that knows where each timer is, so that adding and removing
 * cost O(log n) and ten thousand open calls no more of the platform's timers than one. It holds the process
 * while it has timers.
 */
export class TimerQueue {
  readonly #heap: Timer[] = [];
  #handle: ReturnType<typeof setTimeout> | undefined;
  #armedFor = Number.POSITIVE_INFINITY;

  get size(): number {
    return this.#heap.length;
  }

  /** Milliseconds on a clock that never jumps. */
  now(): number {
    return performance.now();
  }

  add(at: number, callback: () => void): Timer {
    const timer: Timer = { at, callback, index: this.#heap.length };
    this.#heap.push(timer);
    this.#up(timer);
    if (at < this.#armedFor) this.#arm();
    return timer;
  }

  /** Removes a timer; one that is gone already is ignored. */
  remove(timer: Timer): void {
    const { index } = timer;
    if (index < 0) return;
    timer.index = -1;
    const last = this.#heap.pop();
    if (last !== undefined && last !== timer) {
      this.#place(last, index);
      this.#up(last);
      this.#down(last);
    }
    // one that is armed too early is left to fire: arming costs more than that
    if (this.#heap.length === 0) this.#disarm();
  }

  #arm(): void {
    this.#disarm();
    const first = this.#heap[0];
    if (first === undefined) return;
    this.#armedFor = first.at;
    const ms = Math.min(Math.max(Math.ceil(first.at - this.now()), 1), LONGEST_TIMER_MS);
    this.#handle = setTimeout(() => this.#fire(), ms);
  }

  #disarm(): void {
    if (this.#handle !== undefined) clearTimeout(this.#handle);
    this.#handle = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
  }

  #fire(): void {
    this.#handle = undefined;
    const now = this.now();
    for (let first = this.#heap[0]; first !== undefined && first.at <= now; first = this.#heap[0]) {
      this.remove(first);
      first.callback();
    }
    this.#arm();
  }

  #place(timer: Timer, index: number): void {
    this.#heap[index] = timer;
    timer.index = index;
  }

  #up(timer: Timer): void {
    while (timer.index > 0) {
      const parent = this.#heap[(timer.index - 1) >> 1] as Timer;
      if (parent.at <= timer.at) return;
      this.#swap(parent, timer);
    }
  }

  #down(timer: Timer): void {
    for (;;) {
      const left = this.#heap[timer.index * 2 + 1];
      if (left === undefined) return;
      const right = this.#heap[timer.index * 2 + 2];
      const smaller = right !== undefined && right.at < left.at ? right : left;
      if (timer.at <= smaller.at) return;
      this.#swap(timer, smaller);
    }
  }

  #swap(above: Timer, below: Timer): void {
    const { index } = above;
    this.#place(above, below.index);
    this.#place(below, index);
  }
}
