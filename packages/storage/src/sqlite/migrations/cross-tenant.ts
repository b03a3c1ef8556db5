/**
 * Delegations to and from other organisations. An id is that of the intent, on both sides; who chooses it is
 * the delegating organisation, so in the receiving file it stands beside its name.
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
      'pending', 'applied', 'refused', 'expired', 'revoking', 'revoked', 'failed'))
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE _alk_delegations_in (
    from_org TEXT NOT NULL,
    id TEXT NOT NULL,
    stub TEXT NOT NULL,
    to_principal TEXT NOT NULL,
    terms TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    updated_at_ms INTEGER NOT NULL,
    PRIMARY KEY (from_org, id),
    CONSTRAINT _alk_delegations_in_terms_json CHECK (json_valid(terms)),
    CONSTRAINT _alk_delegations_in_state CHECK (state IN ('applied', 'revoked'))
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE _alk_delegation_consents (
    from_org TEXT PRIMARY KEY NOT NULL,
    scopes TEXT NOT NULL,
    resources TEXT NOT NULL,
    CONSTRAINT _alk_delegation_consents_json CHECK (json_valid(scopes) AND json_valid(resources))
  ) STRICT, WITHOUT ROWID`,
];
