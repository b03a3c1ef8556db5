import type { Handle } from "../core/handle.ts";
import { requireName, requireNumber } from "../core/names.ts";
import { requireTransaction } from "../core/require-transaction.ts";
import type { Transaction } from "../core/transaction.ts";
import { HonkerError } from "../errors.ts";
import { acquireLock, isHeld, type LockInfo, releaseLock, renewLock } from "./lock-table.ts";

/** Longest time to live: ten years. */
const MAX_TTL_SECONDS = 315_360_000;

/** What {@link takeLock} is asked for. */
interface TakeLockOptions {
  readonly owner: string;
  readonly ttlSeconds: number;
  /** Whether a lock that `owner` already holds is taken over. */
  readonly takeOver: boolean;
}

/** Takes `name` if it is free; `null` when somebody holds it. @throws `INVALID_ARGUMENT`, `CLOSED` */
export function takeLock(handle: Handle, name: string, options: TakeLockOptions): Lock | null {
  const { owner, ttlSeconds, takeOver } = options;
  requireName(name, "name of a lock");
  requireName(owner, "owner of a lock");
  requireTtl(ttlSeconds);
  const info = acquireLock(handle.use(), { name, owner, ttlMs: ttlSeconds * 1_000, takeOver });
  return info === null ? null : new Lock(handle, info, ttlSeconds);
}

/**
 * A lock that was taken. It is a lease: after its time it is no longer held, even if nobody else took
 * it, so keep it alive with `heartbeat()` or use `withLock()`, which does. Made by `tryLock()`.
 */
export class Lock implements Disposable {
  readonly name: string;
  readonly owner: string;
  /**
   * Fencing token: larger than that of every earlier acquisition of this name, by whatever program, and
   * never given again. Send it along to other systems so that they can refuse a late writer.
   */
  readonly token: number;
  readonly #handle: Handle;
  readonly #ttlSeconds: number;
  #expiresAt: Date;
  #released = false;

  /** @internal Use `tryLock()`. */
  constructor(handle: Handle, info: LockInfo, ttlSeconds: number) {
    this.#handle = handle;
    this.name = info.name;
    this.owner = info.owner;
    this.token = info.token;
    this.#expiresAt = info.expiresAt;
    this.#ttlSeconds = ttlSeconds;
  }

  /** When the lock ends unless it is renewed, as of the last `heartbeat()` made here. */
  get expiresAt(): Date {
    return this.#expiresAt;
  }

  /** Whether `release()` was called here. */
  get released(): boolean {
    return this.#released;
  }

  /** Whether this acquisition still holds the lock now; reads the file. @throws `CLOSED` */
  get held(): boolean {
    return isHeld(this.#handle.use(), this);
  }

  /**
   * Throws when the lock is no longer held. Call it first inside a transaction: while that transaction
   * is open nobody else can take the lock, so what it writes is written by the holder or not at all.
   *
   * @param tx the transaction that must be open on this database; without it, whatever is open
   * @throws `LEASE_LOST`, `TRANSACTION_STATE` when `tx` has ended
   * @example
   * ```ts
   * db.transaction((tx) => {
   *   lock.assertHeld(tx);
   *   tx.execute("UPDATE leader SET seen = ?", [lock.token]);
   * });
   * ```
   */
  assertHeld(tx?: Transaction): void {
    const core = this.#handle.use();
    if (tx !== undefined) requireTransaction(core, tx, "Lock.assertHeld");
    if (!isHeld(core, this)) throw lockLost(this);
  }

  /**
   * Holds the lock for `ttlSeconds` from now, by default as long as it was taken for. False when it was
   * lost: its time was over, or somebody else took it.
   */
  heartbeat(ttlSeconds: number = this.#ttlSeconds): boolean {
    requireTtl(ttlSeconds);
    const expiresAt = renewLock(this.#handle.use(), this, ttlSeconds * 1_000);
    if (expiresAt === null) return false;
    this.#expiresAt = expiresAt;
    return true;
  }

  /** Frees the lock. False when it had already been lost, so that somebody else may have had it. */
  release(): boolean {
    const held = releaseLock(this.#handle.use(), this);
    this.#released = true;
    return held;
  }

  /** Releases the lock, unless its database is closed: then it ends with its time. */
  [Symbol.dispose](): void {
    try {
      this.release();
    } catch (error) {
      if (!(error instanceof HonkerError && error.code === "CLOSED")) throw error;
    }
  }
}

/** The error of work whose lock is gone. */
export function lockLost(lock: Lock): HonkerError {
  return new HonkerError(
    "LEASE_LOST",
    `lock "${lock.name}" is no longer held by "${lock.owner}" (token ${lock.token})`,
    {
      hint: "Stop the work it protected; take it with more ttlSeconds or renew it more often",
      details: { name: lock.name, owner: lock.owner, token: lock.token },
    },
  );
}

function requireTtl(ttlSeconds: number): void {
  requireNumber(ttlSeconds, "ttlSeconds of a lock", { min: 0.001, max: MAX_TTL_SECONDS });
}
