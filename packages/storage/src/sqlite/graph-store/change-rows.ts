import { StorageError } from "../../errors.ts";
import type { JsonObject } from "../tables/common.ts";
import { changedRow, type NextRow } from "./changed-row.ts";
import { checkAttributes, checkMetadata } from "./check-row.ts";
import { notifyKeys } from "./events.ts";
import { requireUnchanged } from "./expectation.ts";
import type { GraphContext } from "./graph-context.ts";
import type { GraphTypeRules, NodeTypeRules } from "./graph-type-cache.ts";
import type { ChangeOptions, Replacement } from "./inputs.ts";
import { mergePatch } from "./merge-patch.ts";
import { readEdge } from "./read-edges.ts";
import { readNode } from "./read-nodes.ts";
import { requirePatch } from "./require-patch.ts";
import { RowIssues } from "./row-issues.ts";
import type { StoredEdge, StoredNode, StoredRow } from "./rows.ts";

/** What differs between changing nodes and changing edges. */
export interface RowKind<Row extends StoredRow> {
  readonly kind: "node" | "edge";
  readonly update: string;
  readonly read: (graph: GraphContext, name: string) => Row | null;
}

export const NODE: RowKind<StoredNode> = {
  kind: "node",
  update: "UPDATE nodes SET metadata = ?, attributes = ?, updated_at = ? WHERE id = +?",
  read: readNode,
};

export const EDGE: RowKind<StoredEdge> = {
  kind: "edge",
  update: "UPDATE edges SET metadata = ?, attributes = ?, updated_at = ? WHERE id = +?",
  read: readEdge,
};

/** A node or edge of a graph, by its key, or by its id where it has none. */
export interface RowRef<Row extends StoredRow> {
  readonly of: RowKind<Row>;
  readonly graph: GraphContext;
  readonly name: string;
}

/** Merges a patch into the attributes of a row. Returns the row as it is now. */
export function patchRow<Row extends StoredRow>(
  ref: RowRef<Row>,
  patch: JsonObject,
  expectation: ChangeOptions,
): Row {
  requirePatch(patch);
  return changeRow(ref, expectation, ({ attributes }) => ({
    attributes: mergePatch(attributes, patch),
  }));
}

/** Gives a row other attributes. Returns it as it is now. */
export function replaceRow<Row extends StoredRow>(
  ref: RowRef<Row>,
  replacement: Replacement,
  expectation: ChangeOptions,
): Row {
  return changeRow(ref, expectation, () => replacement);
}

function changeRow<Row extends StoredRow>(
  { of, graph, name }: RowRef<Row>,
  expectation: ChangeOptions,
  nextOf: (row: Row) => NextRow,
): Row {
  const subject = `${of.kind} "${name}"`;
  return graph.write((rules) => {
    const row = of.read(graph, name);
    if (row === null) {
      throw new StorageError("NOT_FOUND", `graph "${graph.id}" has no ${subject}`, {
        details: { graphId: graph.id, key: name },
      });
    }
    requireUnchanged(`${subject} of graph "${graph.id}"`, row, expectation);
    const next = nextOf(row);
    const issues = new RowIssues();
    const report = (path: string, message: string): void => issues.add(subject, path, message);
    checkNext(typesOf(rules, of).get(row.type ?? ""), next, report);
    issues.throwIfAny("INVALID_ATTRIBUTES", graph.id);
    if (!writeRow(graph, of, { row, next })) return row;
    notifyKeys(graph, `${of.kind}s:updated`, [name]);
    return of.read(graph, name) as Row;
  });
}

function typesOf(
  { nodeTypes, edgeTypes }: GraphTypeRules,
  { kind }: Pick<RowKind<StoredRow>, "kind">,
): ReadonlyMap<string, NodeTypeRules> {
  return kind === "node" ? nodeTypes : edgeTypes;
}

function checkNext(
  type: NodeTypeRules | undefined,
  next: NextRow,
  report: (path: string, message: string) => void,
): void {
  if (type === undefined) report("/type", "the graph type has no such type");
  else checkAttributes(type, next.attributes, report);
  checkMetadata(next.metadata, report);
}

/** Writes a row's new attributes; returns false, and writes nothing, where they are so already. */
export function writeRow<Row extends StoredRow>(
  graph: GraphContext,
  { kind, update }: RowKind<Row>,
  { row, next }: { readonly row: Row; readonly next: NextRow },
): boolean {
  const changed = changedRow(row, next, kind === "node" ? "nodeType" : "edgeType");
  if (changed === null) return false;
  const { metadata, attributes } = changed;
  graph.sql(update).run([metadata, attributes, graph.store.nowSeconds(), row.id]);
  return true;
}
