import type { PreparedSql } from "@alkdev/honker";
import { LruMap } from "../../graphs/lru-map.ts";
import type { SystemDatabase } from "../client.ts";
import type { Refusal } from "./api-key-reader.ts";
import { recordAudit } from "./audit.ts";
import { FailureCounts } from "./failure-counts.ts";
import type { Principal } from "./principal.ts";
import { unknownCaller } from "./unknown-caller.ts";

/** How the journal writes. */
export interface JournalOptions {
  /** Whether successes are in the audit trail. */
  readonly auditSuccess: boolean;
  readonly now: () => number;
  readonly onError: (error: unknown, context: string) => void;
}

interface Use {
  readonly principal: Principal;
  readonly source: string | undefined;
}

const DELAY_MS = 1_000;
/** Uses of one key, and failures of one kind, are written once in so long. */
const EVERY_MS = 60_000;
const MOST_KEYS = 10_000;

/** Not where another process has just written it; a moment far ahead was written by a wrong clock. */
const SET_LAST_USED = `UPDATE api_keys SET last_used_at = ?
  WHERE id = ? AND (last_used_at IS NULL OR last_used_at NOT BETWEEN ? AND ?)`;

/**
 * Remembers who signed in and who failed to, and writes it a second later, all in one commit: signing in
 * never waits for a write, and a flood of failures is a number in one row a minute.
 */
export class AuthJournal {
  readonly #system: SystemDatabase;
  readonly #options: JournalOptions;
  readonly #setLastUsed: PreparedSql;
  readonly #seenAt = new LruMap<string, number>(MOST_KEYS);
  readonly #failures = new FailureCounts(EVERY_MS);
  #uses = new Map<string, Use>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(system: SystemDatabase, options: JournalOptions) {
    this.#system = system;
    this.#options = options;
    this.#setLastUsed = system.$client.prepare(SET_LAST_USED);
  }

  /** Somebody signed in at `now`. */
  used(use: Use, now: number): void {
    const { credentialId } = use.principal;
    const since = now - (this.#seenAt.get(credentialId) ?? Number.NEGATIVE_INFINITY);
    if (since >= 0 && since < EVERY_MS) return;
    this.#seenAt.set(credentialId, now);
    this.#uses.set(credentialId, use);
    this.#schedule();
  }

  /** Somebody was refused. */
  failed(refusal: Refusal, source: string | undefined): void {
    this.#failures.add(refusal, source);
    this.#schedule();
  }

  /** Writes what is due now; `"everything"`: also failures that would wait for their minute. */
  flush(what: "due" | "everything"): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const now = this.#options.now();
    const uses = this.#uses;
    const failures = this.#failures.due(now, what);
    if (uses.size > 0 || failures.length > 0) {
      this.#system.transaction(() => {
        for (const use of uses.values()) this.#writeUse(use, Math.floor(now / 1_000));
        for (const { refusal, source, count } of failures) {
          const { reason, accountId, credentialId, credentialType } = refusal;
          recordAudit(this.#system, {
            action: "auth.failed",
            by: {
              accountId: accountId ?? unknownCaller(this.#system.$client),
              ...(credentialId === null ? {} : { credentialId, credentialType }),
            },
            details: { reason, count, ...(source === undefined ? {} : { source }) },
          });
        }
      });
      this.#uses = new Map();
      this.#failures.written(failures, now);
    }
    if (this.#failures.waiting) this.#schedule();
  }

  /** Ends it without writing. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#closed = true;
  }

  #writeUse({ principal, source }: Use, now: number): void {
    const { credentialId, credentialType, accountId } = principal;
    const client = this.#system.$client;
    if (credentialType === "api_key") {
      const minute = EVERY_MS / 1_000;
      const { changes } = this.#setLastUsed.run([
        now,
        credentialId,
        now - minute + 1,
        now + minute - 1,
      ]);
      if (changes === 0) return;
      client.notify("auth:key_verified", { keyId: credentialId, ownerId: accountId });
    }
    if (!this.#options.auditSuccess) return;
    recordAudit(this.#system, {
      action: "auth.verified",
      by: { accountId, credentialId, credentialType },
      ...(source === undefined ? {} : { details: { source } }),
    });
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      try {
        this.flush("due");
      } catch (error) {
        this.#options.onError(error, "writing down who signed in");
        if (this.#system.$client.open) this.#schedule();
      }
    }, DELAY_MS).unref();
  }
}
