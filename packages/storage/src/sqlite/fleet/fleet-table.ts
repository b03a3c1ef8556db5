import type { Database, Queue } from "@alkdev/honker";
import { openCatalogQueue, type PayloadOf, systemCatalog } from "../../catalog/index.ts";
import type { TenantVersion } from "../tenants/tenant-version.ts";
import { uuidV7 } from "../uuid-v7.ts";
import type {
  FleetCounts,
  FleetRun,
  FleetRunOptions,
  FleetRunState,
  FleetTenant,
  FleetTenantStatus,
} from "./fleet-run.ts";

/** Payload of the queue `schema-migration` of `system.db`. */
export type FleetJob = PayloadOf<typeof systemCatalog.queues, "schema-migration">;

/** A tenant that a run shall migrate. */
export interface NewFleetTenant {
  readonly orgId: string;
  readonly canary: boolean;
  readonly from: TenantVersion;
}

/** How a tenant's part of a run ended. */
export interface FleetOutcome {
  readonly status: "done" | "failed" | "skipped";
  readonly backup?: string | null;
  readonly error?: string;
  readonly durationMs?: number;
}

/** Which tenants of a run {@link FleetTable.tenants} gives. */
export interface ListFleetTenantsOptions {
  /** Only those of which this became. */
  readonly status?: FleetTenantStatus;
  /** Only those whose id comes after this one; for pages. */
  readonly after?: string;
  /** At most so many; default all. */
  readonly limit?: number;
}

const RUN = `SELECT id, state, phase, schema_version, app_version, options, reason, started_at, ended_at
  FROM _alk_fleet_runs`;
const OPEN_RUN = `${RUN} WHERE ended_at IS NULL`;
const LATEST_RUN = `${RUN} ORDER BY id DESC LIMIT 1`;
const RUN_BY_ID = `${RUN} WHERE id = ?`;
const INSERT_RUN = `INSERT INTO _alk_fleet_runs
  (id, state, phase, schema_version, app_version, options, started_at)
  VALUES (?, 'running', ?, ?, ?, ?, ?)`;
const INSERT_TENANT = `INSERT INTO _alk_fleet_tenants
  (run_id, org_id, canary, status, from_schema, from_app) VALUES (?, ?, ?, 'pending', ?, ?)`;
const FORGET_OLD_RUNS = `DELETE FROM _alk_fleet_runs WHERE ended_at IS NOT NULL AND id NOT IN
  (SELECT id FROM _alk_fleet_runs ORDER BY id DESC LIMIT 20)`;
const TO_ENQUEUE = `SELECT org_id FROM _alk_fleet_tenants
  WHERE run_id = ? AND status = 'pending' AND canary = ? AND job_id IS NULL ORDER BY org_id`;
const SET_JOB = "UPDATE _alk_fleet_tenants SET job_id = ? WHERE run_id = ? AND org_id = ?";
const SET_PHASE = `UPDATE _alk_fleet_runs SET phase = 'rest' WHERE id = ? AND phase = 'canaries'
  AND ended_at IS NULL`;
const SET_STATE = `UPDATE _alk_fleet_runs SET state = ? WHERE id = ? AND ended_at IS NULL`;
const END_RUN = `UPDATE _alk_fleet_runs SET state = ?, reason = ?, ended_at = ?
  WHERE id = ? AND ended_at IS NULL`;
const PENDING_JOBS = `SELECT job_id FROM _alk_fleet_tenants
  WHERE run_id = ? AND status = 'pending' AND job_id IS NOT NULL`;
const SKIP_PENDING = `UPDATE _alk_fleet_tenants SET status = 'skipped', error = ?, ended_at = ?
  WHERE run_id = ? AND status = 'pending'`;
const END_TENANT = `UPDATE _alk_fleet_tenants
  SET status = ?, backup = ?, error = ?, duration_ms = ?, ended_at = ?
  WHERE run_id = ? AND org_id = ?`;
const TENANT = `SELECT org_id, canary, status, from_schema, from_app, backup, error, duration_ms, ended_at
  FROM _alk_fleet_tenants`;
const TENANT_OF_RUN = `${TENANT} WHERE run_id = ? AND org_id = ?`;
const TENANTS_OF_RUN = `${TENANT} WHERE run_id = ? AND org_id > ? ORDER BY org_id LIMIT ?`;
const TENANTS_BY_STATUS = `${TENANT} WHERE run_id = ? AND status = ? AND org_id > ?
  ORDER BY org_id LIMIT ?`;
