import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { open } from "@alkdev/honker";
import {
  createAcl,
  createCrossTenantDelegations,
  createSystemDatabase,
  createTenantManager,
  type DelegationVerdict,
} from "@alkdev/storage/sqlite";
import { killSteps, tempFolder } from "@alkdev/testkit";
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

/** `withdraw`: the receiver's owner takes the delegation apart, and the delegator reconciles. */
type Operation = "delegate" | "revoke" | "take-back" | "withdraw";

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
function run(root: string, operation: Operation, killAt: number): Promise<number | null> {
  const args = ["--conditions=@alkdev/source", CHILD, root, operation, String(killAt)];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { env: CHILD_ENV }, (error, stdout, stderr) => {
      if (error === null) resolve(Number(stdout));
      else if (error.signal === "SIGKILL") resolve(null);
      else reject(new Error(stderr));
    });
  });
}

/** Closed files to start from: two tenants, and for what ends it an applied delegation. */
async function prepare(root: string, operation: Operation): Promise<void> {
  const { system, tenants, crossTenant, close } = openAll(root);
  insertOrganizations(system, ["acme", "globex"]);
  for (const orgId of ["acme", "globex"]) tenants.create(orgId);
  preparePrincipals(tenants);
  crossTenant.allow("globex", { from: "acme", scopes: ["plans:*"] });
  if (operation !== "delegate") {
    crossTenant.delegate(DELEGATION);
    await deliverAll(tenants, crossTenant);
  }
  if (operation === "take-back") {
    tenants.withTenant("acme", (db) => createAcl(db).revokeScopes("account:ada", ["plans:*"]));
  }
  if (operation === "withdraw") {
    tenants.withTenant("globex", (db) =>
      createAcl(db).removePrincipal("account:acme/ada#intent-1"),
    );
  }
  close();
}

/** What a killed process may leave in acme's file, and what shall become of it. */
const INTENDED: Readonly<Record<Operation, (left: string) => string>> = {
  delegate: (left) => (left === "none" ? "none" : "applied"),
  revoke: (left) => (left === "applied" ? "applied" : "revoked"),
  "take-back": () => "failed",
  withdraw: () => "failed",
};

/**
 * Looks at what a killed process left. What the report says must be what the receiver may do; after the
 * messages are carried there is one effect or none, as the intent says.
 */
async function check(
  root: string,
  operation: Operation,
  first: "acme" | "globex",
): Promise<string> {
  const { tenants, crossTenant, close } = openAll(root);
  const stateNow = (): string => crossTenant.get("acme", "intent-1")?.state ?? "none";
  const holdsNow = (): boolean => scopesOf(tenants).includes("plans:read");
  try {
    const left = stateNow();
    const held = holdsNow();
    for (const orgId of [first, first === "acme" ? "globex" : "acme"]) {
      const found = await crossTenant.reconcile(orgId);
      expect(found.length).toBeLessThanOrEqual(1);
      for (const { verdict } of found) expect(IN_EFFECT[verdict]).toBe(holdsNow());
    }
    // the killed process holds its claim for some minutes: reconciling has sent messages of its own
    const until = (): boolean => !["pending", "revoking"].includes(stateNow());
    await deliverAll(tenants, crossTenant, { until });
    const intended = INTENDED[operation](left);
    const holds = intended === "applied";
    expect(stateNow()).toBe(intended);
    expect(scopesOf(tenants)).toEqual(holds ? ["own:thing", "plans:read"] : ["own:thing"]);
    expect(crossTenant.listIncoming("globex").items).toHaveLength(holds ? 1 : 0);
    // whoever was killed asks again: the same intent is no second delegation
    if (operation === "delegate") {
      crossTenant.delegate(DELEGATION);
      await deliverAll(tenants, crossTenant, { until });
      expect(crossTenant.listIncoming("globex").items).toHaveLength(1);
    }
    for (const orgId of ["acme", "globex"]) {
      for (const { action } of await crossTenant.reconcile(orgId)) expect(action).toBe("none");
    }
    return `${left} ${held}`;
  } finally {
    close();
  }
}

const IN_EFFECT: Readonly<Record<DelegationVerdict, boolean | null>> = {
  applied: true,
  "to-be-compensated": true,
  "not-applied": false,
  expired: null,
  unknown: null,
};

describe("delegations between organisations: killed at every step (M36)", () => {
  const prepared = new Map<Operation, string>();

  beforeAll(async () => {
    for (const operation of Object.keys(INTENDED) as Operation[]) {
      const root = mkdtempSync(join(tmpdir(), "alkdev-"));
      prepared.set(operation, root);
      await prepare(root, operation);
    }
    return () => {
      for (const path of [...prepared.values(), CHILD_ENV.NODE_COMPILE_CACHE]) {
        rmSync(path, { recursive: true, force: true });
      }
    };
  });

  test.each([
    ["delegate", ["none false", "pending false", "pending true", "applied true"]],
    ["revoke", ["applied true", "revoking true", "revoking false", "revoked false"]],
    ["take-back", ["applied true", "revoking true", "revoking false", "failed false"]],
    ["withdraw", ["applied false", "failed false"]],
  ] as const)(
    "%s has one effect or none, whichever side starts first",
    async (operation, seen) => {
      const fresh = (): string => {
        const root = join(tempFolder(), "root");
        cpSync(prepared.get(operation) as string, root, { recursive: true });
        return root;
      };
      const whole = fresh();
      const steps = Number(await run(whole, operation, 0));
      expect(steps).toBeGreaterThan(3);
      const outcomes = new Set([await check(whole, operation, "acme")]);
      for (const [at, killAt] of killSteps(steps).entries()) {
        const root = fresh();
        expect(await run(root, operation, killAt)).toBeNull();
        outcomes.add(await check(root, operation, at % 2 === 1 ? "acme" : "globex"));
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
