/**
 * Random rather than counted: a number that was rolled back comes again with other content, and what was
 * remembered inside that transaction would pass for current.
 */
const SET_TOKEN = `INSERT INTO _alk_storage_state (key, value) VALUES ('auth_token', hex(randomblob(16)))
    ON CONFLICT (key) DO UPDATE SET value = excluded.value;`;

function tokenTrigger(name: string, event: string, condition = ""): string {
  return `CREATE TRIGGER auth_token_${name} AFTER ${event} ${condition} BEGIN ${SET_TOKEN} END`;
}

/** Inserts count as well: `INSERT OR REPLACE` deletes without firing delete triggers. */
const TOKEN_TRIGGERS: readonly string[] = [
  tokenTrigger(
    "key_updated",
    "UPDATE OF id, owner_id, key_hash, enabled, expires_at, revoked_at ON api_keys",
  ),
  tokenTrigger("key_inserted", "INSERT ON api_keys"),
  tokenTrigger("key_deleted", "DELETE ON api_keys"),
  tokenTrigger("limits_updated", "UPDATE ON _alk_api_key_limits"),
  tokenTrigger("limits_inserted", "INSERT ON _alk_api_key_limits"),
  tokenTrigger("limits_deleted", "DELETE ON _alk_api_key_limits"),
  tokenTrigger("account_updated", "UPDATE OF id, access_level, status ON accounts"),
  tokenTrigger("account_inserted", "INSERT ON accounts"),
  tokenTrigger("account_deleted", "DELETE ON accounts"),
  tokenTrigger("member_updated", "UPDATE ON organization_members"),
  tokenTrigger("member_inserted", "INSERT ON organization_members"),
  tokenTrigger("member_deleted", "DELETE ON organization_members"),
  tokenTrigger("organization_deleted", "DELETE ON organizations"),
];

/**
 * What authentication adds to the identity tables: limits of keys, challenges that were answered, and a
 * token that is another one after every change of who may sign in, whoever makes it.
 *
 * Limits have no foreign key: replacing a key by `INSERT OR REPLACE` must not free it of them.
 */
export const AUTH: readonly string[] = [
  `CREATE TABLE _alk_api_key_limits (
    key_id TEXT PRIMARY KEY NOT NULL,
    scopes TEXT,
    org_id TEXT,
    CONSTRAINT _alk_api_key_limits_scopes_json CHECK (scopes IS NULL OR json_type(scopes) = 'array')
  ) STRICT, WITHOUT ROWID`,
  `CREATE TRIGGER api_keys_limits_go AFTER DELETE ON api_keys
    BEGIN DELETE FROM _alk_api_key_limits WHERE key_id = OLD.id; END`,
  `CREATE TABLE _alk_used_challenges (
    nonce TEXT PRIMARY KEY NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`,
  "CREATE INDEX _alk_used_challenges_expires_at ON _alk_used_challenges (expires_at)",
  ...TOKEN_TRIGGERS,
];
