import { closeSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import type { HonkerClient } from "../client.ts";
import type { Migration } from "./migration-folder.ts";

/**
 * Copies the database before `next` changes it, and returns where to; `undefined` for a database in
 * memory. The copy has its name only when it is whole and on disk, and replaces one of an attempt that
 * failed.
 *
 * @param file where to; by default beside the database, named after the migration
 */
export function backupBefore(
  client: HonkerClient,
  next: Migration,
  file: string | undefined,
): string | undefined {
  if (client.path === ":memory:") return undefined;
  const target = file ?? `${client.path}.before-${next.tag}.bak`;
  const partial = `${target}.partial`;
  rmSync(partial, { force: true });
  // unlike the engine's backup() it is synchronous, and migrating is too
  client.prepare("VACUUM INTO ?").run([partial]);
  flush(partial);
  renameSync(partial, target);
  return target;
}

/** The copy is open nowhere, so closing a descriptor of it releases nobody's locks. */
function flush(file: string): void {
  const descriptor = openSync(file, "r+");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
