/**
 * Where each tenant is in its life. `file` compares without case, since some file systems do: two
 * organisations never share a file. `operation` is what was begun and is not over; it is finished or
 * undone by whoever finds it without a holder of the tenant's lock.
 */
export const TENANTS: readonly string[] = [
  `CREATE TABLE _alk_tenants (
    org_id TEXT PRIMARY KEY NOT NULL REFERENCES organizations (id) ON DELETE RESTRICT,
    state TEXT NOT NULL,
    previous TEXT NOT NULL DEFAULT '[]',
    file TEXT NOT NULL COLLATE NOCASE UNIQUE,
    quota TEXT,
    purge_after INTEGER,
    operation TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT _alk_tenants_state CHECK (state IN (
      'creating', 'active', 'suspended', 'archiving', 'archived', 'unarchiving', 'deleting', 'purging')),
    CONSTRAINT _alk_tenants_previous_json CHECK (json_valid(previous)),
    CONSTRAINT _alk_tenants_quota_json CHECK (quota IS NULL OR json_valid(quota)),
    CONSTRAINT _alk_tenants_operation_json CHECK (operation IS NULL OR json_valid(operation))
  ) WITHOUT ROWID`,
  "CREATE INDEX _alk_tenants_by_state ON _alk_tenants (state, org_id)",
  `CREATE INDEX _alk_tenants_due ON _alk_tenants (purge_after) WHERE purge_after IS NOT NULL`,
  `CREATE INDEX _alk_tenants_pending ON _alk_tenants (org_id) WHERE operation IS NOT NULL`,
];
