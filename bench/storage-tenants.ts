// Tenants as files: how fast they are made, opened cold, opened hot; memory and descriptors of the open ones.
// Run: npm run bench:tenants [-- --quick] [-- --tenants 10000 --open 200]
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { open } from "@alkdev/honker";
import {
  accounts,
  createSystemDatabase,
  createTenantDatabase,
  createTenantManager,
  graphs,
  organizations,
} from "@alkdev/storage/sqlite";

const { values } = parseArgs({
  options: {
    tenants: { type: "string" },
    open: { type: "string", default: "200" },
    quick: { type: "boolean", default: false },
  },
});
const TENANTS = Number(values.tenants ?? (values.quick ? 300 : 10_000));
const OPEN = Math.min(Number(values.open), TENANTS);

const folder = mkdtempSync(join(process.env["BENCH_TMP"] ?? tmpdir(), "bench-tenants-"));
const system = createSystemDatabase(open(join(folder, "system.db")));
const tenants = createTenantManager({ folder: join(folder, "tenants"), system, maxOpen: OPEN });
const ids = Array.from({ length: TENANTS }, (_, i) => `org-${String(i).padStart(6, "0")}`);

function insertOrganizations(): void {
  system
    .insert(accounts)
    .values({ id: "owner", email: "o@example.com", displayName: "Owner", accessLevel: "user" })
    .run();
  system.transaction((tx) => {
    for (const id of ids) {
      tx.insert(organizations).values({ id, name: id, slug: id, ownerId: "owner" }).run();
    }
  });
}

/** Milliseconds of each call. */
function timed(calls: readonly string[], call: (id: string) => void): number[] {
  return calls.map((id) => {
    const before = performance.now();
    call(id);
    return performance.now() - before;
  });
}

function percentile(samples: readonly number[], share: number): string {
  const sorted = samples.toSorted((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(3);
}

function row(name: string, samples: readonly number[]): void {
  const total = samples.reduce((sum, ms) => sum + ms, 0);
  const perSecond = Math.round((samples.length / total) * 1_000);
  console.log(
    `| ${name} | ${samples.length} | ${percentile(samples, 0.5)} | ${percentile(samples, 0.99)} | ${perSecond} |`,
  );
}

insertOrganizations();
console.log(`${TENANTS} tenants, ${OPEN} open\n`);
console.log("| what | calls | p50 [ms] | p99 [ms] | per second |\n| --- | --- | --- | --- | --- |");

const byMigrations = ids.slice(0, Math.min(300, TENANTS));
const plain = join(folder, "plain");
mkdirSync(plain);
row(
  "a file by migrations, no manager",
  timed(byMigrations, (id) => {
    using client = open(join(plain, `${id}.db`));
    createTenantDatabase(client);
  }),
);
row(
  "create",
  timed(ids, (id) => void tenants.create(id)),
);
const cold = ids
  .filter((_, i) => i % Math.max(1, Math.floor(TENANTS / 2_000)) === 0)
  .slice(0, 2_000);
row(
  "open cold, first time, one query",
  timed(cold, (id) => tenants.withTenant(id, (db) => void db.select().from(graphs).all())),
);
row(
  "open cold, again, one query",
  timed(cold.toReversed().slice(OPEN), (id) => {
    tenants.withTenant(id, (db) => void db.select().from(graphs).all());
  }),
);
for (const id of ids.slice(0, OPEN)) tenants.open(id).close();
const hot = Array.from({ length: 50 }, () => ids.slice(0, OPEN)).flat();
row(
  "open hot and close",
  timed(hot, (id) => tenants.open(id).close()),
);
row(
  "open hot, one query, close",
  timed(hot, (id) => tenants.withTenant(id, (db) => void db.select().from(graphs).all())),
);

tenants.close();
system.$client.close();
// in a process of its own, whose memory nothing has stretched yet
const measured = await promisify(execFile)(process.execPath, [
  "--expose-gc",
  "--conditions=@alkdev/source",
  new URL("./local/tenants/open-tenants.ts", import.meta.url).pathname,
  folder,
  String(OPEN),
]);
console.log(`\n${measured.stdout.trim()}`);
rmSync(folder, { recursive: true });