const CANARIES = `${TENANT} WHERE run_id = ? AND canary = 1 ORDER BY org_id`;
const COUNTS = `SELECT status, count(*) FROM _alk_fleet_tenants WHERE run_id = ? GROUP BY status`;
const PENDING_CANARIES = `SELECT count(*) FROM _alk_fleet_tenants
  WHERE run_id = ? AND status = 'pending' AND canary = 1`;
const WITH_BACKUP = `${TENANT} WHERE run_id = ? AND status = 'done' AND backup IS NOT NULL`;
const FORGET_BACKUP = "UPDATE _alk_fleet_tenants SET backup = NULL WHERE run_id = ? AND org_id = ?";
/** Jobs whose worker was killed as often as a job is tried, or that somebody cancelled. */
const LOST = `SELECT t.org_id, d.last_error FROM _alk_fleet_tenants t
  LEFT JOIN _honker_dead d ON d.id = t.job_id
  WHERE t.run_id = ? AND t.status = 'pending' AND t.job_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM _honker_live l WHERE l.id = t.job_id)`;

/** Attempts of a job: so often may its worker be killed. */
const MAX_ATTEMPTS = 10;

/** Runs and their tenants in `system.db`. */
export class FleetTable {
  readonly #client: Database;

  constructor(client: Database) {
    this.#client = client;
  }

  /** The queue that workers of all processes take tenants from. */
  queue(claimSeconds = 60): Queue<FleetJob> {
    const source = { db: this.#client, entries: systemCatalog.queues };
    return openCatalogQueue(source, "schema-migration", {
      visibilityTimeoutSeconds: claimSeconds,
      maxAttempts: MAX_ATTEMPTS,
    });
  }

  /** The run that is running or paused. */
  openRun(): FleetRun | null {
    return runOf(this.#client.rows(OPEN_RUN)[0]);
  }

  latestRun(): FleetRun | null {
    return runOf(this.#client.rows(LATEST_RUN)[0]);
  }

  run(id: string): FleetRun | null {
    return runOf(this.#client.prepare(RUN_BY_ID).row([id]));
  }

  /** Begins a run, unless one is open, which is given then. */
  begin(
    target: TenantVersion,
    options: FleetRunOptions,
    tenants: readonly NewFleetTenant[],
  ): FleetRun {
    return this.#client.transaction((tx) => {
      const open = this.openRun();
      if (open !== null) return open;
      const id = uuidV7();
      const hasCanaries = tenants.some(({ canary }) => canary);
      tx.execute(INSERT_RUN, [
        id,
        hasCanaries ? "canaries" : "rest",
        target.schema,
        target.app,
        JSON.stringify(options),
        nowSeconds(),
      ]);
      const insert = this.#client.prepare(INSERT_TENANT);
      for (const { orgId, canary, from } of tenants) {
        insert.run([id, orgId, canary ? 1 : 0, from.schema, from.app]);
      }
      this.#enqueue(id, hasCanaries);
      tx.execute(FORGET_OLD_RUNS);
      return this.run(id) as FleetRun;
    });
  }

  /** Lets workers have the tenants that are no canaries. */
  beginRest(id: string): void {
    this.#client.transaction((tx) => {
      if (tx.execute(SET_PHASE, [id]).changes > 0) this.#enqueue(id, false);
    });
  }

