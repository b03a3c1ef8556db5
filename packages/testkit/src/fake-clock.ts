import type { Clock } from "@alkdev/honker";

/** A clock that moves only when told to. */
export class FakeClock implements Clock {
  #now: number;

  /** @param now milliseconds since 1970; default 2026-01-01T00:00:00Z */
  constructor(now: number = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  /** Moves the clock by `ms` milliseconds; negative moves it back. */
  advance(ms: number): void {
    this.#now += ms;
  }

  set(now: number): void {
    this.#now = now;
  }
}
