// Does one operation after another on the tenants below the folder given as argument, in an order that the
// seed gives, until it is killed or has done as many as the third argument says.
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { open } from "@alkdev/honker";
import { StorageError } from "@alkdev/storage";
import { createSystemDatabase, createTenantManager, graphs } from "@alkdev/storage/sqlite";

const [root, seed, count] = process.argv.slice(2) as [string, string, string];
const IDS = ["a", "b", "c", "d"];
/** What may be in the way of an operation: the state another one left, or that one itself. */
const EXPECTED = [
  "TENANT_STATE",
  "TENANT_BUSY",
  "ALREADY_EXISTS",
  "NOT_FOUND",
  "CLOSED",
] as const satisfies readonly StorageError["code"][];

let state = Number(seed);
function random(below: number): number {
  state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
  return Math.floor((state / 2_147_483_648) * below);
}

const system = createSystemDatabase(open(join(root, "system.db")));
using tenants = createTenantManager({ folder: join(root, "tenants"), system, graceSeconds: 0 });
const destination = join(root, `export-${process.pid}.db`);

const operations: readonly ((id: string, other: string) => unknown)[] = [
  (id) => tenants.create(id),
  (id) => tenants.withTenant(id, (db) => db.insert(graphs).values({ name: id }).run()),
  (id) => tenants.withTenant(id, (db) => db.insert(graphs).values({ name: id }).run()),
  (id) => tenants.suspend(id),
  (id) => tenants.resume(id),
  (id) => tenants.archive(id, { waitMs: 100 }),
  (id) => tenants.unarchive(id),
  (id) => tenants.delete(id, { confirm: id }),
  (id) => tenants.undelete(id),
  () => tenants.purgeDue(),
  (id, other) => tenants.clone(id, other),
  (id) => tenants.exportTo(id, destination),
  async (id) => {
    if (existsSync(destination)) await tenants.importFrom(destination, id);
    rmSync(destination, { force: true });
  },
  (id) => tenants.setQuota(id, random(2) === 0 ? null : { maxGraphs: 1_000 }),
  () => tenants.recover(),
];

process.send?.("ready");
for (let i = 0; i < Number(count); i++) {
  const operation = operations[random(operations.length)];
  try {
    await operation?.(IDS[random(IDS.length)] as string, IDS[random(IDS.length)] as string);
  } catch (error) {
    const { code } = error as StorageError;
    if (!(error instanceof StorageError && EXPECTED.some((expected) => expected === code)))
      throw error;
  }
}
rmSync(destination, { force: true });
process.exit(0);
