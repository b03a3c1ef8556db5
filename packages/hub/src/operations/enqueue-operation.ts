import type { EnqueueOptions } from "@alkdev/honker";
import { CallError, type OperationContext } from "@alkdev/operations";
import {
  type CatalogEntries,
  payloadSchema,
  systemCatalog,
  tenantCatalog,
} from "@alkdev/storage/catalog";
import { type Static, Type } from "@sinclair/typebox";
import { placeOf } from "../core/call-place.ts";
import type { HubOperation } from "../core/hub-options.ts";
import { atomicMutation } from "./define-operation.ts";
import { Count, closed, given, Json, Name, textMap } from "./schemas.ts";

/** A year. */
const LONGEST_SECONDS = 31_536_000;
const MOST_PRIORITY = 1_000_000;

const Input = closed({
  queue: Name,
  payload: Json,
  priority: Type.Optional(
    Type.Integer({ minimum: -MOST_PRIORITY, maximum: MOST_PRIORITY, default: 0 }),
  ),
  delaySeconds: Type.Optional(Type.Number({ minimum: 0, maximum: LONGEST_SECONDS })),
  expiresSeconds: Type.Optional(Type.Number({ minimum: 1, maximum: LONGEST_SECONDS })),
  maxAttempts: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
  key: Type.Optional(Name),
  uniqueKey: Type.Optional(Name),
  headers: Type.Optional(textMap()),
});

/** Adds a job to a queue. */
export const enqueueOperation: HubOperation = atomicMutation(
  {
    id: "queues.enqueue",
    description:
      "Adds a job to a queue and returns its id. Jobs of one `key` share the limits of their queue; of one `uniqueKey` there is one at a time, and `outcome` says whether the job is new.",
    input: Input,
    output: closed({ id: Count, outcome: Type.String() }),
    scope: "queues:write",
    errors: ["INVALID_ARGUMENT", "INVALID_PAYLOAD", "READ_ONLY"],
  },
  (input, context) => {
    const { queue: name, payload } = input;
    if (name.startsWith("_")) {
      throw new CallError("READ_ONLY", `the queue "${name}" is filled by the hub alone`, {
        details: { queue: name },
      });
    }
    const { db, entries } = queuesOf(context);
    const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
    // what the hub's own workers could not read would be a dead letter
    const options = entry === undefined ? {} : { schema: payloadSchema(entry.payload) };
    return db.queue<unknown>(name, options).offer(payload, optionsOf(input));
  },
);

function queuesOf(context: OperationContext) {
  const { services, tenant } = placeOf(context);
  const entries: CatalogEntries = (tenant === null ? systemCatalog : tenantCatalog).queues;
  return { db: services.client, entries };
}

function optionsOf(input: Static<typeof Input>): EnqueueOptions {
  const { priority, delaySeconds, expiresSeconds, maxAttempts, key, uniqueKey, headers } = input;
  return {
    ...given({ priority, delaySeconds, expiresSeconds, maxAttempts, key, headers }),
    ...(uniqueKey === undefined ? {} : { unique: { key: uniqueKey } }),
  };
}
