// Opens tenants of the folder given as argument and prints what each costs.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { open } from "@alkdev/honker";
import { createSystemDatabase, createTenantManager, graphs } from "@alkdev/storage/sqlite";

const [folder, count] = process.argv.slice(2) as [string, string];
const system = createSystemDatabase(open(join(folder, "system.db")));
const tenants = createTenantManager({
  folder: join(folder, "tenants"),
  system,
  maxOpen: Number(count) + 10,
});
const ids = tenants.list({ limit: Number(count) + 10 }).map(({ orgId }) => orgId);

/** Memory of this process that it shares with nobody, in KiB, and its descriptors. */
function usage(): { readonly residentKiB: number; readonly descriptors: number } {
  globalThis.gc?.();
  const status = readFileSync("/proc/self/status", "utf8");
  return {
    residentKiB: Number(/RssAnon:\s+(\d+)/.exec(status)?.[1]),
    descriptors: readdirSync("/proc/self/fd").length,
  };
}

function use(orgIds: readonly string[]): void {
  for (const id of orgIds) tenants.open(id).db.select().from(graphs).all();
}

// the first ones pay for code and caches
use(ids.slice(0, 10));
const before = usage();
use(ids.slice(10));
const after = usage();
const opened = ids.length - 10;
const each = (what: "residentKiB" | "descriptors"): number => (after[what] - before[what]) / opened;
console.log(
  `${opened} in use: ${each("residentKiB").toFixed(0)} KiB and ${each("descriptors").toFixed(1)} descriptors each; ${(after.residentKiB / 1_024).toFixed(0)} MiB in all`,
);
tenants.close();
system.$client.close();
