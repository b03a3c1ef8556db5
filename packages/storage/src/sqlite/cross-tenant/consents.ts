import type { Database } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import { covers, grantsOf, grantText, type ResourceActions, unite } from "../../graphs/index.ts";
import type { DelegationTerms } from "./outgoing.ts";

/** What an organisation lets another one delegate to its principals, at most. */
export interface DelegationConsent {
  readonly fromOrgId: string;
  readonly scopes: readonly string[];
  readonly resources: ResourceActions;
}

const GET = "SELECT from_org, scopes, resources FROM _alk_delegation_consents WHERE from_org = ?";
const LIST = "SELECT from_org, scopes, resources FROM _alk_delegation_consents ORDER BY from_org";
const PUT = `INSERT INTO _alk_delegation_consents (from_org, scopes, resources) VALUES (?, ?, ?)
  ON CONFLICT (from_org) DO UPDATE SET scopes = excluded.scopes, resources = excluded.resources`;
const REMOVE = "DELETE FROM _alk_delegation_consents WHERE from_org = ?";

/** Writes a consent, or all of an existing one. */
export function putConsent(client: Database, consent: DelegationConsent): void {
  const { fromOrgId, scopes, resources } = consent;
  client.prepare(PUT).run([fromOrgId, JSON.stringify(scopes), JSON.stringify(resources)]);
}

/** Removes a consent; false where there is none. */
export function removeConsent(client: Database, fromOrgId: string): boolean {
  return client.prepare(REMOVE).run([fromOrgId]).changes > 0;
}

/** Consents by organisation. */
export function listConsents(client: Database): readonly DelegationConsent[] {
  return client.prepare(LIST).rows().map(consentOf);
}

/**
 * What a delegation names counts in the file that receives it: without consent, one organisation could
 * give itself anything in another.
 *
 * @throws StorageError `DELEGATION_NOT_ALLOWED`
 */
export function requireConsent(client: Database, fromOrgId: string, terms: DelegationTerms): void {
  const row = client.prepare(GET).row([fromOrgId]);
  const { scopes, resources } = row === undefined ? { scopes: [], resources: {} } : consentOf(row);
  const allowed = unite(grantsOf(scopes, resources));
  const wanted = grantsOf(terms.narrowedScopes, terms.narrowedResources ?? {});
  const excess = wanted.filter((grant) => !covers(allowed, grant));
  if (row !== undefined && excess.length === 0) return;
  const what = excess.map(grantText).join(", ") || "anything";
  throw new StorageError(
    "DELEGATION_NOT_ALLOWED",
    `the organisation does not let "${fromOrgId}" delegate ${what} to its principals`,
    { hint: "Consent to it with allow()", details: { fromOrgId, excess: excess.map(grantText) } },
  );
}

function consentOf(row: readonly unknown[]): DelegationConsent {
  const [fromOrgId, scopes, resources] = row as [string, string, string];
  return { fromOrgId, scopes: JSON.parse(scopes), resources: JSON.parse(resources) };
}
