import type { Database, Lock } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import { type AnyModule, type EvolutionPlan, moduleToDbSchema } from "../../graphs/index.ts";
import type { EvolveSettings } from "./evolution-options.ts";
import { readGraphType, type StoredGraphType } from "./read-graph-type.ts";

/** What the parts of one evolution share. */
export interface EvolutionRun {
  readonly client: Database;
  readonly stored: StoredGraphType;
  readonly plan: EvolutionPlan;
  readonly settings: EvolveSettings;
  readonly lock: Lock;
  readonly signal: AbortSignal;
}

/** The stored type of a Module. @throws StorageError `NOT_FOUND` */
export function requireGraphType(client: Database, module: AnyModule): StoredGraphType {
  const { name } = moduleToDbSchema(module).graphType;
  const stored = readGraphType(client, { name });
  if (stored !== null) return stored;
  throw new StorageError("NOT_FOUND", `graph type "${name}" is not stored in this file`, {
    hint: "Register it first",
    details: { graphType: name, path: client.path },
  });
}
