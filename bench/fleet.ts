// Migrations of all tenants: tenants per second by 1, 2 and 4 worker processes, and the scan of their versions.
// Run: npm run bench:fleet [-- --quick] [-- --tenants 1000 --scan 10000 --rows 100]
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  accounts,
  findSchemaDrift,
  organizations,
  planFleetMigration,
  runFleetMigration,
} from "@alkdev/storage/sqlite";
import { openFleet, writeFolders } from "./local/fleet/fleet.ts";

const { values } = parseArgs({
  options: {
    tenants: { type: "string" },
    scan: { type: "string" },
    rows: { type: "string", default: "100" },
    quick: { type: "boolean", default: false },
  },
});
const TENANTS = Number(values.tenants ?? (values.quick ? 100 : 1_000));
const SCAN = Number(values.scan ?? (values.quick ? 500 : 10_000));
const ROWS = Number(values.rows);
const BASE = process.env["BENCH_TMP"] ?? tmpdir();

/** Makes tenants with rows, as the program before the migration. */
function prepare(count: number): string {
  const root = mkdtempSync(join(BASE, "bench-fleet-"));
  writeFolders(root);
  const { system, tenants } = openFleet(root, "before");
  const ids = Array.from({ length: count }, (_, i) => `org-${String(i).padStart(6, "0")}`);
  system
    .insert(accounts)
    .values({ id: "owner", email: "o@example.org", displayName: "O", accessLevel: "user" })
    .run();
  system.transaction((tx) => {
    for (const id of ids) {
      tx.insert(organizations).values({ id, name: id, slug: id, ownerId: "owner" }).run();
    }
  });
  for (const id of ids) {
    tenants.create(id);
    if (ROWS > 0) {
      tenants.withTenant(id, ({ $client: db }) =>
        db.transaction((tx) => {
          for (let i = 1; i <= ROWS; i++) {
            tx.execute("INSERT INTO tasks VALUES (?, ?)", [i, i % 2 === 0 ? null : `task ${i}`]);
            tx.execute("INSERT INTO notes VALUES (?, ?)", [i, i]);
          }
        }),
      );
    }
  }
  tenants.close();
  system.$client.close();
  return root;
}

async function migrate(processes: number, copies: boolean): Promise<string> {
  const root = prepare(TENANTS);
  const { system, tenants } = openFleet(root, "after");
  const url = new URL("./local/fleet/worker.ts", import.meta.url);
  const children: ChildProcess[] = [];
  for (let i = 0; i < processes; i++) {
    const child = fork(url, [root], { execArgv: ["--conditions=@alkdev/source"] });
    await once(child, "message");
    children.push(child);
  }
  const before = performance.now();
  const { counts } = await runFleetMigration({
    tenants,
    system,
    backup: copies && { folder: join(root, "copies") },
    canaries: 0,
    concurrency: 0,
  });
  const seconds = (performance.now() - before) / 1_000;
  for (const child of children) {
    child.send("stop");
    await once(child, "exit");
  }
  tenants.close();
  system.$client.close();
  rmSync(root, { recursive: true });
  if (counts.done !== TENANTS) throw new Error(`only ${counts.done} of ${TENANTS} were migrated`);
  return (TENANTS / seconds).toFixed(0);
}

console.log(`${TENANTS} tenants of ${ROWS} + ${ROWS} rows, a table rebuilt\n`);
console.log("| worker processes | tenants/s, each copied before | tenants/s, no copies |");
console.log("| --- | --- | --- |");
for (const processes of [1, 2, 4]) {
  console.log(
    `| ${processes} | ${await migrate(processes, true)} | ${await migrate(processes, false)} |`,
  );
}

const root = prepare(SCAN);
const { system, tenants } = openFleet(root, "after");
const timed = async (work: () => Promise<unknown>): Promise<string> => {
  const before = performance.now();
  await work();
  return (performance.now() - before).toFixed(0);
};
console.log(`\n| ${SCAN} tenants | ms |\n| --- | --- |`);
console.log(`| versions, as known | ${await timed(() => planFleetMigration({ tenants }))} |`);
console.log(
  `| versions, every file looked into | ${await timed(() => planFleetMigration({ tenants, look: "all" }))} |`,
);
console.log(`| drift of schemas | ${await timed(() => findSchemaDrift({ tenants }))} |`);
tenants.close();
system.$client.close();
rmSync(root, { recursive: true });
