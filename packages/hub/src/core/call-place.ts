import type { OperationContext } from "@alkdev/operations";
import type { WebSocketConnection } from "@alkdev/pubsub/websocket-server";
import type { SystemDatabase, TenantDatabase } from "@alkdev/storage/sqlite";
import { HubError } from "../errors.ts";
import type { ConnectionContext } from "../socket/connection-context.ts";
import { type JournaledPlace, metadataWith, placeIn } from "./place-of-call.ts";
import type { RealmServices } from "./realm-services.ts";
import type { Session } from "./session.ts";
import type { TenantRuntime } from "./tenant-runtime.ts";

/** What a call came over, where that is a connection that can be called back. */
export interface CallOrigin {
  readonly connection: WebSocketConnection<ConnectionContext>;
}

/** Where a call runs: who makes it, in which realm. One object per call that comes from outside. */
export interface CallPlace extends JournaledPlace {
  readonly session: Session;
  readonly services: RealmServices;
  /** Null in the system's realm. */
  readonly tenant: TenantRuntime | null;
  readonly origin: CallOrigin | null;
}

/** The metadata of a call with its place. */
export function withPlace(
  metadata: Readonly<Record<string, unknown>> | undefined,
  place: CallPlace,
): Readonly<Record<string, unknown>> {
  return metadataWith(metadata, place);
}

/** Where the call of a handler runs. @throws HubError `INVALID_ARGUMENT` for calls that no hub made */
export function placeOf(context: OperationContext): CallPlace {
  return placeIn<CallPlace>(context);
}

/**
 * The database of the organisation that a call is made in, for handlers of operations of tenants.
 *
 * @throws HubError `INVALID_ARGUMENT`
 * @example
 * ```ts
 * const handler = (input, context) => tenantOf(context).select().from(graphs).all();
 * ```
 */
export function tenantOf(context: OperationContext): TenantDatabase {
  const { tenant } = placeOf(context);
  if (tenant !== null) return tenant.db;
  throw new HubError("INVALID_ARGUMENT", `"${context.operationId}" was not called in a tenant`);
}

/** `system.db`, for handlers of operations of the system. @throws HubError `INVALID_ARGUMENT` */
export function systemOf(context: OperationContext): SystemDatabase {
  const { tenant, services } = placeOf(context);
  if (tenant === null) return services.db as SystemDatabase;
  throw new HubError("INVALID_ARGUMENT", `"${context.operationId}" was called in a tenant`);
}
