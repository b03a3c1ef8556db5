import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { open } from "@alkdev/honker";
import {
  createAcl,
  createCrossTenantDelegations,
  createSystemDatabase,
  createTenantManager,
} from "@alkdev/storage/sqlite";
import { eventually, tempFolder } from "@alkdev/testkit";
import { expect, onTestFinished, test } from "vitest";
import { DELEGATION, preparePrincipals } from "./cross-tenant-fixture.ts";
import { insertOrganizations } from "./tenants-setup.ts";

const ROUNDS = 6;
const PER_ROUND = 15;

function workers(root: string): ChildProcess {
  const child = fork(new URL("./children/cross-tenant-workers.ts", import.meta.url), [root], {
    execArgv: ["--conditions=@alkdev/source"],
    env: { ...process.env, NODE_COMPILE_CACHE: join(root, "compiled") },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

test("two processes carry delegations, and one is killed again and again: each has one effect or none (M36)", async () => {
  const root = tempFolder();
  const system = createSystemDatabase(open(join(root, "system.db")));
  onTestFinished(() => system.$client.close());
  insertOrganizations(system, ["acme", "globex"]);
  const tenants = createTenantManager({ folder: join(root, "tenants"), system });
  onTestFinished(() => tenants.close());
  for (const orgId of ["acme", "globex"]) tenants.create(orgId);
  preparePrincipals(tenants);
  const crossTenant = createCrossTenantDelegations({ tenants, baseBackoffMs: 1 });
  crossTenant.allow("globex", { from: "acme", scopes: ["plans:*"] });

  const steady = workers(root);
  await once(steady, "message");
  const wanted = new Map<string, "applied" | "revoked">();
  for (let round = 0; round < ROUNDS; round++) {
    const killed = workers(root);
    await once(killed, "message");
    for (let i = 0; i < PER_ROUND; i++) {
      const id = `intent-${round}-${i}`;
      crossTenant.delegate({ ...DELEGATION, id, narrowedScopes: [`plans:${round}-${i}`] });
      wanted.set(id, "applied");
      const earlier = [...wanted.keys()][(round * 7 + i * 5) % wanted.size] as string;
      if (i % 2 === 1) {
        crossTenant.revoke("acme", earlier);
        wanted.set(earlier, "revoked");
      }
      await sleep(1);
    }
    // not a wait for something: the moment of the kill is the input of this test
    await sleep(7 * round);
    killed.kill("SIGKILL");
    await once(killed, "exit");
  }

  // claims of the killed last for minutes; reconciling sends messages of its own
  await crossTenant.reconcile("acme");
  const open_ = { states: ["pending", "revoking"] } as const;
  await eventually(
    "everything is carried",
    () => crossTenant.list("acme", open_).items.length === 0,
    60_000,
  );
  const limit = 1_000;
  const states = crossTenant.list("acme", { limit }).items.map(({ id, state }) => [id, state]);
  expect(new Map(states as [string, string][])).toEqual(wanted);
  const applied = [...wanted].filter(([, state]) => state === "applied").map(([id]) => id);
  const incoming = crossTenant.listIncoming("globex", { limit }).items.map(({ id }) => id);
  expect(new Set(incoming)).toEqual(new Set(applied));
  const { scopes, stubs } = tenants.withTenant("globex", (db) => {
    const acl = createAcl(db);
    const { items } = acl.listPrincipals({ limit });
    return {
      scopes: acl.identityOf("account:bob")?.scopes,
      stubs: items.map(({ key }) => key).filter((key) => key !== "account:bob"),
    };
  });
  expect(new Set(scopes)).toEqual(
    new Set(["own:thing", ...applied.map((id) => id.replace("intent-", "plans:"))]),
  );
  expect(new Set(stubs)).toEqual(new Set(applied.map((id) => `account:acme/ada#${id}`)));
  for (const orgId of ["acme", "globex"]) {
    for (const { verdict, action } of await crossTenant.reconcile(orgId)) {
      expect([verdict, action]).toEqual(["applied", "none"]);
    }
  }
  steady.send("stop");
  expect((await once(steady, "exit"))[0]).toBe(0);
}, 240_000);
