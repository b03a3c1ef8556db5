import {
  abortFleetMigration,
  type FleetProgress,
  type FleetRun,
  fleetStatus,
  listFleetTenants,
  pauseFleetMigration,
  planFleetMigration,
  resumeFleetMigration,
  runFleetMigration,
} from "@alkdev/storage/sqlite";
import { Option } from "commander";
import { collect, positive, whole } from "../arguments/whole.ts";
import { EXIT } from "../exit-codes.ts";
import { requireOrg } from "../places/require-org.ts";
import type { DataRun, DefineCommand } from "../shell.ts";

interface MigrateOptions {
  readonly backup: string | false;
  readonly keep: "failed" | "all";
  readonly canary?: readonly string[];
  readonly canaries: number;
  readonly maxFailures?: number;
  readonly concurrency: number;
  readonly onlyFailed?: boolean;
}

/** `alkdev tenants` */
export const defineTenants: DefineCommand = (tenants, shell) => {
  tenants
    .command("status")
    .description("who is at which version, and how far the latest migration is")
    .action(shell.action(status));
  tenants
    .command("migrate")
    .description("migrate all that are behind; killed or stopped, run it again to go on")
    .option("--backup <folder>", "where each tenant is copied to before", "./data-before-migration")
    .option("--no-backup", "without copies: they are made otherwise")
    .addOption(
      new Option("--keep <which>", "copies that are kept")
        .choices(["failed", "all"])
        .default("failed"),
    )
    .option("--canary <org>", "migrate this one first, and look at it; repeatable", collect)
    .option("--canaries <count>", "how many go first where none are named", whole, 1)
    .option("--max-failures <count>", "failed tenants that stop it (default: 10)", positive)
    .option("--concurrency <count>", "tenants at a time; 0: leave it to workers", whole, 2)
    .option("--only-failed", "only those that failed the last time")
    .action(shell.action<MigrateOptions>(migrate));
  tenants
    .command("pause")
    .description("let no worker begin with another tenant")
    .action(shell.action((run) => change(run, pauseFleetMigration)));
  tenants
    .command("resume")
    .description("end a pause")
    .action(shell.action((run) => change(run, resumeFleetMigration)));
  tenants
    .command("abort")
    .description("end the migration; what is migrated stays so")
    .action(shell.action((run) => change(run, abortFleetMigration)));
};

async function status({ data, out, signal }: DataRun): Promise<void> {
  const { tenants, system } = data;
  const { current, behind, newer, away, unreadable, target } = await planFleetMigration({
    tenants,
    signal,
  });
  const latest = fleetStatus(system);
  const failed = latest === null ? [] : listFleetTenants(system, { status: "failed" });
  const version = tenants.nameOfVersion(target);
  out.result({ version, current, behind, newer, away, unreadable, latest, failed }, () =>
    [
      out.fields({
        version,
        current,
        behind: behind.length,
        newer: newer.length,
        away: away.length,
        unreadable: unreadable.length,
      }),
      ...(latest === null ? [] : [latestText(latest.run), out.fields(latest.counts)]),
      ...failed.map(({ orgId, error }) => `${orgId}: ${error}`),
    ].join("\n"),
  );
}

async function migrate(run: DataRun, options: MigrateOptions): Promise<void> {
  const { data, out, progress, signal } = run;
  const { backup, keep, canary, canaries, maxFailures, concurrency, onlyFailed } = options;
  const { system, tenants } = data;
  const result = await runFleetMigration({
    tenants,
    system,
    concurrency,
    signal,
    backup: backup === false ? false : { folder: backup, keep },
    canaries: canary === undefined ? canaries : canary.map((org) => requireOrg(system, org).id),
    ...(maxFailures === undefined ? {} : { maxFailures }),
    ...(onlyFailed === true ? { only: "failed" } : {}),
    onProgress: (now) => progress.update(stepOf(now)),
  });
  progress.clear();
  const { state } = result.run;
  if (result.failed.length > 0 || state !== "done") run.exitWith(EXIT.trouble);
  out.result(result, ({ counts, failed }) =>
    [
      latestText(result.run),
      out.fields(counts),
      ...failed.map(({ orgId, error, backup: copy }) => {
        return `${orgId}: ${error}${copy === null ? "" : ` (its copy: ${copy})`}`;
      }),
    ].join("\n"),
  );
}

function change(
  { data, out }: DataRun,
  work: (system: DataRun["data"]["system"]) => FleetRun,
): void {
  out.result(work(data.system), latestText);
}

function stepOf({ run, counts, perSecond, secondsLeft }: FleetProgress) {
  const { total, pending } = counts;
  const left = secondsLeft === null ? "" : `, ${Math.ceil(secondsLeft)} s left`;
  const failed = counts.failed === 0 ? "" : `, ${counts.failed} failed`;
  const rate = `${perSecond.toFixed(1)}/s`;
  const label = `${run.phase} ${total - pending}/${total}${failed}, ${rate}${left}`;
  return { label, done: total - pending, total };
}

function latestText({ state, phase, startedAt, reason }: FleetRun): string {
  const why = reason === null ? "" : `: ${reason}`;
  return `Migration of ${startedAt.toISOString()}: ${state}, ${phase}${why}`;
}
