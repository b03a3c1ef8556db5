import { StorageError } from "../../errors.ts";
import { checkRow, KeysOnce, keyProblem, kindOf } from "./check-row.ts";
import type { GraphTypeRules } from "./graph-type-cache.ts";
import type { NodeInput } from "./inputs.ts";
import { isPlain } from "./json-value.ts";
import { RowIssues } from "./row-issues.ts";

/** A call's rows must be an array, since they are gone through twice. @throws `INVALID_ARGUMENT` */
export function requireArray(rows: unknown, what: string): void {
  if (Array.isArray(rows)) return;
  throw new StorageError("INVALID_ARGUMENT", `${what} is ${kindOf(rows)}, not an array`);
}

/**
 * Checks every node of a call before any is written.
 *
 * @throws StorageError `INVALID_ATTRIBUTES` with everything that is wrong
 */
export function checkNodes(
  graphId: string,
  rules: GraphTypeRules,
  nodes: readonly NodeInput[],
): void {
  requireArray(nodes, "nodes");
  const types = { kind: "node", types: rules.nodeTypes } as const;
  const issues = new RowIssues();
  const once = new KeysOnce();
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i] as NodeInput;
    if (!isPlain(node)) {
      issues.add(`node at index ${i}`, "", `is ${kindOf(node)}, not an object`);
      continue;
    }
    const problem = keyProblem(node.key);
    const subject = problem === null ? `node "${node.key}"` : `node at index ${i}`;
    if (problem !== null) issues.add(subject, "/key", problem);
    else once.check(node.key, issues, subject);
    checkRow(types, node, (path, message) => issues.add(subject, path, message));
  }
  issues.throwIfAny("INVALID_ATTRIBUTES", graphId);
}
