import { join } from "node:path";
import type { Database, Queue } from "@alkdev/honker";
import { openCatalogQueue, systemCatalog } from "@alkdev/storage/catalog";
import {
  type AccountMaintenance,
  addMember,
  addPeerKey,
  createAccount,
  createApiKey,
  createCallJournal,
  createOrganization,
  createTenantManager,
  deactivateAccount,
  type KeyManagement,
  listApiKeys,
  type RotatedKey,
  revokeApiKey,
  type SystemWorkersOptions,
  startSystemWorkers,
  updateAccount,
} from "@alkdev/storage/sqlite";
import { eventually } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { type AuthSetup, auditTrail, authSetup } from "./auth-fixture.ts";

interface Queues {
  readonly keys: Queue<KeyManagement>;
  readonly accounts: Queue<AccountMaintenance>;
}

function queuesOf(db: Database): Queues {
  const source = { db, entries: systemCatalog.queues };
  return {
    keys: openCatalogQueue(source, "key-management"),
    accounts: openCatalogQueue(source, "account-maintenance"),
  };
}

interface WorkersSetup extends AuthSetup, Queues {
  readonly result: (id: number) => Promise<unknown>;
}

function workersSetup(
  options: (setup: AuthSetup) => Partial<SystemWorkersOptions> = () => ({}),
): WorkersSetup {
  const setup = authSetup();
  const { system } = setup;
  const workers = startSystemWorkers({ system, ...options(setup) });
  onTestFinished(() => workers.stop());
  const result = (id: number) => system.$client.waitResult(id, { timeoutMs: 20_000 });
  return { ...setup, ...queuesOf(system.$client), result };
}

describe("the workers of the system queues make a dead letter of what cannot succeed (M35)", () => {
  it.each<[string, string, (setup: WorkersSetup) => number]>([
    [
      "a key that is not there",
      "no API key",
      ({ keys }) => keys.enqueue({ task: "rotate-key", keyId: "none", graceSeconds: 1 }),
    ],
    [
      "a rotation nobody takes",
      "nobody takes",
      ({ keys, key }) => keys.enqueue({ task: "rotate-key", keyId: key.id, graceSeconds: 1 }),
    ],
    [
      "an account that is not there",
      "no account",
      ({ accounts }) => accounts.enqueue({ task: "deactivate-account", accountId: "none" }),
    ],
    [
      "an organisation that is not there",
      "no organisation",
      ({ accounts }) =>
        accounts.enqueue({ task: "transfer-organization", orgId: "none", newOwnerId: "ada" }),
    ],
  ])("%s", async (_, message, enqueue) => {
    const setup = workersSetup();
    const id = enqueue(setup);
    await expect(setup.result(id)).rejects.toMatchObject({ code: "JOB_FAILED" });
    const dead = [...setup.keys.dead.list(), ...setup.accounts.dead.list()];
    expect(dead).toMatchObject([{ attempts: 1, error: expect.stringContaining(message) }]);
    expect(auditTrail(setup.system)).toHaveLength(2);
  });

  it.each([-1, 0.5, Number.NaN])("and do not start with keys kept for %d seconds", (seconds) => {
    const { system } = authSetup();
    expect(() => startSystemWorkers({ system, keepEndedKeysSeconds: seconds })).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
    expect(system.$client.scheduler().list()).toEqual([]);
  });

  it("a rotation of a revoked key, after its delivery", async () => {
    const delivered: RotatedKey[] = [];
    const { system, key, keys, result, authenticator } = workersSetup(() => ({
      deliverKey: (rotated) => void delivered.push(rotated),
    }));
    revokeApiKey(system, key.id);
    const id = keys.enqueue({ task: "rotate-key", keyId: key.id, graceSeconds: 60 });
    await expect(result(id)).rejects.toMatchObject({ code: "JOB_FAILED" });
    expect(authenticator().authenticate(delivered[0]?.key).ok).toBe(false);
  });
});

