import { eq } from "drizzle-orm";
import { StorageError } from "../../errors.ts";
import { createAcl } from "../acl/acl.ts";
import { principalKey } from "../acl/acl-keys.ts";
import type { SystemDatabase } from "../client.ts";
import { apiKeys } from "../tables/identity/api-keys.ts";
import { hashApiKey } from "./api-key-format.ts";
import { ApiKeyReader } from "./api-key-reader.ts";
import { type AuthorizeOptions, authorize, levelsIn } from "./authorize.ts";
import { DEFAULT_MEMBERSHIP_SCOPES } from "./membership-scopes.ts";
import type { Principal } from "./principal.ts";

/** Where {@link explainAccess} looks. */
export interface ExplainAccessOptions extends AuthorizeOptions {
  readonly system: SystemDatabase;
  /** Milliseconds since 1970, default now. */
  readonly now?: number;
}

/** About which key, in which organisation. */
export type ExplainAccessQuestion = { readonly orgId: string } & (
  | { readonly keyId: string }
  | { readonly key: string }
);

/** One step from a key to what it may do. */
export interface AccessStep {
  readonly step: "key" | "membership" | "tenant" | "acl" | "identity";
  readonly ok: boolean;
  /** For a person. */
  readonly text: string;
}

/**
 * Why a key may do what it may in an organisation, or why not, step by step. For operators: it tells what
 * callers must not learn. It counts for no limit and leaves no trace.
 *
 * @throws StorageError `NOT_FOUND` for an unknown `keyId`
 * @example
 * ```ts
 * for (const { ok, text } of explainAccess({ system, tenants }, { keyId, orgId })) {
 *   console.log(ok ? "yes" : "NO ", text);
 * }
 * ```
 */
export function explainAccess(
  { system, now = Date.now(), ...where }: ExplainAccessOptions,
  question: ExplainAccessQuestion,
): readonly AccessStep[] {
  const { orgId } = question;
  const hash = "key" in question ? hashApiKey(question.key) : hashOf(system, question.keyId);
  const verdict = new ApiKeyReader(system.$client).read(hash, now);
  if (verdict.principal === null) {
    const { reason, credentialId } = verdict.refusal;
    const text = credentialId === null ? "there is no such key" : `key ${credentialId}: ${reason}`;
    return [{ step: "key", ok: false, text }];
  }
  const { principal } = verdict;
  return [{ step: "key", ok: true, text: keyText(principal) }, ...inOrg(where, principal, orgId)];
}

function inOrg(where: AuthorizeOptions, principal: Principal, orgId: string): AccessStep[] {
  const levels = levelsIn(principal, orgId);
  if (levels.length === 0) {
    const bound = principal.orgId !== null && principal.orgId !== orgId;
    const text = bound ? `the key works in ${principal.orgId} only` : `no member of ${orgId}`;
    return [{ step: "membership", ok: false, text }];
  }
  const scopes = where.membershipScopes ?? DEFAULT_MEMBERSHIP_SCOPES;
  const membership: AccessStep = {
    step: "membership",
    ok: true,
    text: levels.map((level) => `as ${level}: ${list(scopes[level])}`).join("; "),
  };
  const access = authorize(where, principal, orgId);
  if (!access.ok) {
    const text = access.code === "UNAVAILABLE" ? access.error.message : access.message;
    return [membership, { step: "tenant", ok: false, text }];
  }
  using tenant = access.tenant;
  const paths = createAcl(tenant.db).explain(principalKey("account", principal.accountId));
  const given = (paths ?? []).flatMap((one) => one.paths.slice(0, 1)).map(({ text }) => text);
  const { identity } = access;
  return [
    membership,
    { step: "tenant", ok: true, text: `tenant ${orgId} is open` },
    { step: "acl", ok: true, text: given.length === 0 ? "the ACL adds nothing" : given.join("; ") },
    { step: "identity", ok: true, text: `together: ${list(identity.scopes)}` },
  ];
}

function keyText({ credentialId, accountId, accessLevel, scopes }: Principal): string {
  const limit = scopes === null ? "" : `, at most ${list(scopes)}`;
  return `key ${credentialId} of account ${accountId} (${accessLevel})${limit}`;
}

function list(scopes: readonly string[]): string {
  return scopes.length === 0 ? "nothing" : scopes.join(", ");
}

function hashOf(system: SystemDatabase, keyId: string): string {
  const columns = { keyHash: apiKeys.keyHash };
  const row = system.select(columns).from(apiKeys).where(eq(apiKeys.id, keyId)).get();
  if (row !== undefined) return row.keyHash;
  throw new StorageError("NOT_FOUND", `there is no API key "${keyId}"`, { details: { keyId } });
}
