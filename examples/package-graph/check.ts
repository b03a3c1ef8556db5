import { eq } from "drizzle-orm";
import { recount } from "./recount.ts";
import { deadLetters } from "./status.ts";
import { projectedBatches, type Store } from "./store.ts";

/** One statement about the result, and what speaks against it. */
export interface Check {
  readonly claim: string;
  /** Empty when it holds. */
  readonly problems: readonly string[];
}

/** What was found in the database, and whether it is what the file says. */
export interface CheckedResult {
  readonly nodes: number;
  readonly edges: number;
  readonly events: number;
  readonly done: number;
  readonly retried: number;
  readonly dead: number;
  readonly checks: readonly Check[];
}

/** Compares a finished graph with the lock file's JSON, counted anew. */
export function checkGraph(store: Store, graphId: string, json: unknown): CheckedResult {
  const expected = recount(json);
  const nodeRows = readNodes(store, graphId);
  const edgeRows = readEdges(store, graphId);
  const events = readEvents(store, graphId);
  const dead = deadLetters(store, graphId);
  const counted = nodeRows.filter(({ timesCounted }) => timesCounted !== null);
  const checks: Check[] = [
    same(
      "every package is one node",
      [...expected.nodes],
      nodeRows.map(({ key }) => key),
    ),
    same("every dependency is one edge", [...expected.edges], edgeRows),
    same(
      "every package is in one event",
      [...expected.nodes],
      events.flatMap(({ keys }) => keys),
    ),
    same(
      "every event was projected once",
      events.map(({ row }) => row),
      readProjected(store, graphId),
    ),
    same(
      "every job took effect once",
      [...expected.nodes],
      counted.flatMap(({ key, timesCounted }) => Array<string>(timesCounted ?? 0).fill(key)),
    ),
    same(
      "every count of dependencies is right",
      [...expected.reachable].map(([key, count]) => `${key}: ${count}`),
      nodeRows.map(({ key, dependencies }) => `${key}: ${dependencies ?? "not counted"}`),
    ),
    { claim: "no job is dead", problems: dead.map(({ id, error }) => `job ${id}: ${error}`) },
    { claim: "the file is sound", problems: fileProblems(store) },
  ];
  return {
    nodes: nodeRows.length,
    edges: edgeRows.length,
    events: events.length,
    done: counted.length,
    retried: counted.reduce((sum, { attempts }) => sum + (attempts ?? 1) - 1, 0),
    dead: dead.length,
    checks,
  };
}

/** Compares two lists without their order, but with how often each entry occurs. */
function same(claim: string, expected: readonly string[], found: readonly string[]): Check {
  const surplus = new Map<string, number>();
  for (const entry of found) surplus.set(entry, (surplus.get(entry) ?? 0) + 1);
  for (const entry of expected) surplus.set(entry, (surplus.get(entry) ?? 0) - 1);
  const problems: string[] = [];
  for (const [entry, count] of surplus) {
    if (count !== 0) problems.push(`${count > 0 ? `${count} too many` : "missing"}: ${entry}`);
  }
  return { claim, problems };
}

function readNodes(store: Store, graphId: string) {
  const packages = store.graphs.graph(graphId);
  return [...packages.eachNode()].map(({ key, attributes }) => ({
    key,
    dependencies: numberOf(attributes["transitiveDependencies"]),
    timesCounted: numberOf(attributes["timesCounted"]),
    attempts: numberOf(attributes["attempts"]),
  }));
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

function readEdges(store: Store, graphId: string): string[] {
  const dependencies = store.graphs.graph(graphId).eachEdge();
  return [...dependencies].map(
    ({ source, target, attributes }) => `${source}>${attributes["name"]}>${target}`,
  );
}

function readEvents(
  { events }: Store,
  graphId: string,
): { row: string; keys: readonly string[] }[] {
  return [...events.replay()]
    .filter(({ payload }) => payload.graphId === graphId)
    .map(({ offset, payload: { batch, keys, edges: edgeCount } }) => ({
      keys,
      row: `event ${offset}: batch ${batch}, ${keys.length} nodes, ${edgeCount} edges`,
    }));
}

function readProjected(store: Store, graphId: string): string[] {
  return store.db
    .select()
    .from(projectedBatches)
    .where(eq(projectedBatches.graphId, graphId))
    .all()
    .map(
      ({ eventOffset, batch, nodes: nodeCount, edges: edgeCount }) =>
        `event ${eventOffset}: batch ${batch}, ${nodeCount} nodes, ${edgeCount} edges`,
    );
}

function fileProblems({ client }: Store): string[] {
  const integrity = client.rows("PRAGMA integrity_check").flat().map(String);
  const orphans = client.rows("PRAGMA foreign_key_check").map((row) => `orphan: ${row.join(" ")}`);
  return [...integrity.filter((line) => line !== "ok"), ...orphans];
}
