import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Database, open } from "@alkdev/honker";
import { tempDatabase } from "@alkdev/testkit";
import BetterSqlite3 from "better-sqlite3";
import { drizzle } from "drizzle-honker";
import { type DrizzleConfig, sql } from "drizzle-orm";
import { drizzle as official } from "drizzle-orm/better-sqlite3";
import type { BaseSQLiteDatabase } from "drizzle-orm/sqlite-core";
import { beforeAll, expect, it, onTestFinished } from "vitest";
import { DDL, schema } from "./schema.ts";

/** What both drivers offer. */
export type AnyDb = BaseSQLiteDatabase<
  "sync",
  { changes: number; lastInsertRowid: number | bigint },
  typeof schema
>;

type Options = Pick<DrizzleConfig<typeof schema>, "casing" | "logger">;

/** A fresh file with the test schema under this driver. */
export function ours(options: Options = {}) {
  return withHonker(tempDatabase(), options);
}

/** The same under drizzle-orm/better-sqlite3, in memory. */
export function theirs(options: Options = {}) {
  const client = new BetterSqlite3(":memory:");
  onTestFinished(() => void client.close());
  return withBetterSqlite3(client, options);
}

function withHonker(client: Database, options: Options = {}) {
  client.transaction((tx) => {
    for (const statement of DDL) tx.execute(statement);
  });
  return drizzle(client, { schema, ...options });
}

function withBetterSqlite3(client: BetterSqlite3.Database, options: Options = {}) {
  client.pragma("foreign_keys = ON");
  for (const statement of DDL) client.exec(statement);
  return official(client, { schema, ...options });
}

interface Driver {
  readonly driver: string;
  readonly make: (options?: Options) => AnyDb & { readonly $client: { close(): unknown } };
}

const drivers: readonly Driver[] = [
  { driver: "drizzle-honker", make: ours },
  { driver: "drizzle-orm/better-sqlite3", make: theirs },
];

/**
 * One case that both drivers must answer alike, and with `expected`. The cases of a file share one
 * database per driver; each runs in a transaction that is rolled back.
 */
export function same(name: string, run: (db: AnyDb) => unknown, expected: unknown): void {
  it(name, async () => {
    for (const { driver } of drivers) {
      const db = shared.get(driver) as AnyDb;
      db.run(sql`begin`);
      try {
        const result = await run(db);
        expect(result, driver).toEqual(expected);
        // toEqual does not look at the order of keys, users of JSON do
        expect(keysOf(result), `key order of ${driver}`).toEqual(keysOf(expected));
      } finally {
        db.run(sql`rollback`);
      }
    }
  });
}

const shared = new Map<string, AnyDb>();

/** Opens the databases of {@link same}; call it once in a file. */
export function shareDatabases(): void {
  beforeAll(() => {
    const folder = mkdtempSync(join(tmpdir(), "alkdev-"));
    const client = open(join(folder, "shared.db"));
    const peer = new BetterSqlite3(":memory:");
    shared.set("drizzle-honker", withHonker(client));
    shared.set("drizzle-orm/better-sqlite3", withBetterSqlite3(peer));
    return () => {
      client.close();
      peer.close();
      rmSync(folder, { recursive: true, force: true });
    };
  });
}

function keysOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(keysOf);
  if (value === null || typeof value !== "object") return undefined;
  if (value instanceof Uint8Array || value instanceof Date) return undefined;
  return Object.entries(value).map(([key, inner]) => [key, keysOf(inner)]);
}
