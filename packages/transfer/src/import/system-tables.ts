import type { Field } from "../postgres/copy-text.ts";
import { secondsOf, textOf } from "../postgres/expressions.ts";
import type { SourceSchema } from "../postgres/source-schema.ts";
import { tableQuery } from "../postgres/table-query.ts";
import { commonFields, expiry, FIRST_OWN_FIELD, jsonColumn, rowValues } from "./common-values.ts";
import { keyRotationsImport } from "./key-rotations.ts";
import { organizationMembersImport, organizationsImport } from "./organization-tables.ts";
import type { RowContext, TableImport } from "./table-import.ts";
import { bit, required, seconds, withMember } from "./values.ts";

/** Positions in the values of an account: id, metadata, created_at, updated_at, email. */
const METADATA = 1;
const EMAIL = 4;

/** The imports of system.db, in the order that their references ask for. */
export function systemTables(schema: SourceSchema): readonly TableImport[] {
  const imports: TableImport[] = [accountsImport(schema), organizationsImport(schema)];
  if (schema.has("organization_members")) imports.push(organizationMembersImport(schema));
  if (schema.has("api_keys")) imports.push(apiKeysImport(schema));
  if (schema.has("api_keys", "rotated_to_id")) imports.push(keyRotationsImport(schema));
  if (schema.has("peer_credentials")) imports.push(peerCredentialsImport(schema));
  if (schema.has("audit_logs")) imports.push(auditLogsImport(schema));
  return imports;
}

function accountsImport(schema: SourceSchema): TableImport {
  const from = { table: "accounts", alias: "a" };
  return {
    name: "accounts",
    counted: "accounts",
    place: "system",
    target: "accounts",
    query: tableQuery("accounts", `FROM ${schema.qualified("accounts")} a`, {
      org: "''",
      ...commonFields(schema, from),
      email: textOf(schema, from, "email"),
      display_name: textOf(schema, from, "display_name"),
      access_level: textOf(schema, from, "access_level"),
      status: textOf(schema, from, "status"),
    }),
    map(row, context) {
      const [email = null, displayName = null, accessLevel = null, status = null] = own(row);
      const given = required(email, "email");
      const trimmed = given.trim();
      if (trimmed !== given) context.changed("EMAIL_TRIMMED", `email was ${JSON.stringify(given)}`);
      return rowValues(row, context, [
        trimmed,
        displayName,
        accessLevel ?? "user",
        status ?? "active",
      ]);
    },
    amend(values, reason, context) {
      if (!reason.includes("accounts.email")) return undefined;
      const email = String(values[EMAIL]);
      context.changed(
        "EMAIL_TAKEN",
        `email was ${JSON.stringify(email)}, which another account has`,
      );
      return values.map((value, index) => {
        if (index === EMAIL) return withSuffix(email, String(values[0]));
        return index === METADATA
          ? withMember(String(value), "_import", JSON.stringify({ email }))
          : value;
      });
    },
  };
}

/** `ada@x` of account 0190… becomes `ada+0190…@x`. */
function withSuffix(email: string, id: string): string {
  const at = email.lastIndexOf("@");
  return at === -1 ? `${email}+${id}` : `${email.slice(0, at)}+${id}${email.slice(at)}`;
}

function apiKeysImport(schema: SourceSchema): TableImport {
  const from = { table: "api_keys", alias: "k" };
  return {
    name: "api_keys",
    counted: "api_keys",
    place: "system",
    target: "api_keys",
    query: tableQuery("api_keys", `FROM ${schema.qualified("api_keys")} k`, {
      org: "''",
      ...commonFields(schema, from),
      owner_id: textOf(schema, from, "owner_id"),
      key_hash: textOf(schema, from, "key_hash"),
      name: textOf(schema, from, "name"),
      enabled: textOf(schema, from, "enabled"),
      expires_at: secondsOf(schema, from, "expires_at"),
      revoked_at: secondsOf(schema, from, "revoked_at"),
      last_used_at: secondsOf(schema, from, "last_used_at"),
    }),
    map(row, context) {
      const [ownerId = null, keyHash = null, name = null, enabled = null] = own(row);
      const [expiresAt = null, revokedAt = null, lastUsedAt = null] = own(row).slice(4);
      return rowValues(row, context, [
        required(ownerId, "owner_id"),
        required(keyHash, "key_hash").toLowerCase(),
        name,
        bit(enabled, 1),
        expiry(expiresAt, context),
        // a key revoked at infinity counts as revoked where it comes from: null would give it back
        seconds(revokedAt, "revoked_at"),
        // the key that took over may not be here yet: see keyRotationsImport
        null,
        seconds(lastUsedAt, "last_used_at"),
      ]);
    },
  };
}

