/**
 * Delegations to and from other organisations. Each row names both organisations, so that a copy of the
 * file under another organisation is found out. Ids are those of the intent on both sides.
 */
export const CROSS_TENANT: readonly string[] = [
  `CREATE TABLE _alk_delegations_out (
    id TEXT PRIMARY KEY NOT NULL,
    from_org TEXT NOT NULL,
    from_principal TEXT NOT NULL,
    to_org TEXT NOT NULL,
    to_principal TEXT NOT NULL,
    terms TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    CONSTRAINT _alk_delegations_out_terms_json CHECK (json_valid(terms)),
    CONSTRAINT _alk_delegations_out_state CHECK (state IN (
      'pending', 'applied', 'refused', 'revoking', 'revoked', 'failed'))
  ) STRICT, WITHOUT ROWID`,
  "CREATE INDEX _alk_delegations_out_state ON _alk_delegations_out (state, id)",
  `CREATE TABLE _alk_delegations_in (
    id TEXT PRIMARY KEY NOT NULL,
    from_org TEXT NOT NULL,
    to_org TEXT NOT NULL,
    stub TEXT NOT NULL,
    to_principal TEXT NOT NULL,
    terms TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    updated_at_ms INTEGER NOT NULL,
    CONSTRAINT _alk_delegations_in_terms_json CHECK (json_valid(terms)),
    CONSTRAINT _alk_delegations_in_state CHECK (state IN ('applied', 'revoked'))
  ) STRICT, WITHOUT ROWID`,
  "CREATE INDEX _alk_delegations_in_from ON _alk_delegations_in (from_org, id)",
  `CREATE TABLE _alk_delegation_consents (
    from_org TEXT PRIMARY KEY NOT NULL,
    scopes TEXT NOT NULL,
    resources TEXT NOT NULL,
    CONSTRAINT _alk_delegation_consents_json CHECK (json_valid(scopes) AND json_valid(resources))
  ) STRICT, WITHOUT ROWID`,
];
