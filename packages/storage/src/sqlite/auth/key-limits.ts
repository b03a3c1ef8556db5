import type { Database } from "@alkdev/honker";
import { isConcreteScope } from "@alkdev/operations";
import { sqliteTable, text } from "drizzle-orm/sqlite-core";
import { StorageError } from "../../errors.ts";
import { requireOrgId } from "../tenants/org-id.ts";

/** What a key may do less than its owner. */
export interface KeyLimits {
  /** The key gives at most these scopes; null: all that its owner holds. */
  readonly scopes: readonly string[] | null;
  /** The only organisation the key works in; null: all of its owner's. */
  readonly orgId: string | null;
}

/** Limits by key; no row: none. */
export const apiKeyLimits = sqliteTable("_alk_api_key_limits", {
  keyId: text("key_id").primaryKey(),
  scopes: text("scopes"),
  orgId: text("org_id"),
});

const INSERT = "INSERT INTO _alk_api_key_limits (key_id, scopes, org_id) VALUES (?, ?, ?)";
const COPY = `INSERT INTO _alk_api_key_limits (key_id, scopes, org_id)
  SELECT ?, scopes, org_id FROM _alk_api_key_limits WHERE key_id = ?`;

/** Limits a new key, in the open transaction. @throws StorageError `INVALID_ARGUMENT` */
export function limitKey(client: Database, keyId: string, { scopes, orgId }: KeyLimits): void {
  if (scopes === null && orgId === null) return;
  if (scopes !== null) requireScopes(scopes);
  if (orgId !== null) requireOrgId(orgId);
  client.prepare(INSERT).run([keyId, scopes === null ? null : JSON.stringify(scopes), orgId]);
}

/** Gives a key the limits of another, in the open transaction. */
export function copyLimits(client: Database, fromKeyId: string, toKeyId: string): void {
  client.prepare(COPY).run([toKeyId, fromKeyId]);
}

/** Limits as their row holds them; both null where there is no row. */
export function readLimits(scopes: unknown, orgId: unknown): KeyLimits {
  return {
    scopes: typeof scopes === "string" ? Object.freeze(JSON.parse(scopes) as string[]) : null,
    orgId: typeof orgId === "string" ? orgId : null,
  };
}

/** `*`, names joined by `:`, or those with `:*` behind them. */
function isHeldScope(scope: unknown): boolean {
  if (typeof scope !== "string") return false;
  return scope === "*" || isConcreteScope(scope.endsWith(":*") ? scope.slice(0, -2) : scope);
}

function requireScopes(scopes: readonly string[]): void {
  const wrong = Array.isArray(scopes) ? scopes.find((scope) => !isHeldScope(scope)) : scopes;
  if (Array.isArray(scopes) && wrong === undefined) return;
  throw new StorageError(
    "INVALID_ARGUMENT",
    `scopes of a key must be a list of scopes, got ${JSON.stringify(wrong)}`,
    { hint: 'A scope is names joined by ":", "*" only as the last: graphs:read, graphs:*' },
  );
}
