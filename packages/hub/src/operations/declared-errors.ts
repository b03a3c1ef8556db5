import type { ErrorDefinition } from "@alkdev/operations";
import { ENGINE_ERRORS } from "@alkdev/storage/sqlite";
import { Type } from "@sinclair/typebox";

/** A code that operations of the hub can end with, beside those of every call. */
export type DeclaredError =
  | "ACCOUNT_STATE"
  | "ALREADY_EXISTS"
  | "CONFLICT"
  | "CONSUMER_ACTIVE"
  | "CREDENTIAL_STATE"
  | "DELEGATION_CYCLE"
  | "DELEGATION_NOT_ALLOWED"
  | "EDGE_NOT_ALLOWED"
  | "INVALID_ARGUMENT"
  | "INVALID_ATTRIBUTES"
  | "INVALID_PAYLOAD"
  | "LIMIT_REACHED"
  | "MIGRATION_FAILED"
  | "MIGRATION_STATE"
  | "NOT_FOUND"
  | "QUOTA_EXCEEDED"
  | "READ_ONLY"
  | "REFERENCE_NOT_FOUND"
  | "TENANT_BUSY"
  | "TENANT_ELSEWHERE"
  | "TENANT_FILE"
  | "TENANT_STATE"
  | "UNKNOWN_SCHEMA";

const ERRORS: Readonly<Record<DeclaredError, readonly [string, number]>> = {
  ACCOUNT_STATE: ["The account is suspended or deactivated.", 409],
  ALREADY_EXISTS: ["A name, key or id is taken.", 409],
  CONFLICT: ["It is not as it was read.", 409],
  CONSUMER_ACTIVE: ["Somebody reads the stream as this consumer now.", 409],
  CREDENTIAL_STATE: ["The key is revoked, expired, disabled or was rotated.", 409],
  DELEGATION_CYCLE: ["The delegation would go in a circle.", 409],
  DELEGATION_NOT_ALLOWED: ["The delegator does not hold it, or may not pass it on.", 403],
  EDGE_NOT_ALLOWED: ["An edge may not join these nodes; `issues` says why.", 422],
  INVALID_ARGUMENT: ["A value is out of its range, or does not go with the others.", 422],
  INVALID_ATTRIBUTES: ["Attributes do not fit their type; `issues` lists every place.", 422],
  INVALID_PAYLOAD: ["The payload is no JSON, or does not fit what is known of its queue.", 422],
  LIMIT_REACHED: ["The search came across as many nodes as it may, and found nothing.", 422],
  MIGRATION_FAILED: ["The file could not be brought to the newest version.", 500],
  MIGRATION_STATE: ["The data of the graph type is being migrated; try again later.", 503],
  NOT_FOUND: ["There is nothing of that name or id.", 404],
  QUOTA_EXCEEDED: ["A quota of the tenant is used up.", 507],
  READ_ONLY: ["It is kept by the hub itself, and not changed in this way.", 403],
  REFERENCE_NOT_FOUND: ["A value names something that is not there.", 409],
  TENANT_BUSY: ["The tenant is in use, or something else is done with it; try again later.", 503],
  TENANT_ELSEWHERE: ["The tenant belongs to another hub now; `owner` names it.", 503],
  TENANT_FILE: ["The file of the tenant is missing, damaged or another's.", 409],
  TENANT_STATE: ["The state of the tenant does not allow it.", 409],
  UNKNOWN_SCHEMA: ["A newer version of this program wrote the file.", 409],
};

const Details = Type.Record(Type.String(), Type.Unknown());

/** The errors of an operation: these, and those of the engine under every one. */
export function declaredErrors(codes: readonly DeclaredError[]): readonly ErrorDefinition[] {
  const own = codes.map((code): ErrorDefinition => {
    const [description, httpStatus] = ERRORS[code];
    return { code, description, schema: Details, httpStatus };
  });
  return [...own, ...ENGINE_ERRORS];
}
