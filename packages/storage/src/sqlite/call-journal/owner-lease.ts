import { randomUUID } from "node:crypto";
import type { Database, Lock } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";

/** What names of the locks begin with that say which owners live. */
export const LEASE_PREFIX = "call-journal:";

/** How long calls of a killed process count as running. */
const TTL_SECONDS = 30;
const RENEW_MS = (TTL_SECONDS * 1_000) / 3;
const RETRY_MS = 1_000;

/** What an {@link OwnerLease} is made of. */
export interface OwnerLeaseOptions {
  /** For people: the part of the name before the random one. */
  readonly owner: string;
  readonly now: () => number;
  readonly onError: (error: unknown, context: string) => void;
}

/**
 * Says to other processes that the calls of this journal run: a lock that is renewed while there are any.
 * An idle journal has neither lock nor timer.
 */
export class OwnerLease {
  /** Of this journal alone, also where two are given one name or a process comes again. */
  readonly owner: string;
  readonly #client: Database;
  readonly #options: OwnerLeaseOptions;
  readonly #running = new Set<string>();
  #lock: Lock | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(client: Database, options: OwnerLeaseOptions) {
    this.owner = `${options.owner}:${randomUUID()}`;
    this.#client = client;
    this.#options = options;
  }

  /** Holds the lease for a while; outside of transactions, which could be rolled back. */
  ensure(): void {
    const leftMs = (this.#lock?.expiresAt.getTime() ?? 0) - this.#options.now();
    // more than was asked for: the clock was set back, and would let others wait for as long
    if (leftMs > RENEW_MS * 2 && leftMs <= TTL_SECONDS * 1_000) return;
    this.#renew();
  }

  /** A call runs from now on. */
  began(call: string): void {
    this.#running.add(call);
    this.#schedule(RENEW_MS);
  }

  /** A call has ended. */
  ended(call: string): void {
    this.#running.delete(call);
    if (this.#running.size === 0) this.#stop();
  }

  /** Whether the journal that is called so can still end its calls. */
  isAlive(owner: string): boolean {
    return this.#client.lock(LEASE_PREFIX + owner) !== null;
  }

  /** Calls that have not ended are interrupted from now on. */
  close(): void {
    this.#stop();
    if (this.#client.open) this.#lock?.release();
    this.#lock = null;
  }

  #renew(): void {
    if (this.#lock?.heartbeat(TTL_SECONDS)) return;
    this.#lock = this.#client.tryLock(LEASE_PREFIX + this.owner, this.owner, TTL_SECONDS);
    if (this.#lock !== null) return;
    throw new StorageError("CONFLICT", `the lock of call journal "${this.owner}" is held`, {
      hint: `Let nobody else take locks that begin with "${LEASE_PREFIX}"`,
      details: { owner: this.owner },
    });
  }

  #schedule(delayMs: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (!this.#client.open) return;
      this.#schedule(this.#renewed() ? RENEW_MS : RETRY_MS);
    }, delayMs).unref();
  }

  #renewed(): boolean {
    // what is written inside somebody's open transaction could be rolled back
    if (this.#client.inTransaction) return false;
    try {
      this.#renew();
      return true;
    } catch (error) {
      this.#options.onError(error, `renewing the lease of call journal "${this.owner}"`);
      return false;
    }
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
