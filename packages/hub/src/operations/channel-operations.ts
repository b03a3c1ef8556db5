import type { Notification, Sequence } from "@alkdev/honker";
import type { HubOperation } from "../core/hub-options.ts";
import { atomicMutation, subscription } from "./define-operation.ts";
import { engineOf } from "./engine-of.ts";
import { Count, closed, Json, Moment, momentOf, Name } from "./schemas.ts";

/** Notifications: for whoever listens now. */
export const channelOperations: readonly HubOperation[] = [
  subscription(
    {
      id: "channels.listen",
      description:
        "Hears the notifications of a channel from now on, such as `graph:created`; what is sent while nobody listens is lost. For what must not be lost follow a stream.",
      input: closed({ channel: Name }),
      output: closed({ id: Count, payload: Json, sentAt: Moment }),
      scope: "events:read",
      record: "names",
    },
    ({ channel }, context) => heard(engineOf(context).listen(channel, { signal: context.signal })),
  ),
  atomicMutation(
    {
      id: "channels.notify",
      description: "Sends a notification to those who listen on a channel now, in any process.",
      input: closed({ channel: Name, payload: Json }),
      output: closed({ id: Count }),
      scope: "events:write",
      errors: ["INVALID_PAYLOAD"],
    },
    ({ channel, payload }, context) => ({ id: engineOf(context).notify(channel, payload) }),
  ),
];

async function* heard(
  sequence: Sequence<Notification>,
): AsyncGenerator<{ id: number; payload: unknown; sentAt: string }> {
  for await (const { id, payload, createdAt } of sequence) {
    yield { id, payload, sentAt: momentOf(createdAt) };
  }
}
