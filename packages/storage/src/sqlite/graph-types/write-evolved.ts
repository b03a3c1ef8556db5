import type { Transaction } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import type { DbSchema } from "../../graphs/index.ts";
import type { EvolutionRun } from "./evolution-run.ts";
import { dropGuards } from "./migration-guard.ts";
import { readGraphType } from "./read-graph-type.ts";
import { whileSeeding } from "./seed-graph-types.ts";
import { writeGraphType } from "./write-graph-type.ts";

/** Writes the target's schemas and version in the last commit, after what `before` writes in it. */
export function writeEvolved(run: EvolutionRun, before: () => void = () => undefined): void {
  run.settings.commit((tx) => {
    run.lock.assertHeld(tx);
    before();
    writeVersion(run, tx, run.plan.target);
    dropGuards(tx);
  });
}

/**
 * Writes a graph type as `schema` says, also one of scope `system`.
 *
 * @throws StorageError `MIGRATION_STATE` where it is not any more as the plan found it
 */
export function writeVersion(run: EvolutionRun, tx: Transaction, schema: DbSchema): void {
  const { client, stored } = run;
  const now = readGraphType(client, { id: stored.id });
  const { version, name } = stored.graphType;
  const expected = run.plan.version.action === "start" ? [version, version + 1] : [version];
  if (now === null || !expected.includes(now.graphType.version)) {
    throw new StorageError(
      "MIGRATION_STATE",
      `graph type "${name}" was changed while it was evolved: it is ${now === null ? "gone" : `in version ${now.graphType.version}`}`,
      { hint: "Call evolveGraphType again", details: { graphType: name } },
    );
  }
  const write = (): string => writeGraphType(tx, schema, { scope: stored.scope, stored: now });
  if (stored.scope === "system") whileSeeding(tx, write);
  else write();
}
