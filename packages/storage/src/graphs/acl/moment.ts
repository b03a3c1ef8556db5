/** Something that may end at a moment: milliseconds since 1970, or null for never. */
export interface Expiring {
  readonly expiresAt: number | null;
}

/** The moment of an evaluation, which learns from what it is asked until when the answer holds. */
export class Moment {
  readonly #now: number;
  #until = Number.POSITIVE_INFINITY;

  /** @param now milliseconds since 1970 */
  constructor(now: number) {
    this.#now = now;
  }

  /** When the first of what is in force ends, in milliseconds since 1970; infinity: never. */
  get until(): number {
    return this.#until;
  }

  /** Whether it is in force: until the moment it expires, which is not included. */
  includes({ expiresAt }: Expiring): boolean {
    if (expiresAt === null) return true;
    if (!(expiresAt > this.#now)) return false;
    this.#until = Math.min(this.#until, expiresAt);
    return true;
  }
}
