import { existsSync } from "node:fs";
import type { Database } from "@alkdev/honker";
import { open } from "@alkdev/honker";
import type { Catalog } from "@alkdev/storage";
import { systemCatalog, tenantCatalog } from "@alkdev/storage";
import type { Command } from "commander";
import { HubError } from "../../errors.ts";
import type { DataFolder } from "../data-folder.ts";
import { requireOrg } from "./require-org.ts";

/** Options that say which file a command speaks of. */
export interface PlaceOptions {
  readonly org?: string;
  readonly file?: string;
}

/** An open file with queues, streams, locks and schedules. */
export interface Place extends Disposable {
  /** For messages: `system.db`, `organisation "acme"`, or a path. */
  readonly name: string;
  readonly db: Database;
  /** What is known to travel through it; null for files of other programs. */
  readonly catalog: Catalog | null;
  /** The organisation whose tenant it is; null for other files. */
  readonly orgId: string | null;
}

/** Lets a command be told which file it speaks of. */
export function withPlace(command: Command): Command {
  return command
    .option("--org <org>", "id or slug of the organisation whose file it is (default: system.db)")
    .option("--file <path>", "any database file of this library instead");
}

/**
 * Opens the file that the options name: the tenant's, any other, or `system.db`.
 *
 * @throws HubError `NOT_FOUND`, `INVALID_ARGUMENT`; what opening it throws
 */
export function openPlace(data: DataFolder, { org, file }: PlaceOptions): Place {
  if (org !== undefined && file !== undefined) {
    throw new HubError("INVALID_ARGUMENT", "--org and --file exclude each other");
  }
  if (file !== undefined) return openFile(file);
  if (org === undefined) {
    const db = data.system.$client;
    return {
      name: "system.db",
      db,
      catalog: systemCatalog,
      orgId: null,
      [Symbol.dispose]: () => {},
    };
  }
  const { id, slug } = requireOrg(data.system, org);
  const handle = data.tenants.open(id);
  return {
    name: `organisation "${slug}"`,
    db: handle.db.$client,
    catalog: tenantCatalog,
    orgId: id,
    [Symbol.dispose]: () => handle.close(),
  };
}

function openFile(path: string): Place {
  // opening would make it
  if (!existsSync(path)) {
    throw new HubError("NOT_FOUND", `there is no file "${path}"`, { details: { path } });
  }
  const db = open(path);
  return { name: path, db, catalog: null, orgId: null, [Symbol.dispose]: () => db.close() };
}
