import { CallError } from "../errors.ts";
import { valueAt } from "../schema/json-pointer.ts";
import type { AccessControl } from "./access-control.ts";
import type { Identity } from "./identity.ts";
import { scopeMatches } from "./scopes.ts";

/** Whether a call may go on, and if not, why: a sentence that may be shown to the caller. */
export type AccessDecision =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly reason: string };

const ALLOWED: AccessDecision = { allowed: true };

/**
 * Decides whether somebody may call an operation with an input: scopes first, then the resource. Without
 * an identity everything but `public` operations is denied.
 */
export function checkAccess(
  accessControl: AccessControl,
  identity: Identity | undefined,
  input: unknown,
): AccessDecision {
  const decision = checkCaller(accessControl, identity);
  return decision.allowed ? checkResource(accessControl, identity, input) : decision;
}

/** The part of {@link checkAccess} that needs no input: who calls, with which scopes. */
export function checkCaller(
  accessControl: AccessControl,
  identity: Identity | undefined,
): AccessDecision {
  if (accessControl.public === true) return ALLOWED;
  if (!isIdentity(identity)) return denied("it needs an identity");
  const holds = (required: string): boolean =>
    identity.scopes.some((held) => scopeMatches(held, required));
  const missing = accessControl.requiredScopes.filter((required) => !holds(required));
  if (missing.length > 0) return denied(`it needs ${quoted(missing, " and ")}`);
  const any = accessControl.requiredScopesAny;
  if (any !== undefined && !any.some(holds)) return denied(`it needs ${quoted(any, " or ")}`);
  return ALLOWED;
}

/** The part of {@link checkAccess} that binds the caller to the resource the input names. */
export function checkResource(
  accessControl: AccessControl,
  identity: Identity | undefined,
  input: unknown,
): AccessDecision {
  const { resourceType, resourceAction, resourceIdFrom } = accessControl;
  if (resourceType === undefined || resourceAction === undefined) return ALLOWED;
  if (!isIdentity(identity)) return denied("it needs an identity");
  if (allows(identity, `${resourceType}:*`, resourceAction)) return ALLOWED;
  if (resourceIdFrom === undefined) {
    return denied(`it needs "${resourceAction}" on every ${resourceType}`);
  }
  const id = valueAt(input, resourceIdFrom);
  if (typeof id !== "string" || id === "") {
    return denied(`the input names no ${resourceType} at "${resourceIdFrom}"`);
  }
  return allows(identity, `${resourceType}:${id}`, resourceAction)
    ? ALLOWED
    : denied(`it needs "${resourceAction}" on this ${resourceType}`);
}

/**
 * Throws what a decision says.
 *
 * @throws {@link CallError} `ACCESS_DENIED`
 */
export function enforce(decision: AccessDecision, operationId: string): void {
  if (decision.allowed) return;
  throw new CallError("ACCESS_DENIED", `may not call ${operationId}: ${decision.reason}`, {
    details: { operationId, reason: decision.reason },
  });
}

/** Identities come from databases and tokens: what is not one grants nothing. */
function isIdentity(value: Identity | undefined): value is Identity {
  if (typeof value !== "object" || value === null) return false;
  return typeof value.id === "string" && value.id !== "" && Array.isArray(value.scopes);
}

function allows({ resources }: Identity, resource: string, action: string): boolean {
  if (typeof resources !== "object" || resources === null) return false;
  if (!Object.hasOwn(resources, resource)) return false;
  const actions: unknown = resources[resource];
  return Array.isArray(actions) && actions.includes(action);
}

function denied(reason: string): AccessDecision {
  return { allowed: false, reason };
}

function quoted(scopes: readonly string[], joint: string): string {
  return `scope ${scopes.map((scope) => `"${scope}"`).join(joint)}`;
}
