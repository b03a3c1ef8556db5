/** How far ahead of its handlers a worker claims, in milliseconds of work. */
const AHEAD_MS = 20;
/** Shortest time a rate is computed over, in milliseconds; below, the timer is too coarse. */
const SHORTEST_MS = 0.1;

/**
 * How many jobs to claim ahead of the handlers: as many as they did in the last turns in 20 ms. Quick
 * handlers then share one claim and one commit among hundreds of jobs; slow ones keep no job from
 * other workers.
 */
export class Prefetch {
  /** How long a claimed job may wait for its handler before it is given back. */
  static readonly PATIENCE_MS = 60;
  readonly #most: number;
  #size = 0;
  #ended = 0;
  #since = performance.now();

  constructor(most: number) {
    this.#most = most;
  }

  jobsEnded(count: number): void {
    this.#ended += count;
  }

  /** Jobs to hold besides those that run. Starts the next measurement. */
  size(): number {
    const now = performance.now();
    if (this.#ended > 0) {
      const rate = this.#ended / Math.max(now - this.#since, SHORTEST_MS);
      this.#size = Math.min(Math.floor(rate * AHEAD_MS), this.#most);
    }
    this.#ended = 0;
    this.#since = now;
    return this.#size;
  }

  /** Jobs waited too long: the handlers have become slow. */
  tooMuch(): void {
    this.#size = 0;
  }
}
