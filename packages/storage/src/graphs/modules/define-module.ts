import { type TProperties, Type } from "@sinclair/typebox";

import { StorageError } from "../../errors.ts";
import type { AnyModule, GraphModule, ModuleInfo } from "./graph-module.ts";
import { readEntries } from "./read-entries.ts";

const MODULE_NAME = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;
/** The lowest stable version: 0 and 1 are left to stores written before there was a version. */
const FIRST_VERSION = 2;

/**
 * A graph type as a TypeBox Module: `Type.Module(entries)` with a name and a version.
 *
 * Entries are known by their names: `Config` (see {@link graphConfig}), `*Node`, `*Edge`,
 * `*EdgeConstraints` (see {@link edgeConstraints}); `BaseNode` and `BaseEdge` are reserved; every other
 * name is a shared type that entries may refer to with `Type.Ref`.
 *
 * @throws StorageError `INVALID_MODULE` naming the Module, the entry and the rule it breaks.
 *
 * @example
 * ```ts
 * const TaskGraph = defineModule(
 *   { name: "task_graph", description: "Tasks and what they wait for" },
 *   {
 *     Config: graphConfig({ type: "directed" }),
 *     TaskState: Type.Union([Type.Literal("open"), Type.Literal("done")]),
 *     TaskNode: nodeAttributes({ title: Type.String(), state: Type.Ref("TaskState") }),
 *     WaitsForEdge: edgeAttributes({}),
 *     WaitsForEdgeConstraints: edgeConstraints({ from: ["task"], to: ["task"] }),
 *   },
 * );
 * ```
 */
export function defineModule<Entries extends TProperties>(
  info: ModuleInfo,
  entries: Entries,
): GraphModule<Entries> {
  checkInfo(info);
  const { name, description = "", version = FIRST_VERSION } = info;
  const module = Object.assign(Type.Module(entries), { name, description, version });
  readEntries(module, name);
  return module;
}

/**
 * What a Module is called, from the Module itself or from `info`, which wins.
 *
 * @throws StorageError `INVALID_MODULE` for a plain TypeBox Module without `info`.
 */
export function moduleInfo(
  module: AnyModule & Partial<ModuleInfo>,
  info: Partial<ModuleInfo> = {},
): Required<ModuleInfo> {
  const name = info.name ?? module.name;
  if (name === undefined) {
    throw new StorageError("INVALID_MODULE", "the Module has no name", {
      hint: "Make it with defineModule, or pass { name } beside it",
    });
  }
  const all = {
    name,
    description: info.description ?? module.description ?? "",
    version: info.version ?? module.version ?? FIRST_VERSION,
  };
  checkInfo(all);
  return all;
}

function checkInfo({ name, version = FIRST_VERSION }: ModuleInfo): void {
  if (typeof name !== "string" || !MODULE_NAME.test(name)) {
    throw new StorageError(
      "INVALID_MODULE",
      `Module name ${JSON.stringify(name)} is not snake_case`,
      {
        hint: 'Name it as in "call_graph": lower case letters, digits, single underscores',
      },
    );
  }
  if (!Number.isSafeInteger(version) || version < FIRST_VERSION || version % 2 !== 0) {
    throw new StorageError(
      "INVALID_MODULE",
      `Module "${name}": version ${version} is not an even number from ${FIRST_VERSION}`,
      { hint: "Odd versions mean that a migration is running" },
    );
  }
}
