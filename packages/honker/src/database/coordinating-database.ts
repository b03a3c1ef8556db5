import { type Lock, takeLock } from "../lock/lock.ts";
import { type LockInfo, readLock, readLocks, releaseLock } from "../lock/lock-table.ts";
import { type LockedWork, type WithLockOptions, withLock } from "../lock/with-lock.ts";
import { sweepRateLimits, tryRateLimit } from "../rate-limit/rate-limit.ts";
import type { RateLimitOptions, RateLimitResult } from "../rate-limit/rate-limit-options.ts";
import { Scheduler } from "../schedule/scheduler.ts";
import { MessagingDatabase } from "./messaging-database.ts";

/** Locks, schedules and rate limits of a {@link Database}. */
export class CoordinatingDatabase extends MessagingDatabase {
  #scheduler: Scheduler | undefined;

  /**
   * Takes the lock `name` for `ttlSeconds`, or returns `null` when somebody else holds it. Inside a
   * transaction it is taken when that commits. An owner who already holds it takes it over: the new
   * {@link Lock} is valid, the earlier one is lost. So give every holder an owner of its own.
   *
   * @throws `INVALID_ARGUMENT`, `CLOSED`
   * @example
   * ```ts
   * const lock = db.tryLock("scheduler-leader", "hub-instance-1", 30);
   * if (lock !== null) setInterval(() => lock.heartbeat(), 10_000);
   * ```
   */
  tryLock(name: string, owner: string, ttlSeconds: number): Lock | null {
    return takeLock(this.handle, name, { owner, ttlSeconds, takeOver: true });
  }

  /**
   * Waits for the lock `name`, runs `work` while renewing the lock, and releases it. The signal that
   * `work` gets is aborted when the lock is lost or `options.signal` is aborted.
   *
   * @throws `LOCK_HELD` with who and until when, after `waitMs`; `LEASE_LOST` when the lock was lost
   * while `work` ran; the reason of `options.signal`; whatever `work` throws; `TRANSACTION_STATE`
   * @example
   * ```ts
   * await db.withLock("reindex", { waitMs: 0 }, async (lock, signal) => {
   *   for (const page of pages) {
   *     signal.throwIfAborted();
   *     db.transaction((tx) => {
   *       lock.assertHeld(tx);
   *       index(page);
   *     });
   *   }
   * });
   * ```
   */
  withLock<T>(name: string, options: WithLockOptions, work: LockedWork<T>): Promise<T> {
    return withLock(this.handle, { ...options, name }, work);
  }

  /** Who holds the lock `name`, and until when; `null` when it is free. */
  lock(name: string): LockInfo | null {
    return readLock(this.use(), name);
  }

  /** Every lock that is held now, by name. */
  locks(): LockInfo[] {
    return readLocks(this.use());
  }

  /**
   * Ends a lock that somebody else holds, for operators: its holder learns it with the next heartbeat, and
   * its fencing token is refused from now on. False where this acquisition is no longer the holder.
   *
   * @param lock as `lock()` or `locks()` showed it
   * @throws `CLOSED`
   */
  releaseLock(lock: Pick<LockInfo, "name" | "owner" | "token">): boolean {
    return releaseLock(this.use(), lock);
  }

  /**
   * The schedules of this file: at each slot of a cron expression, a job in a queue.
   *
   * @example
   * ```ts
   * const scheduler = db.scheduler();
   * scheduler.add("retention-cleanup", "0 3 * * *", { queue: "maintenance" });
   * scheduler.start();
   * ```
   */
  scheduler(): Scheduler {
    this.use();
    this.#scheduler ??= new Scheduler(this.handle);
    return this.#scheduler;
  }

  /**
   * Takes one from the limit `name`: at most `limit` per window of `perSeconds`, windows beginning at
   * multiples of it, as Honker counts. Inside a transaction it is given back when that rolls back.
   *
   * @throws `INVALID_ARGUMENT`, `CLOSED`
   */
  tryRateLimit(name: string, limit: number, perSeconds: number): boolean;
  /**
   * Takes `cost` from the limit `name`, by default never more than `limit` in any `perSeconds`, and says
   * how much is left and how long to wait.
   *
   * @example
   * ```ts
   * const { allowed, retryAfterMs } = db.tryRateLimit(`login:${ip}`, { limit: 5, perSeconds: 60 });
   * if (!allowed) response.setHeader("retry-after", Math.ceil(retryAfterMs / 1_000));
   * ```
   */
  tryRateLimit(name: string, options: RateLimitOptions): RateLimitResult;
  tryRateLimit(
    name: string,
    limit: number | RateLimitOptions,
    perSeconds?: number,
  ): boolean | RateLimitResult {
    if (typeof limit === "object") return tryRateLimit(this.use(), name, limit);
    const options = { limit, perSeconds: perSeconds as number, algorithm: "fixed" } as const;
    return tryRateLimit(this.use(), name, options).allowed;
  }

  /**
   * Deletes windows that began more than `olderThanSeconds` ago. Those used through this library go away
   * by themselves; this is for rows of Honker's own function. Returns how many rows were deleted.
   */
  sweepRateLimits(olderThanSeconds: number): number {
    return sweepRateLimits(this.use(), olderThanSeconds);
  }
}
