import { StorageError } from "../../errors.ts";
import { type AnyModule, type EvolutionPlan, planEvolution } from "../../graphs/index.ts";
import type { SystemDatabase, TenantDatabase } from "../client.ts";
import { checkRows, checkRowsInTurns } from "./check-rows.ts";
import { type EvolveOptions, resolveEvolveOptions } from "./evolution-options.ts";
import { type EvolutionRun, requireGraphType } from "./evolution-run.ts";
import { migrateGraphType } from "./migrate-graph-type.ts";
import { writeEvolved } from "./write-evolved.ts";

/** What {@link evolveGraphType} did. */
export interface Evolution {
  /** What was to be done when the work began. */
  readonly plan: EvolutionPlan;
  /** Rows that this call migrated. */
  readonly migrated: number;
}

const HAS_GRAPHS = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'nodes'";

/**
 * Brings a stored graph type and its data to what the Module says: writes additive changes, checks the
 * rows first where they decide, migrates them where the Module has a higher version (ADR-080).
 *
 * A migration that is stopped at any moment, also by a kill, leaves the version odd; the next call goes
 * on, and no row is migrated twice. While it runs the graph store refuses writes to graphs of the type;
 * what SQL inserts is migrated too. One process works at a time; others wait.
 *
 * @throws StorageError `NOT_FOUND` where the type is not stored; `BREAKING_CHANGE` where its version would
 *   have to be raised; `MIGRATION_STATE` where the data is of newer code; `MIGRATION_FAILED` with the rows
 *   that do not fit in `details.failures`; `INVALID_ARGUMENT`
 * @throws HonkerError `LOCK_HELD` after `waitMs`, `LEASE_LOST`, `TRANSACTION_STATE` inside a transaction
 * @example
 * ```ts
 * await evolveGraphType(tenant, TaskGraph, {
 *   migrations: [{ to: 4, nodes: { task: (it) => ({ ...it, minutes: Number(it.minutes) }) } }],
 *   onProgress: ({ phase, done, total }) => console.log(phase, done, "of", total),
 * });
 * ```
 */
export async function evolveGraphType(
  db: TenantDatabase | SystemDatabase,
  module: AnyModule,
  options: EvolveOptions = {},
): Promise<Evolution> {
  const client = db.$client;
  const settings = resolveEvolveOptions(client, options);
  const known = requireGraphType(client, module);
  const early = planEvolution(known, module);
  if (early.action === "refuse") throw refused(early);
  if (early.action === "nothing") return { plan: early, migrated: 0 };
  const { waitMs, signal, lockTtlSeconds = 30 } = options;
  const lockOptions = {
    ttlSeconds: lockTtlSeconds,
    ...(waitMs === undefined ? {} : { waitMs }),
    ...(signal === undefined ? {} : { signal }),
  };
  return client.withLock(`evolve:${known.id}`, lockOptions, (lock, aborted) => {
    const stored = requireGraphType(client, module);
    const plan = planEvolution(stored, module);
    return evolve({ client, stored, plan, settings, lock, signal: aborted });
  });
}

async function evolve(run: EvolutionRun): Promise<Evolution> {
  const { client, plan } = run;
  const holdsRows = client.rows(HAS_GRAPHS).length > 0;
  switch (plan.action) {
    case "refuse":
      throw refused(plan);
    case "nothing":
      return { plan, migrated: 0 };
    case "migrate":
      if (holdsRows) return { plan, migrated: await migrateGraphType(run) };
      break;
    case "check-and-project":
      if (holdsRows) await checkRowsInTurns(run);
      writeEvolved(run, () => {
        if (holdsRows) checkRows(run);
      });
      return { plan, migrated: 0 };
    case "project":
      break;
  }
  writeEvolved(run);
  return { plan, migrated: 0 };
}

function refused({ version, refusal, name }: EvolutionPlan): StorageError {
  const details = { graphType: name };
  if (version.action === "code-is-older") {
    const hint = "Run the newer code that wrote it";
    return new StorageError("MIGRATION_STATE", String(refusal), { hint, details });
  }
  const hint = "Raise the Module's version by two and give a migration";
  return new StorageError("BREAKING_CHANGE", String(refusal), { hint, details });
}
