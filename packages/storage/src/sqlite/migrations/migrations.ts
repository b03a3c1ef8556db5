import { METAGRAPH_GRAPHS } from "./metagraph-graphs.ts";
import { METAGRAPH_TYPES } from "./metagraph-types.ts";
import type { DatabaseKind, Migration } from "./migration.ts";

/** The schema's history for each kind of database. */
export const MIGRATIONS: Readonly<Record<DatabaseKind, readonly Migration[]>> = {
  system: [{ version: 1, name: "metagraph-types", statements: METAGRAPH_TYPES }],
  tenant: [
    { version: 1, name: "metagraph", statements: [...METAGRAPH_TYPES, ...METAGRAPH_GRAPHS] },
  ],
};
