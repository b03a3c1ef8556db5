// Drizzle's own better-sqlite3 driver and the bare driver; drizzle-honker is in alkdev.ts.
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import type { AnyDrizzle, OpenDriver, OpenRaw } from "../harness/driver-peer.ts";
import { PRAGMAS, PRAGMAS_TEXT, schema } from "../harness/driver-schema.ts";
import { SQLITE_NORMAL } from "../harness/durability.ts";
import type { Peer } from "../harness/peer.ts";

function opened(file: string): Database.Database {
  const client = new Database(file);
  for (const pragma of PRAGMAS) client.pragma(pragma);
  return client;
}

function open(file: string): OpenDriver {
  const client = opened(file);
  return {
    db: drizzle(client, { schema }) as unknown as AnyDrizzle,
    script: (sql) => client.exec(sql),
    close: () => client.close(),
  };
}

function openRaw(file: string): OpenRaw {
  const client = opened(file);
  return {
    script: (sql) => client.exec(sql),
    rows(sql) {
      const statement = client.prepare(sql).raw();
      return (...params) => statement.all(...params) as unknown[][];
    },
    run(sql) {
      const statement = client.prepare(sql);
      return (...params) => statement.run(...params);
    },
    close: () => client.close(),
  };
}

export const peers: readonly Peer[] = [
  {
    id: "drizzle-better-sqlite3",
    settings: `drizzle-orm 0.45.4 on better-sqlite3 13.2.0; ${PRAGMAS_TEXT}`,
    ...SQLITE_NORMAL,
    driver: { sync: true, open },
  },
  {
    id: "better-sqlite3",
    settings: `better-sqlite3 13.2.0 without Drizzle: prepared once, rows as arrays; ${PRAGMAS_TEXT}`,
    ...SQLITE_NORMAL,
    floor: true,
    driver: { sync: true, openRaw },
  },
];
