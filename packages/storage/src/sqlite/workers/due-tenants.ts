/** When which tenant is to be looked at: in memory, rebuilt at every start. */
export class DueTenants {
  /** Milliseconds since 1970 by id. */
  readonly #times = new Map<string, number>();
  /** Those whose time has come, in the order in which it came. */
  readonly #ready = new Set<string>();

  /** How many wait to be looked at now. */
  get waiting(): number {
    return this.#ready.size;
  }

  /** Looks at a tenant as soon as those before it were looked at. */
  soon(orgId: string): void {
    this.#times.delete(orgId);
    this.#ready.add(orgId);
  }

  /** Looks at a tenant at that time, unless it is due earlier. */
  at(orgId: string, ms: number): void {
    if (this.#ready.has(orgId)) return;
    this.#times.set(orgId, Math.min(ms, this.#times.get(orgId) ?? Number.POSITIVE_INFINITY));
  }

  /** Forgets a tenant. */
  remove(orgId: string): void {
    this.#times.delete(orgId);
    this.#ready.delete(orgId);
  }

  /**
   * Moves those whose time has come to the end of the line.
   *
   * @returns when the next one's time comes; infinity where there is none
   */
  advance(nowMs: number): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [orgId, ms] of this.#times) {
      if (ms <= nowMs) this.soon(orgId);
      else nextMs = Math.min(nextMs, ms);
    }
    return nextMs;
  }

  /** Takes the first of the line, which is then unknown until it is given a time; null without one. */
  take(): string | null {
    for (const orgId of this.#ready) {
      this.#ready.delete(orgId);
      return orgId;
    }
    return null;
  }
}
