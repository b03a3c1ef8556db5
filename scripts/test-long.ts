// Runs the failure and property tests in their long form and prints their figures. Each size can be set
// in the environment. Takes about an hour on two cores.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SIZES = {
  /** SIGKILLs, of a writer and of a process that uses every part. */
  ALKDEV_KILL_ROUNDS: "500",
  ALKDEV_MAIN_JOB_KILLS: "200",
  /** At every step of operations on tenants and of delegations, not at every second one. */
  ALKDEV_EVERY_KILL: "1",
  /** Seconds during which one of 2, 4 and 8 workers is killed every second. */
  ALKDEV_WORKER_SECONDS: "30",
  /** Tenants that are migrated while workers are killed. */
  ALKDEV_FLEET_TENANTS: "5000",
  /** Commits in the write-ahead log that is cut and garbled at every frame. */
  ALKDEV_WAL_COMMITS: "30",
  ALKDEV_BACKUPS: "20",
  /** Random sequences of each model-based test. */
  ALKDEV_CLOCK_RUNS: "2000",
  ALKDEV_PROPERTY_RUNS: "10000",
  /** All time zones and all years 2000 to 2040. */
  ALKDEV_CRON_SWEEP: "1",
};

const report = join(mkdtempSync(join(tmpdir(), "alkdev-long-")), "figures.jsonl");
const filters = process.argv.slice(2);
const { status } = spawnSync(
  process.execPath,
  [
    join(import.meta.dirname, "../node_modules/vitest/vitest.mjs"),
    "run",
    "--testTimeout=3600000",
    "--maxWorkers=2",
    ...(filters.length > 0 ? filters : ["e2e", "property", "cron", "crash"]),
  ],
  {
    stdio: "inherit",
    env: { ...SIZES, ALKDEV_RELIABILITY_REPORT: report, ...process.env },
  },
);
if (existsSync(report)) process.stdout.write(`\n${readFileSync(report, "utf8")}`);
process.exitCode = status ?? 1;
