import { type Core, topics } from "../core/core.ts";

/** One held lock, as anybody can see it. */
export interface LockInfo {
  readonly name: string;
  readonly owner: string;
  /** Grows with every acquisition; never given twice in one file. */
  readonly token: number;
  readonly expiresAt: Date;
}

/** The row of a lock that its holder speaks of. */
interface LockKey {
  readonly name: string;
  readonly owner: string;
  readonly token: number;
}

/** What {@link acquireLock} is asked for. */
interface LockRequest {
  readonly name: string;
  readonly owner: string;
  readonly ttlMs: number;
  /** Whether a lock that this owner already holds is taken over. */
  readonly takeOver: boolean;
}

// Honker's seconds are rounded up, so that its own functions never free a lock before we do
const EXPIRES_AT_MS = "coalesce(a.expires_at_ms, l.expires_at * 1000)";
const HELD = `SELECT l.name, l.owner, a.token, ${EXPIRES_AT_MS} FROM _honker_locks l
  JOIN _alk_locks a ON a.name = l.name WHERE ${EXPIRES_AT_MS} > ?`;
const HELD_ONE = `${HELD} AND l.name = ?`;
const HELD_ALL = `${HELD} ORDER BY l.name`;
const TAKEN_HERE = "SELECT 1 FROM _alk_locks WHERE name = ? AND expires_at_ms IS NOT NULL";
const FREE = `DELETE FROM _honker_locks WHERE name = ? AND ((? AND owner = ?) OR coalesce(
  (SELECT a.expires_at_ms FROM _alk_locks a WHERE a.name = _honker_locks.name),
  expires_at * 1000) <= ?)`;
const INSERT = "INSERT OR IGNORE INTO _honker_locks (name, owner, expires_at) VALUES (?, ?, ?)";
const STAMP = "UPDATE _alk_locks SET expires_at_ms = ? WHERE name = ? RETURNING token";
const RENEW = "UPDATE _honker_locks SET expires_at = ? WHERE name = ?";
const RELEASE = `DELETE FROM _honker_locks WHERE name = ? AND owner = ?
  AND name IN (SELECT name FROM _alk_locks WHERE token = ?)`;

/** Who holds `name` now; `null` when nobody does or the time of the holder is over. */
export function readLock(core: Core, name: string): LockInfo | null {
  const row = core.prepare(HELD_ONE).row([core.nowMs(), name]);
  return row === undefined ? null : lockInfo(row);
}

/** All locks that are held now, by name. */
export function readLocks(core: Core): LockInfo[] {
  return core.prepare(HELD_ALL).rows([core.nowMs()]).map(lockInfo);
}

/** Whether the holder of `name`, if any, took it through this library rather than through Honker. */
export function lockTakenHere(core: Core, name: string): boolean {
  return core.prepare(TAKEN_HERE).row([name]) !== undefined;
}

/** Takes a lock that is free; `null` when it is not. */
export function acquireLock(core: Core, request: LockRequest): LockInfo | null {
  const { name, owner, ttlMs, takeOver } = request;
  const isFree = (): boolean => {
    const holder = readLock(core, name);
    return holder === null || (takeOver && holder.owner === owner);
  };
  // a look first: a lock that is held costs no write lock
  if (!isFree()) return null;
  return core.transaction(() => {
    const now = core.nowMs();
    const expiresAtMs = Math.ceil(now + ttlMs);
    core.prepare(FREE).run([name, takeOver, owner, now]);
    const expiresAt = Math.ceil(expiresAtMs / 1_000);
    if (core.prepare(INSERT).run([name, owner, expiresAt]).changes === 0) return null;
    const token = Number(core.prepare(STAMP).row([expiresAtMs, name])?.[0]);
    core.touch(topics.lock(name));
    return { name, owner, token, expiresAt: new Date(expiresAtMs) };
  });
}

/** Whether the acquisition `key` speaks of is still the holder, and in time. */
export function isHeld(core: Core, key: LockKey): boolean {
  const holder = readLock(core, key.name);
  return holder !== null && holder.token === key.token && holder.owner === key.owner;
}

/** Holds the lock for `ttlMs` from now. Returns the new expiry, or `null` when it was lost. */
export function renewLock(core: Core, key: LockKey, ttlMs: number): Date | null {
  return core.transaction(() => {
    if (!isHeld(core, key)) return null;
    const expiresAtMs = Math.ceil(core.nowMs() + ttlMs);
    core.prepare(RENEW).run([Math.ceil(expiresAtMs / 1_000), key.name]);
    core.prepare(STAMP).row([expiresAtMs, key.name]);
    return new Date(expiresAtMs);
  });
}

/** Frees the lock. False when it was already lost; a row that is still ours is removed all the same. */
export function releaseLock(core: Core, key: LockKey): boolean {
  return core.transaction(() => {
    const held = isHeld(core, key);
    const { changes } = core.prepare(RELEASE).run([key.name, key.owner, key.token]);
    if (changes > 0) core.touch(topics.lock(key.name));
    return held;
  });
}

function lockInfo([name, owner, token, expiresAtMs]: readonly unknown[]): LockInfo {
  return {
    name: String(name),
    owner: String(owner),
    token: Number(token),
    expiresAt: new Date(Number(expiresAtMs)),
  };
}
