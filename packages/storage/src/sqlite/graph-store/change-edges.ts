import { StorageError } from "../../errors.ts";
import type { JsonObject } from "../tables/common.ts";
import { changedRow, type NextRow } from "./changed-row.ts";
import { checkAttributes, checkMetadata } from "./check-row.ts";
import { notifyKeys } from "./events.ts";
import { requireUnchanged } from "./expectation.ts";
import type { GraphContext } from "./graph-context.ts";
import type { GraphTypeRules } from "./graph-type-cache.ts";
import type { ChangeOptions, Replacement } from "./inputs.ts";
import { mergePatch } from "./merge-patch.ts";
import { readEdge } from "./read-edges.ts";
import { requirePatch } from "./require-patch.ts";
import { RowIssues } from "./row-issues.ts";
import { edgeName, type StoredEdge } from "./rows.ts";

const UPDATE = "UPDATE edges SET metadata = ?, attributes = ?, updated_at = ? WHERE id = +?";

/** Merges a patch into an edge's attributes. */
export function patchEdge(
  graph: GraphContext,
  name: string,
  { patch, ...expectation }: ChangeOptions & { readonly patch: JsonObject },
): StoredEdge {
  requirePatch(patch);
  return changeEdge(graph, name, {
    expectation,
    next: ({ attributes }) => ({ attributes: mergePatch(attributes, patch) }),
  });
}

/** Gives an edge other attributes. */
export function replaceEdge(
  graph: GraphContext,
  name: string,
  { replacement, ...expectation }: ChangeOptions & { readonly replacement: Replacement },
): StoredEdge {
  return changeEdge(graph, name, { expectation, next: () => replacement });
}

interface EdgeChange {
  readonly expectation: ChangeOptions;
  readonly next: (edge: StoredEdge) => NextRow;
}

function changeEdge(graph: GraphContext, name: string, change: EdgeChange): StoredEdge {
  return graph.write((rules) => {
    const edge = readEdge(graph, name);
    if (edge === null) {
      throw new StorageError("NOT_FOUND", `graph "${graph.id}" has no edge "${name}"`, {
        details: { graphId: graph.id, key: name },
      });
    }
    requireUnchanged(`edge "${name}" of graph "${graph.id}"`, edge, change.expectation);
    const next = change.next(edge);
    checkNext(graph, rules, { edge, next });
    if (!writeEdge(graph, edge, next)) return edge;
    notifyKeys(graph, "edges:updated", [name]);
    return readEdge(graph, name) as StoredEdge;
  });
}

function checkNext(
  graph: GraphContext,
  { edgeTypes }: GraphTypeRules,
  { edge, next }: { readonly edge: StoredEdge; readonly next: NextRow },
): void {
  const issues = new RowIssues();
  const subject = `edge "${edgeName(edge)}"`;
  const report = (path: string, message: string): void => issues.add(subject, path, message);
  const type = edgeTypes.get(edge.type ?? "");
  if (type === undefined) report("", `has no edge type "${edge.type}"`);
  else checkAttributes(type, next.attributes, report);
  checkMetadata(next.metadata, report);
  issues.throwIfAny("INVALID_ATTRIBUTES", graph.id);
}

/** Writes an edge's new attributes; returns false, and writes nothing, where they are so already. */
export function writeEdge(graph: GraphContext, edge: StoredEdge, next: NextRow): boolean {
  const changed = changedRow(edge, next, "edgeType");
  if (changed === null) return false;
  const { metadata, attributes } = changed;
  graph.sql(UPDATE).run([metadata, attributes, graph.store.nowSeconds(), edge.id]);
  return true;
}
