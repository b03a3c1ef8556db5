import type { Database, PreparedSql } from "@alkdev/honker";
import { LruMap } from "../../graphs/lru-map.ts";
import type { Principal } from "./principal.ts";

/** Who signed in, and until when the credential holds. */
export interface SignedIn {
  readonly principal: Principal;
  /** Milliseconds since 1970; infinity: for ever. */
  readonly expiresAt: number;
}

const TOKEN = "SELECT value FROM _alk_storage_state WHERE key = 'auth_token'";

/**
 * Those who signed in, by what they showed, all of one state of the file: triggers write another token with
 * every change of keys, accounts and memberships, and another token empties the cache. Reading it is part
 * of every answer, so that none is older than the last commit of any process.
 */
export class PrincipalCache {
  readonly #entries: LruMap<string, SignedIn>;
  readonly #token: PreparedSql;
  #current: unknown;

  /** @param size most entries */
  constructor(client: Database, size: number) {
    this.#entries = new LruMap(size);
    this.#token = client.prepare(TOKEN);
  }

  /** Who showed this, if it is known of the file as it is. */
  get(key: string, now: number): SignedIn | null {
    const token = this.#token.row()?.[0];
    if (token !== this.#current) {
      this.#entries.clear();
      this.#current = token;
      return null;
    }
    const entry = this.#entries.get(key);
    return entry === undefined || now >= entry.expiresAt ? null : entry;
  }

  /** Remembers what was read after {@link get} was asked for it in vain. */
  set(key: string, entry: SignedIn): void {
    this.#entries.set(key, entry);
  }
}
