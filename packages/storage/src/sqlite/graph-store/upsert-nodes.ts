import { StorageError } from "../../errors.ts";
import { NODE, writeRow } from "./change-rows.ts";
import { checkNodes } from "./check-nodes.ts";
import { notifyKeys } from "./events.ts";
import type { GraphContext } from "./graph-context.ts";
import type { NodeInput, UpsertResult } from "./inputs.ts";
import { writeNodes } from "./insert-nodes.ts";
import { readNodes } from "./read-nodes.ts";

/** Adds nodes, and gives those that are there the attributes of the call, all or none. */
export function upsertNodes(graph: GraphContext, nodes: readonly NodeInput[]): UpsertResult {
  return graph.write((rules) => {
    checkNodes(graph.id, rules, nodes);
    const stored = readNodes(
      graph,
      nodes.map(({ key }) => key),
    );
    const created: NodeInput[] = [];
    const updated: string[] = [];
    for (const node of nodes) {
      const before = stored.get(node.key);
      if (before === undefined) {
        created.push(node);
        continue;
      }
      if (before.type !== node.type) throw otherType(graph, node, before.type);
      const { attributes = {}, metadata } = node;
      const next = { attributes, metadata };
      if (writeRow(graph, NODE, { row: before, next })) updated.push(node.key);
    }
    writeNodes(graph, created);
    notifyKeys(
      graph,
      "nodes:created",
      created.map(({ key }) => key),
    );
    notifyKeys(graph, "nodes:updated", updated);
    return {
      created: created.length,
      updated: updated.length,
      unchanged: nodes.length - created.length - updated.length,
    };
  });
}

/** Edges may not be allowed to join the other type. */
function otherType(
  graph: GraphContext,
  { key, type }: NodeInput,
  found: string | null,
): StorageError {
  return new StorageError(
    "ALREADY_EXISTS",
    `node "${key}" of graph "${graph.id}" is of type "${found}", not "${type}"`,
    {
      hint: "A node keeps its type; delete it first, or give the new one another key",
      details: { graphId: graph.id, key, expected: type, found },
    },
  );
}
