import { requireArray } from "./check-nodes.ts";
import { checkRow, KeysOnce, keyProblem, kindOf } from "./check-row.ts";
import type { EdgeTypeRules, GraphTypeRules } from "./graph-type-cache.ts";
import type { EdgeInput } from "./inputs.ts";
import { isPlain } from "./json-value.ts";
import { RowIssues } from "./row-issues.ts";

/** An edge that was checked for what it is, not yet for what it joins. */
export interface CheckedEdge {
  readonly input: EdgeInput;
  readonly rules: EdgeTypeRules;
  readonly undirected: boolean;
  /** What it is called in errors. */
  readonly subject: string;
}

/**
 * Checks every edge of a call before any is written.
 *
 * @throws StorageError `INVALID_ATTRIBUTES` with everything that is wrong
 */
export function checkEdges(
  graphId: string,
  rules: GraphTypeRules,
  edges: readonly EdgeInput[],
): readonly CheckedEdge[] {
  requireArray(edges, "edges");
  const types = { kind: "edge", types: rules.edgeTypes } as const;
  const undirectedGraph = rules.config.type === "undirected";
  const issues = new RowIssues();
  const once = new KeysOnce();
  const checked: CheckedEdge[] = [];
  for (let i = 0; i < edges.length; i++) {
    const input = edges[i] as EdgeInput;
    if (!isPlain(input)) {
      issues.add(`edge at index ${i}`, "", `is ${kindOf(input)}, not an object`);
      continue;
    }
    const subject = subjectOf(input, i);
    const report = (path: string, message: string): void => issues.add(subject, path, message);
    checkNames(input, report);
    if (input.key !== undefined) once.check(input.key, issues, subject);
    const type = checkRow(types, input, report);
    const { undirected = undirectedGraph } = input;
    if (typeof undirected !== "boolean") report("/undirected", `is ${kindOf(undirected)}`);
    if (type !== undefined) checked.push({ input, rules: type, undirected, subject });
  }
  issues.throwIfAny("INVALID_ATTRIBUTES", graphId);
  return checked;
}

function checkNames(input: EdgeInput, report: (path: string, message: string) => void): void {
  if (input.key !== undefined) {
    const problem = keyProblem(input.key);
    if (problem !== null) report("/key", problem);
  }
  for (const end of ["source", "target"] as const) {
    const problem = keyProblem(input[end]);
    if (problem !== null) report(`/${end}`, problem);
  }
}

function subjectOf({ key, source, target }: EdgeInput, index: number): string {
  if (typeof key === "string") return `edge "${key}"`;
  if (typeof source !== "string" || typeof target !== "string") return `edge at index ${index}`;
  return `edge "${source}" to "${target}"`;
}
