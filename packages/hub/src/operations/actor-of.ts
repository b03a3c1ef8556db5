import type { OperationContext } from "@alkdev/operations";
import type { Actor } from "@alkdev/storage/sqlite";
import { placeOf } from "../core/call-place.ts";

/** Who calls, for the audit trail. */
export function actorOf(context: OperationContext): Actor {
  return { accountId: placeOf(context).session.accountId };
}