describe("the workers of the system queues (M35)", () => {
  it("rotate a key and hand the new one to whoever takes it, and to nobody else", async () => {
    const delivered: RotatedKey[] = [];
    const { system, key, keys, result, authenticator } = workersSetup(() => ({
      deliverKey: async (rotated) => void delivered.push(rotated),
    }));
    const id = keys.enqueue({ task: "rotate-key", keyId: key.id, graceSeconds: 60 });
    const { rotatedToId } = (await result(id)) as { rotatedToId: string };
    expect(delivered).toMatchObject([
      { oldKeyId: key.id, ownerId: "ada", name: "laptop", graceSeconds: 60 },
    ]);
    const auth = authenticator();
    expect(auth.authenticate(delivered[0]?.key)).toMatchObject({
      principal: { credentialId: rotatedToId },
    });
    expect(auth.authenticate(key.key).ok).toBe(true);
    const { $client: db } = system;
    for (const [table] of db.rows("SELECT name FROM sqlite_master WHERE type = 'table'")) {
      const rows = JSON.stringify(db.rows(`SELECT * FROM "${table}"`));
      expect(rows).not.toContain(delivered[0]?.key.slice(4, 40));
    }
    const again = keys.enqueue({ task: "rotate-key", keyId: key.id, graceSeconds: 60 });
    expect(await result(again)).toEqual({ rotatedToId });
    expect(delivered).toHaveLength(1);
  });

  it("try a delivery that failed again, with another key", async () => {
    const seen: string[] = [];
    const { system, clock, key, keys, authenticator } = workersSetup(() => ({
      deliverKey: (rotated) => {
        seen.push(rotated.key);
        if (seen.length === 1) throw new Error("the vault is sealed");
      },
    }));
    keys.enqueue({ task: "rotate-key", keyId: key.id, graceSeconds: 60 });
    const isAgain = () => {
      clock.advance(1_000);
      return seen.length === 2;
    };
    await eventually("it was tried twice", isAgain, 20_000);
    const auth = authenticator();
    await eventually("the second key works", () => auth.authenticate(seen[1]).ok);
    expect(auth.authenticate(seen[0]).ok).toBe(false);
    expect(listApiKeys(system, { ownerId: "ada" }).items).toHaveLength(2);
  });

  it("remove keys that ended long ago, in batches, and no others", async () => {
    const { system, clock, ada, key, keys, result } = workersSetup();
    system.transaction(() => {
      for (let i = 0; i < 1_200; i += 1) {
        const { id } = createApiKey(system, { ownerId: ada.id });
        revokeApiKey(system, id, { now: clock.now() - 10_000 });
      }
    });
    const fresh = createApiKey(system, { ownerId: ada.id });
    revokeApiKey(system, fresh.id, { now: clock.now() });
    const expiredBefore = clock.now() - 5_000;
    const id = keys.enqueue({ task: "remove-expired-keys", expiredBefore });
    expect(await result(id)).toEqual({ removed: 1_200 });
    expect(listApiKeys(system, { ownerId: ada.id }).items.map((one) => one.id)).toEqual([
      ...[key.id, fresh.id],
    ]);
    const again = keys.enqueue({ task: "remove-expired-keys", expiredForSeconds: 86_400 });
    expect(await result(again)).toEqual({ removed: 0 });
  });

  it("deactivate an account: its keys end, what it owns is suspended, in one commit, once", async () => {
    let managed: ReturnType<typeof createTenantManager> | undefined;
    const { system, key, accounts, result, authenticator } = workersSetup(({ system, path }) => {
      createOrganization(system, { id: "acme", name: "Acme", slug: "acme", ownerId: "ada" });
      createOrganization(system, { id: "bare", name: "Bare", slug: "bare", ownerId: "ada" });
      managed = createTenantManager({ folder: join(path, "..", "tenants"), system });
      managed.create("acme");
      return { tenants: managed };
    });
    onTestFinished(() => managed?.close());
    const publicKey =
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
    addPeerKey(system, { ownerId: "ada", publicKey });
    const commits: string[] = [];
    const stopListening = system.$client.onCommit(() => {
      const { ok } = authenticator().authenticate(key.key);
      commits.push(`${ok} ${managed?.get("acme")?.state}`);
    });
    const id = accounts.enqueue({ task: "deactivate-account", accountId: "ada" });
    const done = { revokedKeys: 1, revokedPeerKeys: 1, suspended: ["acme"], kept: ["bare"] };
    expect(await result(id)).toEqual(done);
    stopListening();
    expect([...new Set(commits)]).toEqual(["true active", "false suspended"]);
    const lines = auditTrail(system).length;
    const again = accounts.enqueue({ task: "deactivate-account", accountId: "ada" });
    expect(await result(again)).toEqual({
      ...{ revokedKeys: 0, revokedPeerKeys: 0, suspended: [], kept: ["acme", "bare"] },
    });
    expect(auditTrail(system)).toHaveLength(lines);
  });

  it("hand an organisation over, also away from a deactivated account", async () => {
    const { system, accounts, result } = workersSetup();
    createAccount(system, { id: "bob", email: "bob@example.com" });
    createOrganization(system, { id: "acme", name: "Acme", slug: "acme", ownerId: "ada" });
    addMember(system, { orgId: "acme", accountId: "bob" });
    deactivateAccount(system, "ada");
    const transfer = { task: "transfer-organization", orgId: "acme", newOwnerId: "bob" } as const;
    const first = accounts.enqueue(transfer);
    expect(await result(first)).toEqual({ orgId: "acme", newOwnerId: "bob" });
    expect(await result(accounts.enqueue(transfer))).toEqual({ orgId: "acme", newOwnerId: "bob" });
    expect(auditTrail(system, "org.transferred")).toHaveLength(1);
    updateAccount(system, "ada", { changes: { status: "active" } });
  });

  it("prune the system file: calls that ended a day ago and old events go, the audit trail stays", async () => {
    const { system, result } = workersSetup(() => ({
      streamRetention: { "call-protocol": { maxCount: 1 } },
    }));
    const yesterday = Date.now() - 86_401_000;
    using old = createCallJournal(system, { owner: "hub", now: () => yesterday });
    using journal = createCallJournal(system, { owner: "hub" });
    const call = (requestId: string) => ({ requestId, operationId: "accounts.create" });
    old.runAtomic(call("old"), () => 1);
    journal.runAtomic(call("new"), () => 1);
    const source = { db: system.$client, entries: systemCatalog.queues };
    const job = openCatalogQueue(source, "system-maintenance").enqueue({ task: "prune-events" });
    expect(await result(job)).toMatchObject({ pruned: { calls: 1, streamEvents: 3 } });
    expect(journal.begin(call("old"))).toBe("new");
    expect(journal.begin(call("new"))).toMatchObject({ type: "responded" });
    expect(auditTrail(system)).toHaveLength(2);
  });

  it("make their schedule, which any number of starts leave as it is", async () => {
    const { system, keys } = workersSetup(() => ({ schedules: "leave" }));
    const again = startSystemWorkers({ system, schedules: "leave" });
    await again.stop();
    await again.stop();
    const scheduler = system.$client.scheduler();
    expect(scheduler.list()).toMatchObject([
      { name: "event-pruning", expression: "15 3 * * *", queue: "system-maintenance" },
      { name: "remove-expired-keys", expression: "30 3 * * *", queue: "key-management" },
    ]);
    const schedule = scheduler.get("remove-expired-keys");
    scheduler.tick(Number(schedule?.nextFireAt) / 1_000);
    await eventually("the job is done", () => {
      const { pending, running, dead } = keys.stats();
      expect(dead).toBe(0);
      return pending + running === 0;
    });
  });
});
