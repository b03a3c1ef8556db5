import { COMMON_COLUMNS } from "./metagraph-types.ts";

/*
 * STRICT: a text is a text and a time is an integer, whoever writes. Tables whose rows must not vanish are
 * WITHOUT ROWID besides: `INSERT OR REPLACE` on a rowid would delete a row that no trigger is asked about.
 */

const ACCOUNTS = `CREATE TABLE accounts (
  ${COMMON_COLUMNS},
  email text NOT NULL COLLATE NOCASE,
  display_name text,
  access_level text DEFAULT 'user' NOT NULL,
  status text DEFAULT 'active' NOT NULL,
  CONSTRAINT accounts_metadata_json CHECK (json_valid(metadata)),
  CONSTRAINT accounts_email CHECK (email <> '' AND email = trim(email)),
  CONSTRAINT accounts_access_level CHECK (access_level IN ('admin', 'user', 'service')),
  CONSTRAINT accounts_status CHECK (status IN ('active', 'suspended', 'deactivated'))
) STRICT`;

const ORGANIZATIONS = `CREATE TABLE organizations (
  ${COMMON_COLUMNS},
  name text NOT NULL,
  slug text NOT NULL,
  owner_id text NOT NULL REFERENCES accounts (id) ON DELETE RESTRICT,
  CONSTRAINT organizations_metadata_json CHECK (json_valid(metadata)),
  CONSTRAINT organizations_name CHECK (name <> ''),
  CONSTRAINT organizations_slug CHECK (slug NOT GLOB '*[^a-z0-9-]*' AND slug GLOB '[a-z0-9]*' AND slug NOT GLOB '*-' AND length(slug) <= 63)
) STRICT`;

const ORGANIZATION_MEMBERS = `CREATE TABLE organization_members (
  ${COMMON_COLUMNS},
  org_id text NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  account_id text NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  membership_level text NOT NULL,
  CONSTRAINT organization_members_metadata_json CHECK (json_valid(metadata)),
  CONSTRAINT organization_members_level CHECK (membership_level IN ('owner', 'admin', 'member'))
) STRICT, WITHOUT ROWID`;

const API_KEYS = `CREATE TABLE api_keys (
  ${COMMON_COLUMNS},
  owner_id text NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  key_hash text NOT NULL,
  name text,
  enabled integer DEFAULT true NOT NULL,
  expires_at integer,
  revoked_at integer,
  rotated_to_id text REFERENCES api_keys (id) ON DELETE SET NULL,
  last_used_at integer,
  CONSTRAINT api_keys_metadata_json CHECK (json_valid(metadata)),
  CONSTRAINT api_keys_key_hash CHECK (length(key_hash) = 64 AND key_hash NOT GLOB '*[^0-9a-f]*'),
  CONSTRAINT api_keys_enabled CHECK (enabled IN (0, 1)),
  CONSTRAINT api_keys_rotated_to_id CHECK (rotated_to_id <> id)
) STRICT`;

const PEER_CREDENTIALS = `CREATE TABLE peer_credentials (
  ${COMMON_COLUMNS},
  owner_id text NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  credential_type text NOT NULL,
  fingerprint text NOT NULL,
  public_key_data text NOT NULL,
  name text,
  enabled integer DEFAULT true NOT NULL,
  expires_at integer,
  revoked_at integer,
  CONSTRAINT peer_credentials_metadata_json CHECK (json_valid(metadata)),
  CONSTRAINT peer_credentials_type CHECK (credential_type IN ('ssh_key', 'cert_authority')),
  CONSTRAINT peer_credentials_fingerprint CHECK (fingerprint <> ''),
  CONSTRAINT peer_credentials_enabled CHECK (enabled IN (0, 1))
) STRICT`;

const AUDIT_LOGS = `CREATE TABLE audit_logs (
  ${COMMON_COLUMNS},
  action text NOT NULL,
  owner_id text NOT NULL REFERENCES accounts (id) ON DELETE RESTRICT,
  credential_id text,
  credential_type text,
  org_id text REFERENCES organizations (id) ON DELETE SET NULL,
  details text,
  CONSTRAINT audit_logs_metadata_json CHECK (json_valid(metadata)),
  CONSTRAINT audit_logs_action CHECK (action <> ''),
  CONSTRAINT audit_logs_credential_type CHECK (credential_type IN ('api_key', 'ssh_key', 'cert_authority')),
  CONSTRAINT audit_logs_credential CHECK ((credential_id IS NULL) = (credential_type IS NULL)),
  CONSTRAINT audit_logs_details_json CHECK (json_valid(details))
) STRICT, WITHOUT ROWID`;

/** Accounts, organizations with their members, keys, credentials and the audit trail. */
export const IDENTITY_TABLES: readonly string[] = [
  ACCOUNTS,
  "CREATE UNIQUE INDEX accounts_email_unique ON accounts (email)",
  ORGANIZATIONS,
  "CREATE UNIQUE INDEX organizations_name_unique ON organizations (name)",
  "CREATE UNIQUE INDEX organizations_slug_unique ON organizations (slug)",
  "CREATE INDEX organizations_owner_id ON organizations (owner_id)",
  ORGANIZATION_MEMBERS,
  `CREATE UNIQUE INDEX organization_members_org_id_account_id
    ON organization_members (org_id, account_id)`,
  "CREATE INDEX organization_members_account_id ON organization_members (account_id)",
  API_KEYS,
  "CREATE UNIQUE INDEX api_keys_key_hash_unique ON api_keys (key_hash)",
  "CREATE INDEX api_keys_owner_id ON api_keys (owner_id)",
  `CREATE INDEX api_keys_rotated_to_id ON api_keys (rotated_to_id)
    WHERE rotated_to_id IS NOT NULL`,
  PEER_CREDENTIALS,
  "CREATE UNIQUE INDEX peer_credentials_fingerprint_unique ON peer_credentials (fingerprint)",
  "CREATE INDEX peer_credentials_owner_id ON peer_credentials (owner_id)",
  AUDIT_LOGS,
  "CREATE INDEX audit_logs_owner_id_created_at ON audit_logs (owner_id, created_at)",
  "CREATE INDEX audit_logs_org_id_created_at ON audit_logs (org_id, created_at)",
  "CREATE INDEX audit_logs_action_created_at ON audit_logs (action, created_at)",
];
