import type { Database } from "@alkdev/honker";
import type { PrincipalKey } from "../../graphs/index.ts";
import { ACL_GRAPH_ID } from "../tables/metagraph/acl-edges.ts";

const BELOW = `WITH RECURSIVE below (key) AS (
    SELECT +?
    UNION
    SELECT target_node_key FROM below CROSS JOIN edges INDEXED BY edges_source
    WHERE graph_id = '${ACL_GRAPH_ID}' AND source_node_key = below.key
      AND metadata ->> '$._metagraph.edgeType' = 'delegates'
    LIMIT +?
  )
  SELECT key FROM below`;

/** A principal and those to whom its grants may flow, nearest first, at most `limit`. */
export function readBelow(
  client: Database,
  principal: PrincipalKey,
  limit: number,
): readonly PrincipalKey[] {
  const rows = client.prepare(BELOW).rows([principal, limit]);
  return rows.map(([key]) => key as PrincipalKey);
}
