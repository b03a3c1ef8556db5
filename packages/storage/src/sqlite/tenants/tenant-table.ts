import type { Database, PreparedSql } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import type { Tenant, TenantOperation } from "./tenant.ts";
import type { TenantQuota } from "./tenant-quota.ts";
import type { TenantState } from "./tenant-states.ts";
import type { NotedVersion } from "./tenant-version.ts";

/** Channel of `system.db` that says that a tenant is in another state. */
export const TENANT_STATE_CHANGED = "tenant:state_changed";

/** A row of `_alk_tenants`. */
export interface TenantRow extends Tenant {
  /** States to go back to, the last one first left. */
  readonly previous: readonly TenantState[];
}

/** What of a row changes. */
export interface TenantChanges {
  readonly state?: TenantState;
  readonly previous?: readonly TenantState[];
  readonly quota?: TenantQuota | null;
  readonly purgeAfter?: Date | null;
  readonly operation?: TenantOperation | null;
}

/** Which tenants {@link TenantTable.list} gives. */
export interface TenantListOptions {
  /** Only those in this state. */
  readonly state?: TenantState;
  /** Only those whose id comes after this one; for pages. */
  readonly after?: string;
  /** At most so many; default all. */
  readonly limit?: number;
}

const COLUMNS = `org_id, state, previous, file, quota, purge_after, operation, created_at, updated_at,
  schema_version, app_version`;
const GET = `SELECT ${COLUMNS} FROM _alk_tenants WHERE org_id = ?`;
const LIST = `SELECT ${COLUMNS} FROM _alk_tenants WHERE org_id > ? ORDER BY org_id LIMIT ?`;
const LIST_STATE = `SELECT ${COLUMNS} FROM _alk_tenants
  WHERE state = ? AND org_id > ? ORDER BY org_id LIMIT ?`;
const PENDING = `SELECT ${COLUMNS} FROM _alk_tenants WHERE operation IS NOT NULL ORDER BY org_id`;
const DUE = `SELECT org_id FROM _alk_tenants
  WHERE purge_after IS NOT NULL AND purge_after <= ? ORDER BY purge_after, org_id`;
const FILE_OWNER = "SELECT org_id FROM _alk_tenants WHERE file = ?";
const ORGANIZATION_SLUG = "SELECT slug FROM organizations WHERE id = ?";
const INSERT = `INSERT INTO _alk_tenants (org_id, state, file, operation, created_at, updated_at)
  VALUES (?, ?, ?, ?, ?, ?)`;
const UPDATE = `UPDATE _alk_tenants SET state = ?, previous = ?, quota = ?, purge_after = ?,
  operation = ?, updated_at = ? WHERE org_id = ?`;
const SET_VERSION =
  "UPDATE _alk_tenants SET schema_version = ?, app_version = coalesce(?, app_version, 0) WHERE org_id = ?";
const REMOVE = "DELETE FROM _alk_tenants WHERE org_id = ?";

/** The tenants in `system.db`. Each write leaves its event in the same commit. */
export class TenantTable {
  readonly #client: Database;
  readonly #nowSeconds: () => number;
  readonly #get: PreparedSql;

  constructor(client: Database, nowSeconds: () => number) {
    this.#client = client;
    this.#nowSeconds = nowSeconds;
    this.#get = client.prepare(GET);
  }

  get(orgId: string): TenantRow | null {
    const row = this.#get.row([orgId]);
    return row === undefined ? null : tenantRow(row);
  }

  /** @throws {@link StorageError} `NOT_FOUND` */
  require(orgId: string): TenantRow {
    const row = this.get(orgId);
    if (row !== null) return row;
    throw new StorageError("NOT_FOUND", `organisation "${orgId}" has no tenant`, {
      hint: "Create one with create()",
      details: { orgId },
    });
  }

  list({ state, after = "", limit = -1 }: TenantListOptions): TenantRow[] {
    const rows =
      state === undefined
        ? this.#client.rows(LIST, [after, limit])
        : this.#client.rows(LIST_STATE, [state, after, limit]);
    return rows.map(tenantRow);
  }

