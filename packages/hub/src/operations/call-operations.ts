import type { OperationContext } from "@alkdev/operations";
import type { Call, CallProjection, Page } from "@alkdev/storage/sqlite";
import { Type } from "@sinclair/typebox";
import { placeOf } from "../core/call-place.ts";
import type { HubOperation } from "../core/hub-options.ts";
import { HubError } from "../errors.ts";
import { CallCountsSchema, CallSchema } from "./call-schemas.ts";
import { query } from "./define-operation.ts";
import { fitting } from "./fitting.ts";
import {
  Count,
  Cursor,
  closed,
  dateOf,
  given,
  limit,
  Moment,
  Name,
  nullable,
  page,
} from "./schemas.ts";

const Depth = Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000 }));
const RequestId = closed({ requestId: Name });
const Calls = Type.Array(CallSchema);
const OF_A_CALL = closed({ requestId: Name, limit: limit(500, 100), cursor: Cursor });
/** What every operation here has in common; the journal does not keep what was read of it. */
const READ = {
  scope: "calls:read",
  record: "names",
  errors: ["INVALID_ARGUMENT"],
} as const;

/** Questions to the graph of calls. It follows the stream `call-protocol` some milliseconds behind. */
export const callOperations: readonly HubOperation[] = [
  query(
    {
      id: "calls.get",
      description:
        "Shows one call by its request id: what was asked, by whom, how it ended; null if unknown.",
      input: RequestId,
      output: nullable(CallSchema),
      ...READ,
    },
    ({ requestId }, context) => projectionOf(context).calls.get(requestId),
  ),
  query(
    {
      id: "calls.roots",
      description: "Lists calls that no other call made, the newest first.",
      input: closed({ limit: limit(500, 100), cursor: Cursor }),
      output: page(CallSchema),
      ...READ,
    },
    (input, context) => pageOf(projectionOf(context).calls.roots(given(input))),
  ),
  query(
    {
      id: "calls.children",
      description: "Lists the calls that a call made itself.",
      input: OF_A_CALL,
      output: page(CallSchema),
      ...READ,
    },
    ({ requestId, ...input }, context) =>
      pageOf(projectionOf(context).calls.children(requestId, given(input))),
  ),
  query(
    {
      id: "calls.dependencies",
      description: "Lists the calls whose results a call used.",
      input: OF_A_CALL,
      output: page(CallSchema),
      ...READ,
    },
    ({ requestId, ...input }, context) =>
      pageOf(projectionOf(context).calls.dependencies(requestId, given(input))),
  ),
  query(
    {
      id: "calls.lineage",
      description:
        "Lists the call that made this one, the one that made that, and so on up to the root. `complete` is false where some are left out.",
      input: RequestId,
      output: closed({ calls: Calls, complete: Type.Boolean() }),
      ...READ,
    },
    ({ requestId }, context) => {
      const { items, more } = fitting(projectionOf(context).calls.lineage(requestId), 1_000);
      return { calls: items, complete: !more };
    },
  ),
  query(
    {
      id: "calls.descendants",
      description:
        "Lists the calls that a call made, those that they made, and so on, the nearest first. `complete` is false where some are left out.",
      input: closed({ requestId: Name, depth: Depth, limit: limit(1_000, 100) }),
      output: closed({ calls: Calls, complete: Type.Boolean() }),
      ...READ,
    },
    ({ requestId, depth, limit: most = 100 }, context) => {
      const options = { limit: most + 1, ...given({ depth }) }; // it counts the call itself
      const found = projectionOf(context).calls.descendants(requestId, options);
      const { items, more } = fitting(found.calls, most);
      return { calls: items, complete: found.complete && !more };
    },
  ),
  query(
    {
      id: "calls.failures",
      description: "Lists failed calls, the last to fail first, with their errors.",
      input: closed({ since: Type.Optional(Moment), limit: limit(500, 100), cursor: Cursor }),
      output: page(CallSchema),
      ...READ,
    },
    ({ since, ...input }, context) => {
      const from = since === undefined ? {} : { since: dateOf(since) };
      return pageOf(projectionOf(context).calls.failures({ ...given(input), ...from }));
    },
  ),
  query(
    {
      id: "calls.slowest",
      description: "Lists the calls that took longest from request to end.",
      input: closed({ limit: limit(100, 20) }),
      output: closed({ calls: Calls }),
      ...READ,
    },
    ({ limit: most = 20 }, context) => ({
      calls: fitting(projectionOf(context).calls.slowest({ limit: most }), most).items,
    }),
  ),
  query(
    {
      id: "calls.counts",
      description:
        "Counts calls by status, and says how many events of the call protocol are not yet in the graph.",
      input: closed({}),
      output: closed({ counts: CallCountsSchema, offset: Count, lag: Count }),
      ...READ,
    },
    (_, context) => {
      const projection = projectionOf(context);
      const { offset, lag } = projection.status();
      return { counts: projection.calls.statusCounts(), offset, lag };
    },
  ),
];

/** @throws HubError `INVALID_ARGUMENT` outside a tenant */
export function projectionOf(context: OperationContext): CallProjection {
  const { tenant } = placeOf(context);
  if (tenant !== null) return tenant.projection;
  throw new HubError("INVALID_ARGUMENT", `"${context.operationId}" was not called in a tenant`);
}

function pageOf({ items, cursor }: Page<Call>): { items: Call[]; cursor: string | null } {
  return { items: [...items], cursor };
}
