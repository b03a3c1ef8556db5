import { Type } from "@sinclair/typebox";
import type { HubOperation } from "../core/hub-options.ts";
import { projectionOf } from "./call-operations.ts";
import { CallSchema } from "./call-schemas.ts";
import { query } from "./define-operation.ts";
import { closed, limit, Name } from "./schemas.ts";

/** The part of the call graph below one call, for drawing it. */
export const callGraphOperation: HubOperation = query(
  {
    id: "calls.graph",
    description:
      "Gives the calls that a call made or used, those that they made or used, and so on, with the edges between them (`triggered`, `depends_on`), for drawing. `complete` is false where calls are left out.",
    input: closed({
      requestId: Name,
      depth: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000 })),
      limit: limit(1_000, 200),
    }),
    output: closed({
      calls: Type.Array(CallSchema),
      edges: Type.Array(
        closed({ type: Type.String(), source: Type.String(), target: Type.String() }),
      ),
      complete: Type.Boolean(),
    }),
    scope: "calls:read",
    record: "names",
  },
  ({ requestId, depth, limit: most = 200 }, context) => {
    const { calls } = projectionOf(context);
    const graph = calls.graph();
    if (graph === null) return { calls: [], edges: [], complete: true };
    const options = { limit: most, ...(depth === undefined ? {} : { depth }) };
    return graph.read(() => {
      const { nodes, edges, complete } = graph.subgraph([requestId], options);
      return {
        calls: nodes.flatMap(({ key }) => calls.get(key) ?? []),
        edges: edges.map(({ type, source, target }) => ({ type: type ?? "", source, target })),
        complete,
      };
    });
  },
);
