import type { OperationContext } from "@alkdev/operations";
import type { Actor } from "@alkdev/storage/sqlite";
import { placeOf } from "../core/call-place.ts";

/** Who calls, and with which credential, for the audit trail. */
export function actorOf(context: OperationContext): Actor {
  const { accountId, credentialId, credentialType } = placeOf(context).session.principal();
  return { accountId, credentialId, credentialType };
}
