import type { Database } from "@alkdev/honker";
import type { OperationContext } from "@alkdev/operations";
import { placeOf } from "../core/call-place.ts";

/** The file of the realm that a call is made in, for operations that both realms have. */
export function engineOf(context: OperationContext): Database {
  return placeOf(context).services.client;
}
