// The work that all servers do: one row of one table, written or read, for a caller whose key is known.
import { createHash } from "node:crypto";
import type { Database } from "@alkdev/honker";

export const KEY = "bench-key-of-a-caller-that-is-known";
const hashOf = (key: string): string => createHash("sha256").update(key).digest("hex");

export interface Notes {
  /** Whether somebody has this key: one look-up by hash. */
  knows(authorization: string | undefined): boolean;
  add(text: string): { id: number };
  get(id: number): { id: number; text: string } | null;
}

/** The table, and the statements a careful hand would prepare. */
export function openNotes(db: Database): Notes {
  db.execute("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)");
  db.execute("CREATE TABLE IF NOT EXISTS callers (hash TEXT PRIMARY KEY) WITHOUT ROWID");
  db.prepare("INSERT OR IGNORE INTO callers VALUES (?)").run([hashOf(KEY)]);
  const known = db.prepare("SELECT 1 FROM callers WHERE hash = ?");
  const insert = db.prepare("INSERT INTO notes (text) VALUES (?) RETURNING id");
  const select = db.prepare("SELECT id, text FROM notes WHERE id = ?");
  return {
    knows: (authorization) =>
      authorization?.startsWith("Bearer ") === true &&
      known.row([hashOf(authorization.slice(7))]) !== undefined,
    add: (text) => ({ id: insert.row([text])?.[0] as number }),
    get: (id) => {
      const row = select.row([id]);
      return row === undefined ? null : { id: row[0] as number, text: row[1] as string };
    },
  };
}
