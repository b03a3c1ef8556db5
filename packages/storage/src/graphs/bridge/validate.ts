import { StorageError } from "../../errors.ts";
import type {
  AnyModule,
  EdgeEntryOf,
  EntryOf,
  ModuleInfo,
  NodeEntryOf,
} from "../modules/graph-module.ts";
import { readEntries } from "../modules/read-entries.ts";
import {
  type SchemaValidator,
  schemaValidator,
  type ValidationIssue,
} from "../schema/validator.ts";
import { entrySchema } from "./module-to-db-schema.ts";

/**
 * True where `data` fits the node type `entryName` of the Module, named as in the Module: `CallNode`.
 *
 * @throws StorageError `UNKNOWN_ENTRY` where the Module has no such node type.
 *
 * @example
 * ```ts
 * validateNode(CallGraph, "CallNode", { requestId: "r-1", operationId: "fs.read", status: "pending" }); // true
 * ```
 */
export function validateNode<Module extends AnyModule, Name extends NodeEntryOf<Module>>(
  module: Module,
  entryName: Name,
  data: unknown,
): data is EntryOf<Module, Name> {
  return entryValidator(module, entryName, "node").check(data);
}

/**
 * True where `data` fits the edge type `entryName` of the Module: `TriggeredEdge`.
 *
 * @throws StorageError `UNKNOWN_ENTRY` where the Module has no such edge type.
 */
export function validateEdge<Module extends AnyModule, Name extends EdgeEntryOf<Module>>(
  module: Module,
  entryName: Name,
  data: unknown,
): data is EntryOf<Module, Name> {
  return entryValidator(module, entryName, "edge").check(data);
}

/**
 * Everything about `data` that does not fit the node type, by path; empty where {@link validateNode} is
 * true.
 *
 * @throws StorageError `UNKNOWN_ENTRY`.
 */
export function nodeErrors<Module extends AnyModule>(
  module: Module,
  entryName: NodeEntryOf<Module>,
  data: unknown,
): readonly ValidationIssue[] {
  return entryValidator(module, entryName, "node").errors(data);
}

/**
 * Everything about `data` that does not fit the edge type, by path.
 *
 * @throws StorageError `UNKNOWN_ENTRY`.
 */
export function edgeErrors<Module extends AnyModule>(
  module: Module,
  entryName: EdgeEntryOf<Module>,
  data: unknown,
): readonly ValidationIssue[] {
  return entryValidator(module, entryName, "edge").errors(data);
}

/** An `INVALID_ATTRIBUTES` error that lists every issue; `subject` says what was checked: `node "r-1"`. */
export function invalidAttributes(
  subject: string,
  issues: readonly ValidationIssue[],
): StorageError {
  const listed = issues.slice(0, 5).map(({ path, message }) => `${path || "/"} ${message}`);
  const more = issues.length > listed.length ? `, and ${issues.length - listed.length} more` : "";
  return new StorageError(
    "INVALID_ATTRIBUTES",
    `${subject} does not fit its type: ${listed.join(", ")}${more}`,
    { details: { issues } },
  );
}

const validators = new WeakMap<AnyModule, Map<string, SchemaValidator>>();

function entryValidator(
  module: AnyModule,
  entry: PropertyKey,
  kind: "node" | "edge",
): SchemaValidator {
  const key = `${kind} ${String(entry)}`;
  const known = validators.get(module)?.get(key);
  if (known !== undefined) return known;
  const validator = schemaValidator(findSchema(module, String(entry), kind));
  const ofModule = validators.get(module) ?? new Map<string, SchemaValidator>();
  validators.set(module, ofModule.set(key, validator));
  return validator;
}

function findSchema(
  module: AnyModule & Partial<ModuleInfo>,
  entry: string,
  kind: "node" | "edge",
): Readonly<Record<string, unknown>> {
  const name = module.name ?? "(unnamed)";
  const { nodes, edges, all } = readEntries(module, name);
  const entries = kind === "node" ? nodes : edges;
  if (!entries.some((known) => known.entry === entry)) {
    const names = entries.map((known) => known.entry);
    throw new StorageError("UNKNOWN_ENTRY", `Module "${name}" has no ${kind} type "${entry}"`, {
      hint: names.length === 0 ? `It has no ${kind} types` : `It has ${names.join(", ")}`,
      details: { module: name, entry, kind },
    });
  }
  return entrySchema({ module: name, entry, all });
}
