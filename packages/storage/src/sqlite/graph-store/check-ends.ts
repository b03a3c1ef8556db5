import type { GraphConfig } from "../../graphs/index.ts";
import type { CheckedEdge } from "./check-edges.ts";
import { edgeIdentity } from "./edge-identity.ts";
import type { GraphContext } from "./graph-context.ts";
import { parts } from "./read-nodes.ts";
import { RowIssues } from "./row-issues.ts";
import { edgeName, type StoredEdge } from "./rows.ts";

const TYPES_OF_KEYS = `SELECT key, json_extract(metadata, '$._metagraph.nodeType') FROM nodes
  WHERE graph_id = +? AND key IN (SELECT value FROM json_each(?))`;

/** What {@link checkEnds} compares edges with. */
export interface EndRules {
  readonly config: GraphConfig;
  /** Edges that stand already and may not be doubled, by identity. */
  readonly parallel: ReadonlyMap<string, StoredEdge>;
}

/**
 * Checks that every edge of a call may join what it joins, and that no two of them are parallel where
 * the graph has no multi-edges.
 *
 * @throws StorageError `EDGE_NOT_ALLOWED` with every edge and why
 */
export function checkEnds(
  graph: GraphContext,
  edges: readonly CheckedEdge[],
  { config, parallel }: EndRules,
): void {
  const issues = new RowIssues();
  const types = nodeTypes(graph, edges);
  const inCall = new Set<string>();
  for (const edge of edges) {
    checkDirection(edge, config, issues);
    checkNodes(edge, types, issues);
    if (config.multi) continue;
    const identity = identityOf(edge);
    const stored = parallel.get(identity);
    if (stored !== undefined) {
      const message = `edge "${edgeName(stored)}" of type "${edge.rules.name}" joins these nodes already`;
      issues.add(edge.subject, "", message);
    } else if (inCall.has(identity)) {
      const message = `the call has two edges of type "${edge.rules.name}" between these nodes`;
      issues.add(edge.subject, "", message);
    }
    inCall.add(identity);
  }
  issues.throwIfAny("EDGE_NOT_ALLOWED", graph.id);
}

/** The identity of an edge that is to be written. */
export function identityOf({ input, rules, undirected }: CheckedEdge): string {
  const { source, target } = input;
  return edgeIdentity({ type: rules.name, source, target, undirected });
}

function nodeTypes(
  graph: GraphContext,
  edges: readonly CheckedEdge[],
): ReadonlyMap<string, string | null> {
  const keys = new Set<string>();
  for (const { input } of edges) keys.add(input.source).add(input.target);
  const types = new Map<string, string | null>();
  const statement = graph.sql(TYPES_OF_KEYS);
  for (const part of parts(keys)) {
    for (const [key, type] of statement.rows([graph.id, JSON.stringify(part)])) {
      types.set(key as string, type as string | null);
    }
  }
  return types;
}

function checkDirection(
  { input, undirected, subject }: CheckedEdge,
  { type, allowSelfLoops }: GraphConfig,
  issues: RowIssues,
): void {
  if (type !== "mixed" && undirected !== (type === "undirected")) {
    issues.add(subject, "/undirected", `is ${undirected} in a graph that is ${type}`);
  }
  if (!allowSelfLoops && input.source === input.target) {
    issues.add(subject, "/target", "is the source: the graph type allows no loops");
  }
}

function checkNodes(
  { input, rules, subject, undirected }: CheckedEdge,
  types: ReadonlyMap<string, string | null>,
  issues: RowIssues,
): void {
  const source = types.get(input.source);
  const target = types.get(input.target);
  if (source === undefined) issues.add(subject, "/source", `there is no node "${input.source}"`);
  if (target === undefined) issues.add(subject, "/target", `there is no node "${input.target}"`);
  if (source === undefined || target === undefined) return;
  const fits = (from: string | null, to: string | null): boolean =>
    (rules.sources?.has(from ?? "") ?? true) && (rules.targets?.has(to ?? "") ?? true);
  if (fits(source, target) || (undirected && fits(target, source))) return;
  const any = "any";
  const from = rules.sources === null ? any : [...rules.sources].join(", ");
  const to = rules.targets === null ? any : [...rules.targets].join(", ");
  issues.add(
    subject,
    "",
    `type "${rules.name}" leads from ${from} to ${to}, not from ${source} to ${target}`,
  );
}
