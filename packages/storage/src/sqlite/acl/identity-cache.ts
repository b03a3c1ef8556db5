import type { Identity } from "@alkdev/operations";
import { LruMap } from "../../graphs/lru-map.ts";

interface Entry {
  readonly identity: Identity;
  readonly readAt: number;
  /** When it expires. */
  readonly until: number;
}

/** What {@link IdentityCache} keeps, and how long. */
export interface IdentityCacheLimits {
  /** Most identities. */
  readonly size: number;
  /** Milliseconds after which an identity is read again, whatever nobody said. */
  readonly maxAgeMs: number;
}

/** Identities by principal, all of one state of the ACL: another token empties it. */
export class IdentityCache {
  readonly #entries: LruMap<string, Entry>;
  readonly #maxAgeMs: number;
  #token: string | null = null;

  constructor({ size, maxAgeMs }: IdentityCacheLimits) {
    this.#entries = new LruMap(size);
    this.#maxAgeMs = maxAgeMs;
  }

  /** The identity, if one is known of this state of the ACL and this moment (milliseconds since 1970). */
  get(key: string, at: { readonly token: string | null; readonly now: number }): Identity | null {
    if (at.token !== this.#token) {
      this.#entries.clear();
      this.#token = at.token;
      return null;
    }
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    const age = at.now - entry.readAt;
    // a clock that was set back may revive what had expired when the identity was read
    const fresh = age >= 0 && age < this.#maxAgeMs && at.now < entry.until;
    return fresh ? entry.identity : null;
  }

  /** Remembers an identity that was read after {@link get} was asked for it in vain. */
  set(key: string, entry: Entry): void {
    this.#entries.set(key, entry);
  }
}
