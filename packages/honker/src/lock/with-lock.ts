import { type Core, topics } from "../core/core.ts";
import type { Handle } from "../core/handle.ts";
import { handleWaiter } from "../core/handle-waiter.ts";
import { requireNumber } from "../core/names.ts";
import { HonkerError } from "../errors.ts";
import { closedError } from "../sqlite/sqlite-errors.ts";
import type { Waiter } from "../wake/wake.ts";
import { type Lock, lockLost, takeLock } from "./lock.ts";
import { defaultOwner } from "./lock-owner.ts";
import { readLock } from "./lock-table.ts";

/** Options of `withLock()`. */
export interface WithLockOptions {
  /**
   * Name of the holder, shown to those who wait. Default: host, process id and a random part. Two calls
   * exclude each other also when they give the same owner.
   */
  readonly owner?: string;
  /**
   * Seconds, default 30: how long others wait after this process was killed. It is renewed three times
   * as often while the work runs, so it does not limit the work.
   */
  readonly ttlSeconds?: number;
  /**
   * Milliseconds to wait for the lock, default without end. 0: fail at once when somebody holds it.
   */
  readonly waitMs?: number;
  /** Ends the wait; afterwards it aborts the signal that the work gets. */
  readonly signal?: AbortSignal;
}

/** Work done under a lock. `signal` is aborted when the lock is lost. */
export type LockedWork<T> = (lock: Lock, signal: AbortSignal) => T | Promise<T>;

/** Waits for a lock, runs `work` while renewing it, and releases it. See `Database.withLock`. */
export async function withLock<T>(
  handle: Handle,
  request: WithLockOptions & { readonly name: string },
  work: LockedWork<T>,
): Promise<T> {
  const core = handle.use();
  if (core.connection.inTransaction) {
    throw new HonkerError("TRANSACTION_STATE", "cannot wait for a lock inside a transaction", {
      hint: "Use tryLock(), which joins the transaction, or call withLock() outside of it",
    });
  }
  const lock = await waitForLock(handle, request);
  const ended = new AbortController();
  const lost = new AbortController();
  const waiter = handleWaiter(handle, topics.lock(lock.name));
  const kept = keep(core, lock, { waiter, ended: ended.signal, lost });
  const { signal } = request;
  let result: T;
  try {
    result = await work(
      lock,
      signal === undefined ? lost.signal : AbortSignal.any([signal, lost.signal]),
    );
  } catch (error) {
    ended.abort();
    await kept;
    lock[Symbol.dispose]();
    throw error;
  }
  ended.abort();
  await kept;
  if (lock.released) return result;
  if (!lock.release()) throw lockLost(lock);
  return result;
}

async function waitForLock(
  handle: Handle,
  request: WithLockOptions & { readonly name: string },
): Promise<Lock> {
  const { name, owner = defaultOwner(), ttlSeconds = 30, waitMs, signal } = request;
  if (waitMs !== undefined) requireNumber(waitMs, "waitMs", { min: 0 });
  signal?.throwIfAborted();
  const take = (): Lock | null => takeLock(handle, name, { owner, ttlSeconds, takeOver: false });
  const first = take();
  if (first !== null) return first;
  const core = handle.use();
  const deadline = performance.now() + (waitMs ?? Number.POSITIVE_INFINITY);
  const waiter = handleWaiter(handle, topics.lock(name));
  try {
    for (;;) {
      // a lock seen or taken inside somebody's open transaction could be rolled back with it
      const lock = waiter.held() ? null : take();
      if (lock !== null) return lock;
      const remainingMs = deadline - performance.now();
      const holder = readLock(core, name);
      if (remainingMs <= 0) throw lockHeld(name, holder);
      let timeoutMs = remainingMs;
      if (!waiter.held()) {
        const freeAt = holder?.expiresAt.getTime() ?? 0;
        timeoutMs = Math.min(remainingMs, freeAt - core.nowMs());
      }
      const reason = await waiter.wait({ signal, timeoutMs });
      if (reason === "aborted") signal?.throwIfAborted();
      if (reason === "closed") throw closedError(core.path);
    }
  } finally {
    waiter.close();
  }
}

interface Keeping {
  /** Woken when the lock is touched; closed here. */
  readonly waiter: Waiter;
  /** Aborted when the work has ended. */
  readonly ended: AbortSignal;
  /** To abort when the lock is lost. */
  readonly lost: AbortController;
}

/** Renews the lock at a third of its time, and looks whether it is still ours whenever it was touched. */
async function keep(core: Core, lock: Lock, { waiter, ended, lost }: Keeping): Promise<void> {
  const everyMs = (lock.expiresAt.getTime() - core.nowMs()) / 3;
  let renewAt = performance.now() + everyMs;
  try {
    for (;;) {
      const reason = await waiter.wait({ signal: ended, timeoutMs: renewAt - performance.now() });
      if (reason === "aborted" || lock.released) return;
      if (reason === "closed") return lost.abort(closedError(core.path));
      // inside somebody's open transaction a renewal could be rolled back: soon again
      if (waiter.held()) {
        renewAt = performance.now() + everyMs / 4;
        continue;
      }
      try {
        const held = reason === "timeout" ? lock.heartbeat() : lock.held;
        if (!held) return lost.abort(lockLost(lock));
        if (reason === "timeout") renewAt = performance.now() + everyMs;
      } catch (error) {
        // BUSY and the like: two thirds of the time are left to try again
        if (core.closed) return lost.abort(error);
        core.onError(error, `renewing lock "${lock.name}"`);
        renewAt = performance.now() + everyMs / 4;
      }
    }
  } finally {
    waiter.close();
  }
}

function lockHeld(name: string, holder: ReturnType<typeof readLock>): HonkerError {
  const who = holder === null ? "somebody else" : `"${holder.owner}"`;
  const until = holder === null ? "just now" : `until ${holder.expiresAt.toISOString()}`;
  return new HonkerError("LOCK_HELD", `lock "${name}" is held by ${who} ${until}`, {
    hint: "Wait longer (waitMs), or do without the lock",
    details: { name, owner: holder?.owner ?? null, until: holder?.expiresAt.toISOString() ?? null },
  });
}
