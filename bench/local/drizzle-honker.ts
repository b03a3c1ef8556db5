// The driver under test.
import { drizzle } from "drizzle-honker";
import type { AnyDrizzle, OpenDriver } from "../harness/driver-peer.ts";
import { PRAGMAS_TEXT, schema } from "../harness/driver-schema.ts";
import { SQLITE_NORMAL } from "../harness/durability.ts";
import type { Peer } from "../harness/peer.ts";

function open(file: string): OpenDriver {
  const db = drizzle(file, { schema });
  return {
    db: db as unknown as AnyDrizzle,
    script(sql) {
      // the engine takes one statement at a time
      for (const statement of sql.split(";")) {
        if (statement.trim() !== "") db.run(statement);
      }
    },
    close: () => db.$client.close(),
  };
}

export const peers: readonly Peer[] = [
  {
    id: "drizzle-honker",
    settings: `drizzle-orm 0.45.4 on @alkdev/honker; its defaults: ${PRAGMAS_TEXT}`,
    ours: true,
    ...SQLITE_NORMAL,
    driver: { sync: true, open },
  },
];
