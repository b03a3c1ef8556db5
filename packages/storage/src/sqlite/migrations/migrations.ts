import { ACL_INDEXES } from "./acl-indexes.ts";
import { AUTH } from "./auth.ts";
import { CALL_JOURNAL } from "./call-journal.ts";
import { CALL_PROJECTION } from "./call-projection.ts";
import { CROSS_TENANT } from "./cross-tenant.ts";
import { FLEET } from "./fleet.ts";
import { IDENTITY_INVARIANTS } from "./identity-invariants.ts";
import { IDENTITY_TABLES } from "./identity-tables.ts";
import { METAGRAPH_GRAPHS } from "./metagraph-graphs.ts";
import { METAGRAPH_TYPES } from "./metagraph-types.ts";
import type { DatabaseKind, Migration } from "./migration.ts";
import { STORAGE_STATE } from "./storage-state.ts";
import { SYSTEM_TYPES_READ_ONLY } from "./system-types-read-only.ts";
import { TENANTS } from "./tenants.ts";

/** The schema's history for each kind of database. */
export const MIGRATIONS: Readonly<Record<DatabaseKind, readonly Migration[]>> = {
  system: [
    { version: 1, name: "metagraph-types", statements: [...STORAGE_STATE, ...METAGRAPH_TYPES] },
    { version: 2, name: "identity", statements: [...IDENTITY_TABLES, ...IDENTITY_INVARIANTS] },
    { version: 3, name: "tenants", statements: TENANTS },
    { version: 4, name: "auth", statements: AUTH },
    { version: 5, name: "fleet", statements: FLEET },
    { version: 6, name: "call-journal", statements: CALL_JOURNAL },
  ],
  tenant: [
    {
      version: 1,
      name: "metagraph",
      statements: [
        ...STORAGE_STATE,
        ...METAGRAPH_TYPES,
        ...METAGRAPH_GRAPHS,
        ...SYSTEM_TYPES_READ_ONLY,
      ],
    },
    { version: 2, name: "acl-indexes", statements: ACL_INDEXES, deferrable: true },
    { version: 3, name: "call-projection", statements: CALL_PROJECTION },
    { version: 4, name: "cross-tenant", statements: CROSS_TENANT },
    { version: 5, name: "call-journal", statements: CALL_JOURNAL },
  ],
};
