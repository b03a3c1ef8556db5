import { join, resolve } from "node:path";
import { StorageError } from "../../errors.ts";
import type { SystemDatabase } from "../client.ts";
import { requirePath } from "../tenants/checks.ts";
import type { TenantManager } from "../tenants/tenant-manager.ts";
import { TENANT_ACCESS, type TenantState } from "../tenants/tenant-states.ts";

/** Options of {@link litestreamConfig}. */
export interface LitestreamOptions {
  readonly system: SystemDatabase;
  readonly tenants: TenantManager;
  /** The folder of the tenants' files, as the manager was given it. */
  readonly folder: string;
  /**
   * Where replicas go, each below it by the name of its file: `"s3://bucket/production"`,
   * `"file:///mnt/backup"`. Litestream puts `$VARIABLES` of its environment into it.
   */
  readonly replicaUrl: string;
}

/**
 * The configuration file of Litestream (0.3 and later) for `system.db` and the tenants that are active or
 * suspended. Write it anew, and start Litestream again, when tenants come or go.
 *
 * @throws {@link StorageError} `INVALID_ARGUMENT`, also for a path with `$`, which Litestream would replace
 * @example
 * ```ts
 * const text = litestreamConfig({ system, tenants, folder: "./data/tenants", replicaUrl: "s3://backups/hub" });
 * ```
 */
export function litestreamConfig(options: LitestreamOptions): string {
  const { system, tenants, folder, replicaUrl } = options;
  requirePath(folder, "the folder of the tenants");
  if (!URL.canParse(replicaUrl.replaceAll("$", ""))) {
    throw new StorageError("INVALID_ARGUMENT", `"${replicaUrl}" is no URL of replicas`, {
      hint: 'Give one such as "s3://bucket/production" or "file:///mnt/backup"',
    });
  }
  const states: readonly TenantState[] = TENANT_ACCESS.migrate;
  const files = tenants
    .list()
    .filter(({ state }) => states.includes(state))
    .map(({ file }) => file);
  const base = replicaUrl.replace(/\/+$/, "");
  const entries = [
    { path: system.$client.path, url: `${base}/system.db` },
    ...files.map((file) => ({ path: join(resolve(folder), file), url: `${base}/${file}` })),
  ];
  return `dbs:\n${entries.map(entryOf).join("")}`;
}

/** A JSON string is a YAML string. */
function entryOf({ path, url }: { readonly path: string; readonly url: string }): string {
  if (path.includes("$")) {
    throw new StorageError("INVALID_ARGUMENT", `Litestream would replace the "$" in "${path}"`, {
      hint: "Keep databases in a folder without it",
      details: { path },
    });
  }
  const [file, replica] = [path, url].map((text) => JSON.stringify(text));
  return `  - path: ${file}\n    replicas:\n      - url: ${replica}\n`;
}
