import { Type } from "@sinclair/typebox";
import type { HubOperation } from "../core/hub-options.ts";
import { atomicMutation, query } from "./define-operation.ts";
import { engineOf } from "./engine-of.ts";
import { fitting } from "./fitting.ts";
import { DeadLetterSchema, deadLetterOf } from "./queue-schemas.ts";
import { Count, closed, limit, Name, page } from "./schemas.ts";

/** Dead letters that one call acts on: one commit, some ten milliseconds. */
const MOST_AT_ONCE = 1_000;

const JobIds = Type.Array(Type.Integer({ minimum: 1 }), { minItems: 1, maxItems: MOST_AT_ONCE });

/** Jobs that failed for good. */
export const deadLetterOperations: readonly HubOperation[] = [
  query(
    {
      id: "queues.deadLetters",
      description:
        "Lists the jobs of a queue that failed for good, with their payload and why, oldest job first.",
      input: closed({
        queue: Name,
        limit: limit(100, 50),
        cursor: Type.Optional(Type.String({ pattern: "^\\d{1,15}$" })),
      }),
      output: page(DeadLetterSchema),
      scope: "queues:read",
    },
    ({ queue, limit: most = 50, cursor = "0" }, context) => {
      const { dead } = engineOf(context).queue(queue);
      const letters = dead.list({ limit: most + 1, afterId: Number(cursor) });
      const { items, more } = fitting(letters.map(deadLetterOf), most);
      return { items, cursor: more ? String(items.at(-1)?.id) : null };
    },
  ),
  atomicMutation(
    {
      id: "queues.redrive",
      description: `Puts dead letters back into their queue, due now, with all their attempts again: those of the ids, or the oldest ${MOST_AT_ONCE}. \`more\` is true where dead letters are left.`,
      input: closed({ queue: Name, ids: Type.Optional(JobIds) }),
      output: closed({ redriven: Count, more: Type.Boolean() }),
      scope: "queues:write",
    },
    ({ queue, ids }, context) => {
      const { dead } = engineOf(context).queue(queue);
      const chosen = ids ?? dead.list({ limit: MOST_AT_ONCE }).map(({ id }) => id);
      const redriven = dead.redrive(chosen);
      return { redriven, more: dead.list({ limit: 1 }).length > 0 };
    },
  ),
  atomicMutation(
    {
      id: "queues.purge",
      description: "Deletes dead letters for good, by id.",
      input: closed({ queue: Name, ids: JobIds }),
      output: closed({ purged: Count }),
      scope: "queues:write",
    },
    ({ queue, ids }, context) => ({ purged: engineOf(context).queue(queue).dead.purge(ids) }),
  ),
];
