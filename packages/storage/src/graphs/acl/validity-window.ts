/** Something that may end at a moment: milliseconds since 1970, or null for never. */
export interface Expiring {
  readonly expiresAt: number | null;
}

/**
 * The moments for which an evaluation holds: it is narrowed by everything that was asked whether it is
 * in force. A clock that is set back leaves the window too.
 */
export class ValidityWindow {
  readonly #now: number;
  #from = Number.NEGATIVE_INFINITY;
  #until = Number.POSITIVE_INFINITY;

  /** @param now milliseconds since 1970 */
  constructor(now: number) {
    this.#now = now;
  }

  /** The first moment at which the answer may change, in milliseconds since 1970; infinity: never. */
  get until(): number {
    return this.#until;
  }

  /** Whether it is in force now: until its moment, which is not included. */
  inForce({ expiresAt }: Expiring): boolean {
    if (expiresAt === null) return true;
    if (expiresAt > this.#now) {
      this.#until = Math.min(this.#until, expiresAt);
      return true;
    }
    this.#from = Math.max(this.#from, expiresAt);
    return false;
  }

  /** Whether an evaluation at `now` would find the same in force. */
  includes(now: number): boolean {
    return this.#from <= now && now < this.#until;
  }
}