  /** Those with an operation that is not over. */
  pending(): TenantRow[] {
    return this.#client.rows(PENDING).map(tenantRow);
  }

  /** Ids of those that may be purged at `seconds`, oldest first. */
  due(seconds: number): string[] {
    return this.#client.rows(DUE, [seconds]).map(([orgId]) => String(orgId));
  }

  /** The organisation whose tenant has a file of that name, in whatever case. */
  ownerOfFile(file: string): string | null {
    const row = this.#client.rows(FILE_OWNER, [file])[0];
    return row === undefined ? null : String(row[0]);
  }

  /** @throws {@link StorageError} `NOT_FOUND` when there is no such organisation */
  slugOf(orgId: string): string {
    const row = this.#client.rows(ORGANIZATION_SLUG, [orgId])[0];
    if (row !== undefined) return String(row[0]);
    throw new StorageError("NOT_FOUND", `there is no organisation "${orgId}"`, {
      hint: "Insert it into organizations first",
      details: { orgId },
    });
  }

  insert(orgId: string, file: string, operation: TenantOperation): void {
    const now = this.#nowSeconds();
    this.#client.transaction((tx) => {
      tx.execute(INSERT, [orgId, "creating", file, JSON.stringify(operation), now, now]);
      tx.notify(TENANT_STATE_CHANGED, { orgId, state: "creating" });
    });
  }

  update(orgId: string, changes: TenantChanges): TenantRow {
    return this.#client.transaction((tx) => {
      const before = this.require(orgId);
      const after: TenantRow = {
        ...before,
        ...changes,
        updatedAt: new Date(this.#nowSeconds() * 1_000),
      };
      tx.execute(UPDATE, [
        after.state,
        JSON.stringify(after.previous),
        jsonOrNull(after.quota),
        after.purgeAfter === null ? null : Math.ceil(after.purgeAfter.getTime() / 1_000),
        jsonOrNull(after.operation),
        after.updatedAt.getTime() / 1_000,
        orgId,
      ]);
      if (after.state !== before.state) {
        tx.notify(TENANT_STATE_CHANGED, { orgId, state: after.state });
      }
      return after;
    });
  }

  /** Notes at which version the tenant's file is; writes only where that is new. */
  noteVersion(orgId: string, { schema, app }: NotedVersion): void {
    const known = this.get(orgId)?.version;
    if (known?.schema === schema && known.app === (app ?? known.app)) return;
    this.#client.execute(SET_VERSION, [schema, app, orgId]);
  }

  remove(orgId: string): void {
    this.#client.transaction((tx) => {
      tx.execute(REMOVE, [orgId]);
      tx.notify(TENANT_STATE_CHANGED, { orgId, state: "removed" });
    });
  }
}

/** The part of a row that callers are given. */
export function publicTenant({ previous: _, ...tenant }: TenantRow): Tenant {
  return tenant;
}

function tenantRow(row: readonly unknown[]): TenantRow {
  const [orgId, state, previous, file, quota, purgeAfter, operation, createdAt, updatedAt] = row;
  const [schema, app] = row.slice(-2);
  return {
    orgId: String(orgId),
    state: state as TenantState,
    previous: JSON.parse(String(previous)) as TenantState[],
    file: String(file),
    quota: parsed<TenantQuota>(quota),
    version: schema === null ? null : { schema: Number(schema), app: Number(app) },
    purgeAfter: purgeAfter === null ? null : fromSeconds(purgeAfter),
    operation: parsed<TenantOperation>(operation),
    createdAt: fromSeconds(createdAt),
    updatedAt: fromSeconds(updatedAt),
  };
}

function parsed<T>(text: unknown): T | null {
  return text === null ? null : (JSON.parse(String(text)) as T);
}

function jsonOrNull(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}

function fromSeconds(seconds: unknown): Date {
  return new Date(Number(seconds) * 1_000);
}
