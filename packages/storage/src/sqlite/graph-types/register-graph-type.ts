import { StorageError } from "../../errors.ts";
import { type AnyModule, moduleToDbSchema, planEvolution } from "../../graphs/index.ts";
import type { SystemDatabase, TenantDatabase } from "../client.ts";
import { readGraphType, type StoredGraphType } from "./read-graph-type.ts";
import { writeGraphType } from "./write-graph-type.ts";

/** Whose graph type it is. */
export interface RegisterGraphTypeOptions {
  /** Default `tenant`: of the organisation. `user`: of one user. */
  readonly scope?: "tenant" | "user";
}

/**
 * Stores a Module as a graph type, so that graphs of it can be created. Doing it again changes nothing;
 * with a Module that was changed in an additive way the stored type is brought up to it.
 *
 * @returns the graph type as it is stored now
 * @throws StorageError `READ_ONLY` for the name of a system graph type, `BREAKING_CHANGE` where stored
 * data has to be looked at or migrated first, `INVALID_MODULE`, `INVALID_ARGUMENT`
 * @example
 * ```ts
 * registerGraphType(db, TaskGraph);
 * createGraphStore(db).createGraph({ type: "task_graph", name: "Release" });
 * ```
 */
export function registerGraphType(
  db: SystemDatabase | TenantDatabase,
  module: AnyModule,
  { scope = "tenant" }: RegisterGraphTypeOptions = {},
): StoredGraphType {
  if (scope !== "tenant" && scope !== "user") {
    const given = String(scope);
    throw new StorageError("INVALID_ARGUMENT", `scope "${given}" is not "tenant" or "user"`, {
      hint: "System graph types are given to createTenantDatabase as systemModules",
    });
  }
  const client = db.$client;
  const schema = moduleToDbSchema(module);
  const ref = { name: schema.graphType.name };
  let registered: StoredGraphType | null = null;
  client.transaction((tx) => {
    const stored = readGraphType(client, ref);
    if (mustBeWritten(stored, module)) {
      writeGraphType(tx, schema, { scope: stored?.scope ?? scope, stored });
    }
    registered = readGraphType(client, ref);
  });
  return registered as unknown as StoredGraphType;
}

function mustBeWritten(stored: StoredGraphType | null, module: AnyModule): boolean {
  if (stored === null) return true;
  const { name } = stored.graphType;
  if (stored.scope === "system") {
    throw new StorageError("READ_ONLY", `"${name}" is the name of a system graph type`, {
      hint: "Give the Module another name",
      details: { graphType: name },
    });
  }
  const plan = planEvolution(stored, module);
  switch (plan.action) {
    case "nothing":
      return false;
    case "project":
      return true;
    default:
      throw new StorageError(
        "BREAKING_CHANGE",
        plan.refusal ??
          `stored data of graph type "${name}" must be looked at before it can change`,
        {
          hint: "Bring the data to the new Module with evolveGraphType",
          details: { graphType: name, action: plan.action, types: plan.types },
        },
      );
  }
}
