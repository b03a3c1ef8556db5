import { StorageError } from "../../errors.ts";
import { IDENTITY_TYPES, type IdentityType, type PrincipalKey } from "../../graphs/index.ts";

/** A principal's key, taken apart. */
export interface PrincipalName {
  readonly key: PrincipalKey;
  readonly identityType: IdentityType;
  readonly identityId: string;
}

/** The key of a principal: `account:018f…`. */
export function principalKey(identityType: IdentityType, identityId: string): PrincipalKey {
  return `${identityType}:${identityId}`;
}

/** Takes a principal's key apart. @throws StorageError `INVALID_ARGUMENT` */
export function readPrincipalKey(key: unknown): PrincipalName {
  if (typeof key === "string") {
    const colon = key.indexOf(":");
    const identityType = IDENTITY_TYPES.find((type) => type === key.slice(0, colon));
    const identityId = key.slice(colon + 1);
    if (identityType !== undefined && identityId !== "") {
      return { key: principalKey(identityType, identityId), identityType, identityId };
    }
  }
  throw new StorageError("INVALID_ARGUMENT", `${shown(key)} is not the key of a principal`, {
    hint: `Write ${IDENTITY_TYPES.map((type) => `${type}:<id>`).join(", ")}`,
    details: { key },
  });
}

const RESOURCE_NODE = "resource:";

/** A resource's name, taken apart. */
export interface ResourceName {
  /** `type:id`, or `type:*` for all of the type. */
  readonly resource: string;
  readonly resourceType: string;
  readonly resourceId: string;
  /** Key of its node. */
  readonly key: string;
}

/** Takes `type:id` apart. @throws StorageError `INVALID_ARGUMENT` */
export function readResource(resource: unknown): ResourceName {
  if (typeof resource === "string") {
    const colon = resource.indexOf(":");
    const resourceType = resource.slice(0, colon);
    const resourceId = resource.slice(colon + 1);
    if (colon > 0 && resourceId !== "" && resourceType !== "*") {
      return { resource, resourceType, resourceId, key: `${RESOURCE_NODE}${resource}` };
    }
  }
  throw new StorageError("INVALID_ARGUMENT", `${shown(resource)} does not name a resource`, {
    hint: "Write type:id, or type:* for all of the type",
    details: { resource },
  });
}

/** `type:id` of a resource's node, or null where the node is none. */
export function resourceOfNode(key: string): string | null {
  return key.startsWith(RESOURCE_NODE) ? key.slice(RESOURCE_NODE.length) : null;
}

function shown(value: unknown): string {
  return typeof value === "string" ? `"${value}"` : String(value);
}
