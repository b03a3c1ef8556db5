import type { Database } from "@alkdev/honker";
import { LruMap } from "../../graphs/lru-map.ts";

/** How often something may happen. */
export interface LimitOptions {
  /** So often at most, a whole number from 1. */
  readonly limit: number;
  /** In any so many seconds. */
  readonly perSeconds: number;
}

interface Entry {
  /** Taken here and not yet in the file. */
  pending: number;
  pendingSince: number;
  /** Milliseconds since 1970. */
  blockedUntil: number;
}

const MOST_NAMES = 10_000;
/** What this process takes ahead of the file: a twentieth of the limit. */
const SHARE = 20;

/**
 * A limit for all processes of a file that rarely writes: what is taken is counted here and entered into the
 * engine's limit a twentieth at a time, so each process may exceed it by as much. Limits below 20 are
 * exact.
 */
export class SharedLimit {
  readonly #client: Database;
  readonly #prefix: string;
  readonly #options: LimitOptions;
  readonly #batch: number;
  readonly #entries = new LruMap<string, Entry>(MOST_NAMES);

  /** @param prefix put before each name in the file */
  constructor(client: Database, prefix: string, options: LimitOptions) {
    this.#client = client;
    this.#prefix = prefix;
    this.#options = options;
    this.#batch = Math.max(1, Math.floor(options.limit / SHARE));
  }

  /** Takes one. Milliseconds until one can be taken again; 0: it was. */
  take(name: string, now: number): number {
    const blocked = this.blockedFor(name, now);
    if (blocked > 0) return blocked;
    const perMs = this.#options.perSeconds * 1_000;
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      entry = { pending: 0, pendingSince: now, blockedUntil: 0 };
      this.#entries.set(name, entry);
    }
    if (entry.pending > 0 && Math.abs(now - entry.pendingSince) >= perMs) entry.pending = 0;
    if (entry.pending === 0) entry.pendingSince = now;
    entry.pending += 1;
    if (entry.pending < this.#batch) return 0;
    const { allowed, retryAfterMs } = this.#client.tryRateLimit(this.#prefix + name, {
      ...this.#options,
      cost: entry.pending,
    });
    if (allowed) {
      entry.pending = 0;
      return 0;
    }
    entry.pending -= 1;
    entry.blockedUntil = now + retryAfterMs;
    return Math.max(1, retryAfterMs);
  }

  /** Milliseconds until one can be taken, as far as this process knows; takes none. */
  blockedFor(name: string, now: number): number {
    const left = (this.#entries.get(name)?.blockedUntil ?? 0) - now;
    // a clock that was set back must not keep anybody out for longer than the limit does
    return left > 0 && left <= this.#options.perSeconds * 1_000 ? left : 0;
  }
}
