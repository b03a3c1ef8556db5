import { setImmediate } from "node:timers/promises";
import type { Field } from "../postgres/copy-text.ts";
import type { Source } from "../postgres/source.ts";
import { inOrder } from "../postgres/table-query.ts";
import type { ImportRun, RunOptions } from "./import-run.ts";
import { RowRefusal } from "./row-refusal.ts";
import type { TableImport } from "./table-import.ts";
import { refuseRows, writeRows } from "./write-rows.ts";

/** What a table is read with. */
export interface RunTableOptions extends RunOptions {
  readonly source: Source;
  /** Rows of the table; null when not known. */
  readonly total: number | null;
}

/** Reads a table from where the import is, and writes it batch by batch. */
export async function runTable(
  run: ImportRun,
  table: TableImport,
  options: RunTableOptions,
): Promise<void> {
  const { source, batchSize, total, signal, onProgress } = options;
  const sql = inOrder(source, table.query, run.position(table.name));
  const item = table.name;
  for await (const batch of source.batches(sql, batchSize)) {
    signal?.throwIfAborted();
    for (const rows of table.place === "system" ? [batch] : byOrganization(batch)) {
      writeBatch(run, table, rows);
      // a batch of many organizations is many commits; the lock must be renewed meanwhile
      await setImmediate();
      signal?.throwIfAborted();
    }
    onProgress?.({ phase: "read", item, done: run.step(item).read.rows, total });
  }
  signal?.throwIfAborted();
}

function writeBatch(run: ImportRun, table: TableImport, rows: readonly (readonly Field[])[]): void {
  const last = rows[rows.length - 1];
  if (last === undefined) return;
  const [org, id] = [last[0] ?? "", last[1] ?? ""];
  const after = { org, id };
  const refusal = table.place === "tenant" ? homeless(run, org) : null;
  const system = run.system.$client;
  if (refusal !== null) {
    run.batch(system, after, () => [refuseRows(run, table, { rows, refusal })]);
    return;
  }
  const client = table.place === "system" ? system : run.tenant(org).db.$client;
  run.batch(client, after, () => [writeRows(run, table, { client, rows })]);
}

/** Why rows of an organization have no file to go to, or null. */
function homeless(run: ImportRun, org: string): RowRefusal | null {
  if (org === "") {
    return new RowRefusal(
      "NO_ORGANIZATION",
      "it belongs to no organization, or what it is part of does not or is not there",
    );
  }
  if (run.hasTenant(org)) return null;
  return new RowRefusal(
    "ORGANIZATION_ID",
    `organization "${org}" was not taken, or its id cannot be the name of a file`,
  );
}

/** The rows of a batch, which is in order of organizations, by organization. */
function* byOrganization(
  batch: readonly (readonly Field[])[],
): Generator<readonly (readonly Field[])[]> {
  let from = 0;
  for (let i = 1; i <= batch.length; i++) {
    if (i < batch.length && batch[i]?.[0] === batch[from]?.[0]) continue;
    yield batch.slice(from, i);
    from = i;
  }
}
