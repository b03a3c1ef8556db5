import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { open } from "@alkdev/honker";
import {
  createCrossTenantDelegations,
  createSystemDatabase,
  createTenantManager,
} from "@alkdev/storage/sqlite";
import { tempFolder } from "@alkdev/testkit";
import { beforeAll, describe, expect, test } from "vitest";
import {
  crossTenantFixture,
  DELEGATION,
  deliverAll,
  preparePrincipals,
  scopesOf,
} from "./cross-tenant-fixture.ts";
import { insertOrganizations } from "./tenants-setup.ts";

const CHILD = fileURLToPath(new URL("./children/cross-tenant-step.ts", import.meta.url));
const CHILD_ENV = {
  ...process.env,
  NODE_COMPILE_CACHE: join(tmpdir(), `alkdev-compiled-cross-${process.pid}`),
};

function openAll(root: string) {
  const system = createSystemDatabase(open(join(root, "system.db")));
  const tenants = createTenantManager({ folder: join(root, "tenants"), system });
  const crossTenant = createCrossTenantDelegations({ tenants, baseBackoffMs: 1 });
  const close = (): void => {
    tenants.close();
    system.$client.close();
  };
  return { system, tenants, crossTenant, close };
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

/** Closed files to start from: two tenants, and for the revocation an applied delegation. */
async function prepare(root: string, operation: string): Promise<void> {
  const { system, tenants, crossTenant, close } = openAll(root);
  insertOrganizations(system, ["acme", "globex"]);
  for (const orgId of ["acme", "globex"]) tenants.create(orgId);
  preparePrincipals(tenants);
  crossTenant.allow("globex", { from: "acme", scopes: ["plans:*"] });
  if (operation === "revoke") {
    crossTenant.delegate(DELEGATION);
    await deliverAll(tenants, crossTenant, "acme");
  }
  close();
}

/**
 * Looks at what a killed process left. What the report says must be what the receiver may do; after the
 * messages are carried there is one effect or none, as the intent says.
 */
async function check(root: string, operation: string, first: "acme" | "globex"): Promise<string> {
  const { tenants, crossTenant, close } = openAll(root);
  try {
    const left = crossTenant.get("acme", "intent-1")?.state ?? "none";
    const found = await crossTenant.reconcile(first);
    const second = await crossTenant.reconcile(first === "acme" ? "globex" : "acme");
    const holds = scopesOf(tenants).includes("plans:read");
    for (const { inEffect, side } of [...found, ...second]) {
      expect([side, inEffect]).toEqual([side, holds]);
    }
    // the killed process holds its claim for some minutes: whoever comes next has a message of its own
    tenants.withTenant("acme", ({ $client }) => {
      $client.execute("UPDATE _honker_live SET claim_expires_at = 1 WHERE state = 'processing'");
    });
    await deliverAll(tenants, crossTenant, "acme");
    const state = crossTenant.get("acme", "intent-1")?.state ?? "none";
    const intended = operation === "revoke" ? left === "applied" : left !== "none";
    expect(state).toBe(intended ? "applied" : operation === "revoke" ? "revoked" : "none");
    expect(scopesOf(tenants)).toEqual(intended ? ["own:thing", "plans:read"] : ["own:thing"]);
    expect(crossTenant.listIncoming("globex")).toHaveLength(intended ? 1 : 0);
    // whoever was killed asks again: the same intent is no second delegation
    if (operation !== "revoke") {
      crossTenant.delegate(DELEGATION);
      await deliverAll(tenants, crossTenant, "acme");
      expect(crossTenant.listIncoming("globex")).toHaveLength(1);
    }
    for (const orgId of ["acme", "globex"]) {
      for (const { action } of await crossTenant.reconcile(orgId)) expect(action).toBe("none");
    }
    return `${left} ${holds}`;
  } finally {
    close();
  }
}

describe("delegations between organisations: killed at every step (M36)", () => {
  const prepared: Record<string, string> = {};

  beforeAll(async () => {
    for (const operation of ["delegate", "revoke"]) {
      const root = mkdtempSync(join(tmpdir(), "alkdev-"));
      prepared[operation] = root;
      await prepare(root, operation);
    }
    return () => {
      for (const path of [...Object.values(prepared), CHILD_ENV.NODE_COMPILE_CACHE]) {
        rmSync(path, { recursive: true, force: true });
      }
    };
  });

  test.each([
    ["delegate", ["none false", "pending false", "pending true", "applied true"]],
    ["revoke", ["applied true", "revoking true", "revoking false", "revoked false"]],
  ] as const)(
    "%s has one effect or none, whichever side starts first",
    async (operation, seen) => {
      const fresh = (): string => {
        const root = join(tempFolder(), "root");
        cpSync(prepared[operation] as string, root, { recursive: true });
        return root;
      };
      const whole = fresh();
      const steps = Number(await run(whole, operation, 0));
      expect(steps).toBeGreaterThan(5);
      const outcomes = new Set([await check(whole, operation, "acme")]);
      for (let killAt = 1; killAt <= steps; killAt++) {
        const root = fresh();
        if ((await run(root, operation, killAt)) !== null) continue;
        outcomes.add(await check(root, operation, killAt % 2 === 0 ? "acme" : "globex"));
      }
      for (const outcome of seen) expect(outcomes).toContain(outcome);
    },
    240_000,
  );
});

describe("delegations between organisations: revocation against application (M36)", () => {
  test("a revocation that overtakes the application wins, wherever the application stands", async () => {
    // at each look at the clock inside the application, another process revokes and delivers
    for (let at = 1; at <= 8; at++) {
      let looks = 0;
      let overtake = (): void => undefined;
      const clock = {
        now: () => {
          looks += 1;
          if (looks === at) overtake();
          return Date.now();
        },
      };
      const { tenants, crossTenant, deliver, scopes } = crossTenantFixture({ clock });
      crossTenant.delegate(DELEGATION);
      const plain = createCrossTenantDelegations({ tenants, baseBackoffMs: 1 });
      looks = 0;
      overtake = () => void plain.revoke("acme", "intent-1");
      await deliver();
      await deliver();
      if (looks < at) break;
      expect(crossTenant.get("acme", "intent-1")?.state).toBe("revoked");
      expect(scopes()).toEqual(["own:thing"]);
    }
  });

  test("an application that arrives after its revocation finds that, and does nothing", async () => {
    const { tenants, crossTenant, deliver, scopes } = crossTenantFixture();
    crossTenant.delegate(DELEGATION);
    crossTenant.revoke("acme", "intent-1");
    await deliver();
    expect(crossTenant.get("acme", "intent-1")?.state).toBe("revoked");
    // as a worker would that had read the intent before it was revoked
    tenants.withTenant("acme", ({ $client: client }) => {
      client.execute("UPDATE _alk_delegations_out SET state = 'pending'");
      client.queue("_outbox:cross-tenant").enqueue({ id: "intent-1" });
    });
    await deliver();
    expect(scopes()).toEqual(["own:thing"]);
    expect(crossTenant.get("acme", "intent-1")?.state).toBe("refused");
  });
});
