import { closeSync, fsyncSync, openSync, renameSync, writeSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import type { Database } from "@alkdev/honker";
import type { ImportRun } from "./import-run.ts";
import { removeTraces, rowsStream, stateStream } from "./import-state.ts";

/** Writes what was reported of rows into one NDJSON file, which has its name when it is complete. */
export async function writeRowReports(run: ImportRun, path: string): Promise<void> {
  const temporary = `${path}.part`;
  // rows may hold what only the owner of the data may read
  const file = openSync(temporary, "w", 0o600);
  try {
    for await (const client of files(run)) {
      for (const { payload } of rowsStream(client).replay()) {
        writeSync(file, `${JSON.stringify(payload)}\n`);
      }
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

/**
 * Removes what the import kept in the files. system.db keeps its last state, with the report, and comes
 * last: as long as it has more, another file may have some too.
 */
export async function removeAllTraces(run: ImportRun): Promise<void> {
  const system = run.system.$client;
  if (stateStream(system).info().count <= 1) return;
  for await (const client of files(run)) removeTraces(client, client === system);
}

/** Every file, one after the other; between two of them the lock can be renewed. */
async function* files(run: ImportRun): AsyncGenerator<Database, void> {
  for (const { orgId } of run.tenants.list()) {
    using tenant = run.tenants.open(orgId);
    yield tenant.db.$client;
    await setImmediate();
  }
  yield run.system.$client;
}
