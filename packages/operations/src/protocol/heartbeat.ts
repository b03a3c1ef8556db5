import type { Timer, TimerQueue } from "./timer-queue.ts";

/** Signs of life within one idle timeout. */
const BEATS = 3;
/** However short the idle timeout of a caller is. */
const SHORTEST_INTERVAL_MS = 25;

/** Options of {@link Heartbeat}. */
export interface HeartbeatOptions {
  /** Milliseconds of silence after which the other side gives up. */
  readonly idleTimeout: number;
  readonly beat: () => void;
  /** Called when nothing was heard for the idle timeout after a beat. Left out: nothing is expected. */
  readonly onSilence?: (() => void) | undefined;
}

/** Breaks the silence of a call that takes its time, and notices a caller that does not answer. */
export class Heartbeat {
  readonly #timers: TimerQueue;
  readonly #options: HeartbeatOptions;
  readonly #interval: number;
  #timer: Timer;
  #sentAt: number;
  /** When the other side was first asked for a sign of life it has not given yet. */
  #askedAt: number | undefined;

  constructor(timers: TimerQueue, options: HeartbeatOptions) {
    this.#timers = timers;
    this.#options = options;
    this.#interval = Math.max(Math.floor(options.idleTimeout / BEATS), SHORTEST_INTERVAL_MS);
    this.#sentAt = timers.now();
    this.#timer = this.#watch();
  }

  /** Something was sent: that is a sign of life too. */
  sent(): void {
    this.#sentAt = this.#timers.now();
  }

  /** The other side gave a sign of life. */
  heard(): void {
    this.#askedAt = undefined;
  }

  stop(): void {
    this.#timers.remove(this.#timer);
  }

  #watch(): Timer {
    return this.#timers.add(this.#sentAt + this.#interval, () => this.#check());
  }

  #check(): void {
    const now = this.#timers.now();
    const { idleTimeout, beat, onSilence } = this.#options;
    if (onSilence !== undefined && now - (this.#askedAt ?? now) >= idleTimeout) {
      onSilence();
      return;
    }
    if (this.#sentAt + this.#interval <= now) {
      this.#askedAt ??= now;
      this.#sentAt = now;
      beat();
    }
    this.#timer = this.#watch();
  }
}
