import { hostname } from "node:os";
import type { Database, Lock } from "@alkdev/honker";
import { HonkerError } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import { uuidV7 } from "../uuid-v7.ts";

/** How long a process of another machine, or a frozen one, keeps a tenant locked. */
const TTL_SECONDS = 30;

/**
 * Runs `work` while this call alone may change the tenant, here and in other processes.
 *
 * @throws {@link StorageError} `TENANT_BUSY`
 */
export function whileLocked<T>(client: Database, orgId: string, work: (lock: Lock) => T): T {
  const name = lockName(orgId);
  releaseDead(client, name);
  using lock = client.tryLock(name, newOwner(), TTL_SECONDS);
  if (lock === null) throw busy(client, orgId);
  return work(lock);
}

/**
 * As {@link whileLocked}, for work that takes time: the lock is renewed while it runs. The signal is
 * aborted when it is lost all the same, and when `signal` is.
 *
 * @throws {@link StorageError} `TENANT_BUSY`
 */
export async function whileLockedAsync<T>(
  client: Database,
  orgId: string,
  options: {
    readonly signal?: AbortSignal | undefined;
    readonly work: (lock: Lock, signal: AbortSignal) => Promise<T>;
  },
): Promise<T> {
  const { signal, work } = options;
  const name = lockName(orgId);
  signal?.throwIfAborted();
  releaseDead(client, name);
  const request = { owner: newOwner(), ttlSeconds: TTL_SECONDS, waitMs: 0 };
  try {
    return await client.withLock(
      name,
      signal === undefined ? request : { ...request, signal },
      work,
    );
  } catch (error) {
    if (error instanceof HonkerError && error.code === "LOCK_HELD") {
      throw busy(client, orgId, error);
    }
    throw error;
  }
}

function lockName(orgId: string): string {
  return `tenant:${orgId}`;
}

function newOwner(): string {
  return `${hostname()}:${process.pid}:${uuidV7()}`;
}

/**
 * Frees the lock of a process of this machine that is no more, without waiting for its time to end. If
 * it is alive after all (another namespace of process ids), fencing keeps it from finishing.
 */
function releaseDead(client: Database, name: string): void {
  const holder = client.lock(name);
  if (holder === null) return;
  const [host, pid] = holder.owner.split(":");
  if (host !== hostname() || isAlive(Number(pid))) return;
  client.tryLock(name, holder.owner, TTL_SECONDS)?.release();
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

function busy(client: Database, orgId: string, cause?: unknown): StorageError {
  const holder = client.lock(lockName(orgId));
  const who = holder === null ? "" : ` by "${holder.owner}"`;
  return new StorageError(
    "TENANT_BUSY",
    `another operation on tenant "${orgId}" is being done${who}`,
    {
      hint: "Try again when it is over",
      details: { orgId, owner: holder?.owner ?? null },
      ...(cause === undefined ? {} : { cause }),
    },
  );
}
