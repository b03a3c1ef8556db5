import type { Database } from "@alkdev/honker";
import type { EvolutionPlan } from "../../graphs/index.ts";
import type { RowFailures } from "./row-failures.ts";

const EDGES = "FROM graphs g CROSS JOIN edges e ON e.graph_id = g.id WHERE g.graph_type_id = ?1";
const TYPE = "json_extract(e.metadata, '$._metagraph.edgeType')";
const FOUND = "e.graph_id, coalesce(e.key, e.id)";
const LOOPS = `SELECT ${FOUND} ${EDGES} AND e.source_node_key = e.target_node_key`;
const DIRECTION = `SELECT ${FOUND} ${EDGES} AND e.undirected <> ?2`;
/** Parallel as the graph store sees it: undirected edges are the same both ways. */
const PARALLEL = `SELECT e.graph_id, max(coalesce(e.key, e.id)) ${EDGES} GROUP BY e.graph_id, ${TYPE},
    e.undirected, iif(e.undirected, min(e.source_node_key, e.target_node_key), e.source_node_key),
    iif(e.undirected, max(e.source_node_key, e.target_node_key), e.target_node_key)
  HAVING count(*) > 1`;
const nodeType = (
  key: string,
): string => `coalesce((SELECT json_extract(n.metadata, '$._metagraph.nodeType')
  FROM nodes n WHERE n.graph_id = e.graph_id AND n.key = e.${key}), '')`;
const allowed = (list: string, key: string): string =>
  `(json_array_length(${list}) = 0 OR ${nodeType(key)} IN (SELECT value FROM json_each(${list})))`;
const ENDS = `SELECT ${FOUND} ${EDGES} AND ${TYPE} = ?2
  AND NOT (${allowed("?3", "source_node_key")} AND ${allowed("?4", "target_node_key")})
  AND NOT (e.undirected AND ${allowed("?3", "target_node_key")} AND ${allowed("?4", "source_node_key")})`;

/** Adds every edge that the plan's tighter rules about graphs and ends would no longer allow. */
export function checkStructure(
  client: Database,
  { graphTypeId, plan }: { readonly graphTypeId: string; readonly plan: EvolutionPlan },
  failures: RowFailures,
): void {
  const fail = (problem: string, sql: string, more: readonly (string | number)[] = []): void => {
    for (const [graphId, key] of client.rows(sql, [graphTypeId, ...more])) {
      failures.add(String(graphId), `edge "${String(key)}"`, problem);
    }
  };
  const { type } = plan.target.graphType.config;
  for (const { of, name, changes } of plan.types) {
    for (const { kind, path } of changes) {
      if (kind !== "breaking") continue;
      if (path === "/config/allowSelfLoops") fail("is a loop, which are no longer allowed", LOOPS);
      if (path === "/config/multi") fail("is one of several between its nodes", PARALLEL);
      if (path === "/config/type") {
        fail(`does not belong in a graph that is ${type}`, DIRECTION, [
          type === "undirected" ? 1 : 0,
        ]);
      }
    }
    const ends = plan.target.edgeTypes.find((edge) => of === "edge" && edge.name === name);
    if (ends === undefined || !changes.some(isNarrowing)) continue;
    const lists = [ends.allowedSourceTypes, ends.allowedTargetTypes].map((it) =>
      JSON.stringify(it),
    );
    fail("joins nodes that its type no longer joins", ENDS, [name, ...lists]);
  }
}

function isNarrowing({ kind, rule }: { readonly kind: string; readonly rule: string }): boolean {
  return kind === "breaking" && rule === "ends-changed";
}
