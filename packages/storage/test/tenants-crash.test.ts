import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { open } from "@alkdev/honker";
import {
  createSystemDatabase,
  createTenantManager,
  graphs,
  type TenantManager,
} from "@alkdev/storage/sqlite";
import { killSteps, tempFolder } from "@alkdev/testkit";
import { beforeAll, describe, expect, test } from "vitest";
import { checkTenantFiles } from "./tenants-check.ts";
import { insertOrganizations } from "./tenants-setup.ts";

const CHILD = fileURLToPath(new URL("./children/tenant-operation.ts", import.meta.url));

/** Compiling the sources once instead of in every child halves the time of this file. */
const CHILD_ENV = {
  ...process.env,
  NODE_COMPILE_CACHE: join(tmpdir(), `alkdev-compiled-${process.pid}`),
};

/** What an operation may leave, as `state of "new", of "full", of "away", of "gone"`. */
const OUTCOMES = {
  create: [/^none active archived deleting$/, /^active active archived deleting$/],
  import: [/^none active archived deleting$/, /^active active archived deleting$/],
  clone: [/^none active archived deleting$/, /^active active archived deleting$/],
  export: [/^none active archived deleting$/],
  archive: [/^none active archived deleting$/, /^none archived archived deleting$/],
  unarchive: [/^none active archived deleting$/, /^none active active deleting$/],
  restore: [/^none active archived deleting$/, /^none active active deleting$/],
  delete: [/^none active archived deleting$/, /^none deleting archived deleting$/],
  purge: [/^none active archived deleting$/, /^none active archived none$/],
} as const;

/** So that a kill that no longer happens is noticed: commits, files written, named, moved, removed. */
const LEAST_STEPS = {
  create: 6,
  import: 8,
  clone: 8,
  export: 9,
  archive: 5,
  unarchive: 5,
  restore: 9,
  delete: 1,
  purge: 10,
} as const satisfies Record<keyof typeof OUTCOMES, number>;

/** Closed files to start from: a tenant with data, an archived one, one to be purged, an export. */
async function prepare(root: string): Promise<void> {
  const system = createSystemDatabase(open(join(root, "system.db")));
  const ids = ["new", "full", "away", "gone"];
  insertOrganizations(system, ids);
  const tenants = createTenantManager({ folder: join(root, "tenants"), system, graceSeconds: 0 });
  for (const id of ids.slice(1)) {
    tenants.create(id);
    tenants.withTenant(id, (db) => db.insert(graphs).values({ name: id }).run());
  }
  await tenants.archive("away");
  tenants.delete("gone", { confirm: "gone" });
  await tenants.exportTo("full", join(root, "export.db"));
  mkdirSync(join(root, "out"));
  tenants.close();
  system.$client.close();
}

/** Runs the operation in a process of its own. @returns its steps, or `null` when it was killed */
function run(root: string, operation: string, killAt: number): Promise<number | null> {
  const args = ["--conditions=@alkdev/source", CHILD, root, operation, String(killAt)];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { env: CHILD_ENV }, (error, stdout, stderr) => {
      if (error === null) resolve(Number(stdout));
      else if (error.signal === "SIGKILL") resolve(null);
      else reject(new Error(stderr));
    });
  });
}

function stateOf(tenants: TenantManager, orgId: string): string {
  return tenants.get(orgId)?.state ?? "none";
}

/** Recovers by opening, then checks that nothing is half and nothing too much. */
async function check(root: string, operation: keyof typeof OUTCOMES): Promise<string> {
  const system = createSystemDatabase(open(join(root, "system.db")));
  const tenants = createTenantManager({ folder: join(root, "tenants"), system, graceSeconds: 0 });
  try {
    const states = ["new", "full", "away", "gone"].map((id) => stateOf(tenants, id)).join(" ");
    expect(OUTCOMES[operation].some((outcome) => outcome.test(states))).toBe(true);
    await checkTenantFiles(tenants, join(root, "tenants"));
    const out = readdirSync(join(root, "out"));
    expect([[], ["full.db"]]).toContainEqual(out);
    if (stateOf(tenants, "new") === "none") tenants.create("new");
    if (out.length > 0 && stateOf(tenants, "gone") === "deleting") {
      tenants.purgeDue();
      await tenants.importFrom(join(root, "out", "full.db"), "gone");
      expect(tenants.stats("gone").rows?.graphs).toBe(1);
    }
    return `${states} ${out.join()}`;
  } finally {
    tenants.close();
    system.$client.close();
  }
}

describe("killed at every step (M33)", () => {
  let prepared: string;

  beforeAll(async () => {
    prepared = mkdtempSync(join(tmpdir(), "alkdev-"));
    await prepare(prepared);
    return () => {
      for (const path of [prepared, CHILD_ENV.NODE_COMPILE_CACHE]) {
        rmSync(path, { recursive: true, force: true });
      }
    };
  });

  const operations = Object.keys(OUTCOMES) as readonly (keyof typeof OUTCOMES)[];
  test.each(operations)(
    "%s is done or not done, also when the recovery is killed",
    async (operation) => {
      const fresh = (): string => {
        const root = join(tempFolder(), "root");
        cpSync(prepared, root, { recursive: true });
        return root;
      };
      const whole = fresh();
      const steps = await run(whole, operation, 0);
      const outcomes = new Set([await check(whole, operation)]);
      for (const [at, killAt] of killSteps(Number(steps)).entries()) {
        const root = fresh();
        expect(await run(root, operation, killAt)).toBeNull();
        // the recovery too, at one of its first steps
        if (at % 3 === 1) await run(root, "recover", 1 + (killAt % 5));
        outcomes.add(await check(root, operation));
      }
      // it was seen both undone and done; a deletion is one commit, and there is no step before it
      expect(outcomes.size).toBe(operation === "delete" ? 1 : 2);
      expect(steps).toBeGreaterThanOrEqual(LEAST_STEPS[operation]);
    },
    120_000,
  );
});
