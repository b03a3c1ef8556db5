// Drizzle on libsql. Its driver-core takes a client and needs no package of its own.
import { createClient } from "@libsql/client";
import * as core from "drizzle-orm/libsql/driver-core";
import type { AnyDrizzle, OpenDriver } from "../harness/driver-peer.ts";
import { PRAGMAS, PRAGMAS_TEXT, schema } from "../harness/driver-schema.ts";
import { SQLITE_NORMAL } from "../harness/durability.ts";
import type { Peer } from "../harness/peer.ts";

/** Exported, but left out of its types. */
const { construct } = core as unknown as {
  construct(client: unknown, config: object): AnyDrizzle;
};

async function open(file: string): Promise<OpenDriver> {
  const client = createClient({ url: `file:${file}`, concurrency: 1 });
  for (const pragma of PRAGMAS) await client.execute(`PRAGMA ${pragma}`);
  return {
    db: construct(client, { schema }),
    script: (sql) => client.executeMultiple(sql),
    close: () => client.close(),
  };
}

export const peers: readonly Peer[] = [
  {
    id: "drizzle-libsql",
    settings: `drizzle-orm 0.45.4 on @libsql/client 0.18.0, file:, promises, concurrency 1 so that the pragmas hold; ${PRAGMAS_TEXT}`,
    ...SQLITE_NORMAL,
    driver: { sync: false, open },
  },
];
