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
import { readNode } from "./read-nodes.ts";
import { requirePatch } from "./require-patch.ts";
import { RowIssues } from "./row-issues.ts";
import type { StoredNode } from "./rows.ts";

const UPDATE = "UPDATE nodes SET metadata = ?, attributes = ?, updated_at = ? WHERE id = +?";

/** Merges a patch into a node's attributes. */
export function patchNode(
  graph: GraphContext,
  key: string,
  { patch, ...expectation }: ChangeOptions & { readonly patch: JsonObject },
): StoredNode {
  requirePatch(patch);
  return changeNode(graph, key, {
    expectation,
    next: ({ attributes }) => ({ attributes: mergePatch(attributes, patch) }),
  });
}

/** Gives a node other attributes. */
export function replaceNode(
  graph: GraphContext,
  key: string,
  { replacement, ...expectation }: ChangeOptions & { readonly replacement: Replacement },
): StoredNode {
  return changeNode(graph, key, { expectation, next: () => replacement });
}

interface NodeChange {
  readonly expectation: ChangeOptions;
  readonly next: (node: StoredNode) => NextRow;
}

function changeNode(graph: GraphContext, key: string, change: NodeChange): StoredNode {
  return graph.write((rules) => {
    const node = readNode(graph, key);
    if (node === null) {
      throw new StorageError("NOT_FOUND", `graph "${graph.id}" has no node "${key}"`, {
        details: { graphId: graph.id, key },
      });
    }
    requireUnchanged(`node "${key}" of graph "${graph.id}"`, node, change.expectation);
    const next = change.next(node);
    checkNext(graph, rules, { node, next });
    if (!writeNode(graph, node, next)) return node;
    notifyKeys(graph, "nodes:updated", [key]);
    return readNode(graph, key) as StoredNode;
  });
}

function checkNext(
  graph: GraphContext,
  { nodeTypes }: GraphTypeRules,
  { node, next }: { readonly node: StoredNode; readonly next: NextRow },
): void {
  const issues = new RowIssues();
  const subject = `node "${node.key}"`;
  const report = (path: string, message: string): void => issues.add(subject, path, message);
  const type = nodeTypes.get(node.type ?? "");
  if (type === undefined) report("", `has no node type "${node.type}"`);
  else checkAttributes(type, next.attributes, report);
  checkMetadata(next.metadata, report);
  issues.throwIfAny("INVALID_ATTRIBUTES", graph.id);
}

/** Writes a node's new attributes; returns false, and writes nothing, where they are so already. */
export function writeNode(graph: GraphContext, node: StoredNode, next: NextRow): boolean {
  const changed = changedRow(node, next, "nodeType");
  if (changed === null) return false;
  const { metadata, attributes } = changed;
  graph.sql(UPDATE).run([metadata, attributes, graph.store.nowSeconds(), node.id]);
  return true;
}
