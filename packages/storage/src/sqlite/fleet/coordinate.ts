import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { TenantDatabase } from "../client.ts";
import type { TenantManager } from "../tenants/tenant-manager.ts";
import type { FleetCounts, FleetProgress, FleetResult, FleetRun } from "./fleet-run.ts";
import type { FleetTable } from "./fleet-table.ts";
import { removeBackup } from "./start-fleet-workers.ts";

/** What {@link coordinate} works with; see the options of `runFleetMigration`. */
export interface CoordinateOptions {
  readonly tenants: TenantManager;
  readonly check?: (tenant: TenantDatabase, orgId: string) => unknown;
  readonly onProgress?: (progress: FleetProgress) => void;
  readonly signal?: AbortSignal;
}

const LOOK_EVERY_MS = 100;
/** Between two searches for jobs that nobody will do. */
const LOST_EVERY_MS = 2_000;

/** Follows a run, takes its steps, and resolves with what it came to when it has ended. */
export async function coordinate(
  table: FleetTable,
  runId: string,
  options: CoordinateOptions,
): Promise<FleetResult> {
  const { onProgress, signal } = options;
  const startedMs = performance.now();
  const endedBefore = ended(table.counts(runId));
  let lostMs = startedMs;
  for (;;) {
    const run = table.run(runId) as FleetRun;
    const counts = table.counts(runId);
    onProgress?.(progressOf(run, counts, { startedMs, endedBefore }));
    if (run.endedAt !== null) {
      return { run, counts, failed: table.tenants(runId, { status: "failed" }) };
    }
    if (performance.now() - lostMs >= LOST_EVERY_MS) {
      lostMs = performance.now();
      table.failLost(run);
    }
    if (run.state === "running" && (await advance(table, run, options))) continue;
    await setTimeout(LOOK_EVERY_MS, undefined, signal === undefined ? {} : { signal }).catch(() =>
      signal?.throwIfAborted(),
    );
  }
}

/** Takes the step that is due between two phases. @returns whether there was one */
async function advance(
  table: FleetTable,
  run: FleetRun,
  options: CoordinateOptions,
): Promise<boolean> {
  if (run.phase === "canaries") {
    if (table.pendingCanaries(run.id) > 0) return false;
    if (await checkCanaries(table, run, options)) {
      removeBackups(table, run);
      table.beginRest(run.id);
    }
    return true;
  }
  if (table.counts(run.id).pending > 0) return false;
  removeBackups(table, run);
  removePartialCopies(run);
  table.end(run.id, "done");
  return true;
}

async function checkCanaries(
  table: FleetTable,
  run: FleetRun,
  { tenants, check }: CoordinateOptions,
): Promise<boolean> {
  for (const { orgId, status, backup } of table.canaries(run.id)) {
    // one that was suspended meanwhile cannot be looked at
    if (check === undefined || status !== "done" || tenants.get(orgId)?.state !== "active")
      continue;
    try {
      await tenants.withTenant(orgId, async (db) => void (await check(db, orgId)));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      table.endTenant(run, orgId, { status: "failed", backup, error: `its check: ${reason}` });
      return false;
    }
  }
  return true;
}

function removeBackups(table: FleetTable, run: FleetRun): void {
  if (run.options.backup?.keep !== "failed") return;
  for (const { orgId } of table.doneWithBackup(run.id)) removeBackup(table, run, orgId);
}

/** Removes what killed workers left of copies that they were making. */
function removePartialCopies({ id, options }: FleetRun): void {
  const folder = options.backup?.folder;
  if (folder === undefined || !existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    if (name.startsWith(".") && name.includes(id)) rmSync(join(folder, name), { force: true });
  }
}

function progressOf(
  run: FleetRun,
  counts: FleetCounts,
  since: { readonly startedMs: number; readonly endedBefore: number },
): FleetProgress {
  const seconds = (performance.now() - since.startedMs) / 1_000;
  const perSecond = seconds === 0 ? 0 : (ended(counts) - since.endedBefore) / seconds;
  const isMoving = run.state === "running" && perSecond > 0;
  return { run, counts, perSecond, secondsLeft: isMoving ? counts.pending / perSecond : null };
}

function ended({ total, pending }: FleetCounts): number {
  return total - pending;
}
