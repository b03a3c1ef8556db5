import type { Core } from "../../core/core.ts";
import { requireNumber } from "../../core/names.ts";
import { HonkerError } from "../../errors.ts";
import type { ForeignKeyViolation, IntegrityReport } from "../integrity.ts";
import { freeSpace, oversizedWal, unsafeSettings } from "./file-checks.ts";
import {
  type Check,
  DEFAULT_THRESHOLDS,
  type Diagnosis,
  type DoctorThresholds,
  type Finding,
} from "./finding.ts";
import { clockSkew, unboundedTables } from "./row-checks.ts";
import { schemaDrift } from "./schema-checks.ts";
import {
  exhaustedJobs,
  neglectedQueues,
  orphanedClaims,
  overdueSchedules,
  stuckConsumers,
} from "./work-checks.ts";

/** Options of {@link Database.doctor}. */
export interface DoctorOptions {
  /** Default false. True repairs what can be repaired without a decision or a loss. */
  readonly fix?: boolean;
  /** Default true: every page and index is checked too, which reads the whole file. */
  readonly integrity?: boolean;
  /** From when on something counts as wrong; each with a default. */
  readonly thresholds?: Partial<DoctorThresholds>;
  /** Ends the examination. */
  readonly signal?: AbortSignal;
}

/** What {@link Database.doctor} gives. */
export interface DoctorReport {
  /** True when nothing is wrong, or everything was repaired; findings of severity `"info"` do not count. */
  readonly healthy: boolean;
  /** Gravest first. */
  readonly findings: readonly Finding[];
}

const CHECKS: readonly Check[] = [
  exhaustedJobs,
  orphanedClaims,
  neglectedQueues,
  stuckConsumers,
  overdueSchedules,
  clockSkew,
  unboundedTables,
  oversizedWal,
  freeSpace,
  unsafeSettings,
];

const SEVERITIES = ["error", "warning", "info"] as const;

/**
 * Examines an open database. Without the tables it should have only their absence is reported, since
 * every other check reads them.
 */
export function examine(
  core: Core,
  options: DoctorOptions,
  integrity: IntegrityReport | undefined,
): DoctorReport {
  if (options.fix === true && core.connection.inTransaction) {
    throw new HonkerError("TRANSACTION_STATE", "doctor cannot repair inside a transaction", {
      hint: "Commit or roll back first",
    });
  }
  const examination = { core, thresholds: thresholdsOf(options.thresholds) };
  const findings = integrity === undefined ? [] : fromIntegrity(integrity).map(unrepaired);
  const drift = schemaDrift(examination).map((found) => treat(found, options.fix === true));
  findings.push(...drift);
  if (!drift.some((finding) => lacksTable(finding))) {
    for (const check of CHECKS) {
      findings.push(...check(examination).map((found) => treat(found, options.fix === true)));
    }
  }
  findings.sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
  return { healthy: findings.every((f) => f.fixed || f.severity === "info"), findings };
}

function lacksTable(finding: Finding): boolean {
  const { type } = finding.details;
  return finding.code === "SCHEMA_DRIFT" && !finding.fixed && type !== "index";
}

function fromIntegrity({ problems, foreignKeyViolations }: IntegrityReport): Diagnosis[] {
  const found: Diagnosis[] = [];
  if (problems.length > 0) {
    found.push({
      code: "DAMAGED_FILE",
      severity: "error",
      message: `the file is damaged: ${problems.slice(0, 3).join("; ")}`,
      advice: "Stop writing, copy the file with its -wal, and restore the last good backup",
      details: { problems },
    });
  }
  const byTable = new Map<string, ForeignKeyViolation[]>();
  for (const violation of foreignKeyViolations) {
    const edge = `${violation.table} → ${violation.parent}`;
    const known = byTable.get(edge);
    if (known === undefined) byTable.set(edge, [violation]);
    else known.push(violation);
  }
  for (const [edge, violations] of byTable) {
    found.push({
      code: "FOREIGN_KEY_VIOLATION",
      severity: "error",
      message: `${violations.length} rows have no parent: ${edge}`,
      advice: "Add the parent rows or delete these; they were written with foreign keys off",
      details: { violations },
    });
  }
  return found;
}

function unrepaired({ repair: _repair, ...finding }: Diagnosis): Finding {
  return { ...finding, fixable: false, fixed: false };
}

function treat(diagnosis: Diagnosis, fix: boolean): Finding {
  const { repair, ...finding } = diagnosis;
  if (repair !== undefined && fix) repair();
  return { ...finding, fixable: repair !== undefined, fixed: repair !== undefined && fix };
}

function thresholdsOf(given: Partial<DoctorThresholds> = {}): DoctorThresholds {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(DEFAULT_THRESHOLDS, name)) {
      throw new HonkerError("INVALID_ARGUMENT", `doctor has no threshold "${name}"`, {
        hint: `There are ${Object.keys(DEFAULT_THRESHOLDS).join(", ")}`,
      });
    }
    requireNumber(value, `threshold ${name}`, { min: 0 });
  }
  return { ...DEFAULT_THRESHOLDS, ...given };
}