  /** Pauses the run, or lets it go on. */
  setState(id: string, state: "running" | "paused"): void {
    this.#client.transaction((tx) => {
      if (tx.execute(SET_STATE, [state, id]).changes === 0) return;
      if (state === "paused") this.queue().pause();
      else this.queue().resume();
    });
  }

  /** Ends a run; what is pending is skipped, and its jobs are taken back. */
  end(id: string, state: Exclude<FleetRunState, "running" | "paused">, reason?: string): void {
    this.#client.transaction((tx) => {
      const now = nowSeconds();
      if (tx.execute(END_RUN, [state, reason ?? null, now, id]).changes === 0) return;
      const queue = this.queue();
      for (const [job] of tx.rows(PENDING_JOBS, [id])) queue.cancel(Number(job));
      tx.execute(SKIP_PENDING, [`the run was ${state} before`, now, id]);
      if (queue.paused) queue.resume();
    });
  }

  /** Notes what became of a tenant; a failed canary, or the last failure allowed, stops the run. */
  endTenant(run: FleetRun, orgId: string, outcome: FleetOutcome): void {
    this.#client.transaction((tx) => {
      const { status, backup = null, error = null, durationMs } = outcome;
      const ms = durationMs === undefined ? null : Math.round(durationMs);
      tx.execute(END_TENANT, [status, backup, error, ms, nowSeconds(), run.id, orgId]);
      if (status !== "failed") return;
      const { maxFailures } = run.options;
      if (this.tenant(run.id, orgId)?.canary) {
        this.end(run.id, "stopped", `canary "${orgId}" failed: ${error}`);
      } else if (maxFailures !== null && this.counts(run.id).failed >= maxFailures) {
        this.end(run.id, "stopped", `${maxFailures} tenants failed, the last of them "${orgId}"`);
      }
    });
  }

  /** Notes as failed what no worker will do any more. */
  failLost(run: FleetRun): void {
    if (this.#client.rows(LOST, [run.id]).length === 0) return;
    this.#client.transaction((tx) => {
      for (const [orgId, error] of tx.rows(LOST, [run.id])) {
        const lost = error === null ? "its job was taken away" : String(error);
        this.endTenant(run, String(orgId), { status: "failed", error: lost });
      }
    });
  }

  tenant(runId: string, orgId: string): FleetTenant | null {
    const row = this.#client.prepare(TENANT_OF_RUN).row([runId, orgId]);
    return row === undefined ? null : tenantOf(row);
  }

  tenants(runId: string, options: ListFleetTenantsOptions = {}): FleetTenant[] {
    const { status, after = "", limit = -1 } = options;
    const rows =
      status === undefined
        ? this.#client.rows(TENANTS_OF_RUN, [runId, after, limit])
        : this.#client.rows(TENANTS_BY_STATUS, [runId, status, after, limit]);
    return rows.map(tenantOf);
  }

  canaries(runId: string): FleetTenant[] {
    return this.#client.rows(CANARIES, [runId]).map(tenantOf);
  }

  /** Canaries that no worker has done yet. */
  pendingCanaries(runId: string): number {
    return Number(this.#client.rows(PENDING_CANARIES, [runId])[0]?.[0]);
  }

  counts(runId: string): FleetCounts {
    const counts = { pending: 0, done: 0, failed: 0, skipped: 0 };
    for (const [status, count] of this.#client.prepare(COUNTS).rows([runId])) {
      counts[status as FleetTenantStatus] = Number(count);
    }
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
    return { ...counts, total };
  }

  /** Tenants that are done and whose copy is still there. */
  doneWithBackup(runId: string): FleetTenant[] {
    return this.#client.rows(WITH_BACKUP, [runId]).map(tenantOf);
  }

  forgetBackup(runId: string, orgId: string): void {
    this.#client.execute(FORGET_BACKUP, [runId, orgId]);
  }

  #enqueue(runId: string, canaries: boolean): void {
    const ids = this.#client
      .rows(TO_ENQUEUE, [runId, canaries ? 1 : 0])
      .map(([orgId]) => String(orgId));
    const jobs = this.queue().enqueueMany(ids.map((orgId) => ({ runId, orgId })));
    const set = this.#client.prepare(SET_JOB);
    for (const [i, orgId] of ids.entries()) set.run([jobs[i] as number, runId, orgId]);
  }
}

function runOf(row: readonly unknown[] | undefined): FleetRun | null {
  if (row === undefined) return null;
  const [id, state, phase, schema, app, options, reason, startedAt, endedAt] = row;
  return {
    id: String(id),
    state: state as FleetRunState,
    phase: phase as FleetRun["phase"],
    target: { schema: Number(schema), app: Number(app) },
    options: JSON.parse(String(options)) as FleetRunOptions,
    reason: reason as string | null,
    startedAt: fromSeconds(startedAt),
    endedAt: endedAt === null ? null : fromSeconds(endedAt),
  };
}

function tenantOf(row: readonly unknown[]): FleetTenant {
  const [orgId, canary, status, schema, app, backup, error, durationMs, endedAt] = row;
  return {
    orgId: String(orgId),
    canary: canary === 1,
    status: status as FleetTenantStatus,
    from: { schema: Number(schema), app: Number(app) },
    backup: backup as string | null,
    error: error as string | null,
    durationMs: durationMs as number | null,
    endedAt: endedAt === null ? null : fromSeconds(endedAt),
  };
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1_000);
}

function fromSeconds(seconds: unknown): Date {
  return new Date(Number(seconds) * 1_000);
}