function peerCredentialsImport(schema: SourceSchema): TableImport {
  const from = { table: "peer_credentials", alias: "p" };
  return {
    name: "peer_credentials",
    counted: "peer_credentials",
    place: "system",
    target: "peer_credentials",
    query: tableQuery("peer_credentials", `FROM ${schema.qualified("peer_credentials")} p`, {
      org: "''",
      ...commonFields(schema, from),
      owner_id: textOf(schema, from, "owner_id"),
      credential_type: textOf(schema, from, "credential_type"),
      fingerprint: textOf(schema, from, "fingerprint"),
      public_key_data: textOf(schema, from, "public_key_data"),
      name: textOf(schema, from, "name"),
      enabled: textOf(schema, from, "enabled"),
      expires_at: secondsOf(schema, from, "expires_at"),
      revoked_at: secondsOf(schema, from, "revoked_at"),
    }),
    map(row, context) {
      const [ownerId = null, type = null, fingerprint = null, data = null, name = null] = own(row);
      const [enabled = null, expiresAt = null, revokedAt = null] = own(row).slice(5);
      return rowValues(row, context, [
        required(ownerId, "owner_id"),
        required(type, "credential_type"),
        required(fingerprint, "fingerprint"),
        required(data, "public_key_data"),
        name,
        bit(enabled, 1),
        expiry(expiresAt, context),
        seconds(revokedAt, "revoked_at"),
      ]);
    },
  };
}

/** Position of org_id in the values of an audit row. */
const AUDIT_ORG = 8;

function auditLogsImport(schema: SourceSchema): TableImport {
  const from = { table: "audit_logs", alias: "l" };
  return {
    name: "audit_logs",
    counted: "audit_logs",
    place: "system",
    target: "audit_logs",
    query: tableQuery(
      "audit_logs",
      `FROM ${schema.qualified("audit_logs")} l
       LEFT JOIN ${schema.qualified("organizations")} o ON o.id::text = l.org_id::text`,
      {
        org: "''",
        ...commonFields(schema, from),
        action: textOf(schema, from, "action"),
        owner_id: textOf(schema, from, "owner_id"),
        credential_id: textOf(schema, from, "credential_id"),
        credential_type: textOf(schema, from, "credential_type"),
        org_id: textOf(schema, from, "org_id"),
        details: textOf(schema, from, "details"),
        org_exists: "(o.id IS NOT NULL)::text",
      },
    ),
    map(row, context) {
      const [action = null, ownerId = null, credentialId = null, credentialType = null] = own(row);
      const [orgId = null, details = null, exists = null] = own(row).slice(4);
      return rowValues(row, context, [
        required(action, "action"),
        required(ownerId, "owner_id"),
        credentialId,
        credentialType,
        exists === "true" ? orgId : withoutOrg(orgId, context),
        jsonColumn(details, "details", context),
      ]);
    },
    amend(values, reason, context) {
      const orgId = values[AUDIT_ORG];
      // either reference may be the missing one; without an organization only the owner is left
      if (!reason.includes("FOREIGN KEY") || typeof orgId !== "string") return undefined;
      withoutOrg(orgId, context);
      return values.map((value, index) => (index === AUDIT_ORG ? null : value));
    },
  };
}

function withoutOrg(orgId: Field, context: RowContext): null {
  if (orgId !== null) {
    context.changed("REFERENCE_REMOVED", `there is no organization "${orgId}": org_id is null`);
  }
  return null;
}

function own(row: readonly Field[]): readonly Field[] {
  return row.slice(FIRST_OWN_FIELD);
}
