// Honker's own Node binding, used the way its official JS wrapper does: every call is one IMMEDIATE
// transaction with one `SELECT honker_…(…)`, and waiting is `updateEvents()`.
import { createRequire } from "node:module";
import { sleep } from "./clock.ts";

export interface NativeTransaction {
  query(sql: string, params?: readonly unknown[]): Record<string, unknown>[];
  execute(sql: string, params?: readonly unknown[]): unknown;
  notify(channel: string, payload: unknown): unknown;
  commit(): void;
  rollback(): void;
}

interface NativeEvents {
  next(): Promise<unknown>;
  close(): void;
}

export interface NativeDatabase {
  transaction(): NativeTransaction;
  query(sql: string, params?: readonly unknown[]): Record<string, unknown>[];
  updateEvents(): NativeEvents;
  close(): void;
}

interface NativeBinding {
  open(path: string, maxReaders?: number): NativeDatabase;
}

/** Only processes that measure Honker load it: it brings a SQLite of its own. */
function binding(): NativeBinding {
  return createRequire(import.meta.url)(
    "@russellthehippo/honker-node-linux-x64-gnu",
  ) as NativeBinding;
}

const READERS = 8;

export function open(path: string, full = false): NativeDatabase {
  const db = binding().open(path, READERS);
  if (full) setFull(db);
  return db;
}

/** The binding has no option for it, so the writer is reached by stepping out of a transaction. */
function setFull(db: NativeDatabase): void {
  const tx = db.transaction();
  tx.execute("COMMIT");
  tx.query("PRAGMA synchronous = FULL");
  tx.execute("BEGIN IMMEDIATE");
  const level = scalar(tx.query("PRAGMA synchronous"));
  tx.commit();
  if (level !== 2) throw new Error("synchronous FULL was not set");
}

export function scalar(rows: readonly Record<string, unknown>[]): unknown {
  return Object.values(rows[0] ?? {})[0];
}

export function call(db: NativeDatabase, sql: string, params: readonly unknown[]): unknown {
  const tx = db.transaction();
  try {
    const value = scalar(tx.query(sql, params));
    tx.commit();
    return value;
  } catch (error) {
    tx.rollback();
    throw error;
  }
}

/** One pending native wait, raced against a timer. */
export class Updates {
  readonly #events: NativeEvents;
  #pending: Promise<void> | undefined;

  constructor(db: NativeDatabase) {
    this.#events = db.updateEvents();
  }

  async wait(ms: number): Promise<void> {
    const done = (): void => {
      this.#pending = undefined;
    };
    this.#pending ??= this.#events.next().then(done, done);
    await Promise.race([this.#pending, sleep(Math.max(0, ms))]);
  }

  close(): void {
    this.#events.close();
  }
}
