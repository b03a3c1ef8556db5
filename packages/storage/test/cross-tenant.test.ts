import { createAcl, startTenantWorkers } from "@alkdev/storage/sqlite";
import { eventually, FakeClock } from "@alkdev/testkit";
import { describe, expect, onTestFinished, test } from "vitest";
import { crossTenantFixture, DELEGATION, OUTBOX } from "./cross-tenant-fixture.ts";
import { insertOrganizations, withCode } from "./tenants-setup.ts";

const STUB = "account:acme/ada#intent-1";

describe("delegations between organisations: what they refuse (M36)", () => {
  test.each([
    [
      "scopes the delegator does not hold",
      { narrowedScopes: ["secrets:*"] },
      "DELEGATION_NOT_ALLOWED",
    ],
    ["scopes that are none", { narrowedScopes: ["no scope"] }, "INVALID_ARGUMENT"],
    ["scopes that are no list", { narrowedScopes: "plans:read" }, "INVALID_ARGUMENT"],
    ["actions that are no list", { narrowedResources: { "a:b": "read" } }, "INVALID_ARGUMENT"],
    ["a resource without a type", { narrowedResources: { a: ["read"] } }, "INVALID_ARGUMENT"],
    ["a time that has passed", { expiresAt: 1 }, "INVALID_ARGUMENT"],
    ["a time that is no number", { expiresAt: Number.NaN }, "INVALID_ARGUMENT"],
    ["an empty id", { id: "" }, "INVALID_ARGUMENT"],
    [
      "the same organisation",
      { to: { orgId: "acme", principal: "account:bob" } },
      "INVALID_ARGUMENT",
    ],
    [
      "a delegator who is not there",
      { from: { orgId: "acme", principal: "account:x" } },
      "NOT_FOUND",
    ],
    [
      "a delegator without a tenant",
      { from: { orgId: "other", principal: "account:x" } },
      "NOT_FOUND",
    ],
    ["what is no principal", { to: { orgId: "globex", principal: "bob" } }, "INVALID_ARGUMENT"],
    [
      "what is no organisation",
      { to: { orgId: "../x", principal: "account:b" } },
      "INVALID_ARGUMENT",
    ],
  ])("%s", (_, change, code) => {
    const { crossTenant } = crossTenantFixture();
    expect(() => crossTenant.delegate({ ...DELEGATION, ...(change as object) })).toThrow(
      withCode(code),
    );
    expect(crossTenant.list("acme")).toEqual([]);
  });

  test("an id that stands for another delegation, and the end of one that is not there", () => {
    const { crossTenant } = crossTenantFixture();
    crossTenant.delegate(DELEGATION);
    expect(() => crossTenant.delegate({ ...DELEGATION, narrowedScopes: ["notes:read"] })).toThrow(
      withCode("ALREADY_EXISTS"),
    );
    expect(() => crossTenant.revoke("acme", "none")).toThrow(withCode("NOT_FOUND"));
    expect(crossTenant.get("acme", "none")).toBeNull();
  });

  test("consent that is none", () => {
    const { crossTenant } = crossTenantFixture();
    for (const consent of [
      { from: "..", scopes: [] },
      { from: "acme", scopes: ["a b"] },
      { from: "acme", scopes: [], resources: { x: [] } },
    ]) {
      expect(() => crossTenant.allow("globex", consent)).toThrow(withCode("INVALID_ARGUMENT"));
    }
  });
});

describe("delegations between organisations (M36)", () => {
  test("give exactly what was granted, until they are revoked", async () => {
    const { tenants, crossTenant, deliver, scopes } = crossTenantFixture();
    expect(crossTenant.delegate(DELEGATION).state).toBe("pending");
    expect(scopes()).toEqual(["own:thing"]);
    await deliver();
    expect(crossTenant.get("acme", "intent-1")).toMatchObject({ state: "applied", reason: null });
    expect(scopes()).toEqual(["own:thing", "plans:read"]);
    tenants.withTenant("globex", (db) => {
      const stub = createAcl(db).getPrincipal(STUB as "account:x");
      expect(stub).toMatchObject({ scopes: ["plans:read"], resources: {} });
    });
    expect(crossTenant.listIncoming("globex")).toMatchObject([
      { id: "intent-1", fromOrgId: "acme", stub: STUB, principal: "account:bob" },
    ]);
    crossTenant.revoke("acme", "intent-1");
    crossTenant.revoke("acme", "intent-1");
    await deliver();
    expect(crossTenant.get("acme", "intent-1")?.state).toBe("revoked");
    expect(scopes()).toEqual(["own:thing"]);
    expect(crossTenant.listIncoming("globex")).toEqual([]);
  });

  test("the intent is part of an open transaction, and gone with it", async () => {
    const { tenants, crossTenant, deliver, scopes } = crossTenantFixture();
    tenants.withTenant("acme", ({ $client: client }) => {
      expect(() =>
        client.transaction(() => {
          crossTenant.delegate(DELEGATION);
          throw new Error("taken back");
        }),
      ).toThrow("taken back");
    });
    await deliver();
    expect(crossTenant.list("acme")).toEqual([]);
    expect(scopes()).toEqual(["own:thing"]);
  });

  test("the same intent twice, and messages that come twice, are one delegation", async () => {
    const { tenants, crossTenant, deliver, scopes } = crossTenantFixture();
    crossTenant.delegate(DELEGATION);
    crossTenant.delegate(DELEGATION);
    await deliver();
    tenants.withTenant("acme", ({ $client: client }) => {
      for (let copy = 0; copy < 3; copy++) client.queue(OUTBOX).enqueue({ id: "intent-1" });
    });
    await deliver();
    expect(scopes()).toEqual(["own:thing", "plans:read"]);
    expect(crossTenant.listIncoming("globex")).toHaveLength(1);
    crossTenant.revoke("acme", "intent-1");
    await deliver();
    tenants.withTenant("acme", ({ $client: client }) => {
      client.queue(OUTBOX).enqueue({ id: "intent-1" });
      client.queue(OUTBOX).enqueue({ id: "unknown" });
    });
    await deliver();
    expect(scopes()).toEqual(["own:thing"]);
  });

  test("several to one principal add up, and end one by one", async () => {
    const { crossTenant, deliver, scopes } = crossTenantFixture();
    crossTenant.delegate(DELEGATION);
    crossTenant.delegate({ ...DELEGATION, id: "intent-2", narrowedScopes: ["plans:write"] });
    await deliver();
    expect(scopes()).toEqual(["own:thing", "plans:read", "plans:write"]);
    crossTenant.revoke("acme", "intent-1");
    await deliver();
    expect(scopes()).toEqual(["own:thing", "plans:write"]);
  });

  test("end with their time", async () => {
    const clock = new FakeClock(Date.now());
    const { crossTenant, deliver, scopes } = crossTenantFixture({ clock });
    crossTenant.delegate({ ...DELEGATION, expiresAt: clock.now() + 3_600_000 });
    await deliver();
    expect(scopes()).toContain("plans:read");
    clock.advance(3_600_001);
    expect(await crossTenant.reconcile("acme")).toMatchObject([
      { inEffect: false, action: "none" },
    ]);
  });

  test("workers of all tenants carry them", async () => {
    const { system, tenants, crossTenant, scopes } = crossTenantFixture();
    const workers = startTenantWorkers({ tenants, system, otherQueues: crossTenant.queues });
    onTestFinished(() => workers.stop());
    crossTenant.delegate(DELEGATION);
    await eventually("it is applied", () => scopes().includes("plans:read"));
    tenants.withTenant("acme", ({ $client: client }) => {
      client.queue(crossTenant.schedule.queue).enqueue(crossTenant.schedule.payload);
    });
    crossTenant.revoke("acme", "intent-1");
    await eventually(
      "it is revoked",
      () => crossTenant.get("acme", "intent-1")?.state === "revoked",
    );
    expect(scopes()).toEqual(["own:thing"]);
    await workers.stop();
  });
});

describe("delegations between organisations: consent (M36)", () => {
  test("without it, or beyond it, nothing is accepted, and the delegator is told why", async () => {
    const { crossTenant, deliver, scopes } = crossTenantFixture();
    crossTenant.delegate({ ...DELEGATION, narrowedScopes: ["plans:read", "notes:read"] });
    await deliver();
    const refused = crossTenant.get("acme", "intent-1");
    expect(refused?.state).toBe("refused");
    expect(refused?.reason).toContain('does not let "acme" delegate notes:read');
    expect(crossTenant.disallow("globex", "acme")).toBe(true);
    expect(crossTenant.disallow("globex", "acme")).toBe(false);
    crossTenant.delegate({ ...DELEGATION, id: "intent-2" });
    await deliver();
    expect(crossTenant.get("acme", "intent-2")?.state).toBe("refused");
    expect(scopes()).toEqual(["own:thing"]);
  });

  test("to withdraw it ends what was delegated at once, and the delegator learns it", async () => {
    const { crossTenant, deliver, scopes } = crossTenantFixture();
    crossTenant.delegate(DELEGATION);
    crossTenant.delegate({ ...DELEGATION, id: "intent-2", narrowedScopes: ["plans:write"] });
    await deliver();
    crossTenant.allow("globex", { from: "acme", scopes: ["plans:write"] });
    expect(scopes()).toEqual(["own:thing", "plans:write"]);
    crossTenant.disallow("globex", "acme");
    expect(scopes()).toEqual(["own:thing"]);
    expect(crossTenant.consents("globex")).toEqual([]);
    const found = await crossTenant.reconcile("acme");
    expect(found).toMatchObject([
      { id: "intent-1", there: "revoked", inEffect: false, action: "ended" },
      { id: "intent-2", there: "revoked", inEffect: false, action: "ended" },
    ]);
    expect(crossTenant.get("acme", "intent-2")).toMatchObject({
      state: "failed",
      reason: "the organisation withdrew its consent",
    });
  });

  test("a receiver who is not there is refused", async () => {
    const { crossTenant, deliver } = crossTenantFixture();
    crossTenant.delegate({ ...DELEGATION, to: { orgId: "globex", principal: "account:nobody" } });
    await deliver();
    expect(crossTenant.get("acme", "intent-1")).toMatchObject({ state: "refused" });
  });
});

describe("delegations between organisations: a receiver that is away (M36)", () => {
  test("suspended for a moment: it is tried again and applied", async () => {
    const { tenants, crossTenant, deliver, scopes } = crossTenantFixture({ maxAttempts: 100 });
    tenants.suspend("globex");
    crossTenant.delegate(DELEGATION);
    const delivered = deliver();
    const attempts = "SELECT max(attempts) FROM _honker_live WHERE queue = ?";
    await eventually("it was tried", () =>
      tenants.withTenant(
        "acme",
        ({ $client }) => Number($client.rows(attempts, [OUTBOX])[0]?.[0]) > 1,
      ),
    );
    tenants.resume("globex");
    await delivered;
    expect(scopes()).toContain("plans:read");
  });

  test("suspended for long: it is given up, a dead letter, and taken back here; nothing is left there", async () => {
    const { tenants, crossTenant, deliver, scopes } = crossTenantFixture();
    tenants.suspend("globex");
    crossTenant.delegate(DELEGATION);
    await deliver();
    expect(crossTenant.get("acme", "intent-1")).toMatchObject({
      state: "revoking",
      reason: expect.stringContaining("given up after 3 attempts: TENANT_STATE"),
    });
    const letters = tenants.withTenant("acme", ({ $client }) => $client.queue(OUTBOX).dead.list());
    expect(letters.length).toBeGreaterThanOrEqual(1);
    expect(await crossTenant.reconcile("acme")).toMatchObject([
      { here: "revoking", there: "unreachable", inEffect: null, action: "resent" },
    ]);
    tenants.resume("globex");
    await deliver();
    expect(crossTenant.get("acme", "intent-1")?.state).toBe("failed");
    expect(scopes()).toEqual(["own:thing"]);
  });

  test("archived after it was applied and before that was confirmed: taken back once it is there again", async () => {
    const { tenants, crossTenant, deliver, scopes } = crossTenantFixture();
    crossTenant.delegate(DELEGATION);
    await deliver();
    tenants.withTenant("acme", ({ $client: client }) => {
      client.execute("UPDATE _alk_delegations_out SET state = 'pending'");
      client.queue(OUTBOX).enqueue({ id: "intent-1" }, { maxAttempts: 1 });
    });
    await tenants.archive("globex");
    await deliver();
    expect(crossTenant.get("acme", "intent-1")?.state).toBe("revoking");
    tenants.unarchive("globex");
    expect(scopes()).toContain("plans:read");
    expect(await crossTenant.reconcile("acme")).toMatchObject([
      { here: "revoking", there: "applied", inEffect: true, action: "resent" },
    ]);
    await deliver();
    expect(scopes()).toEqual(["own:thing"]);
    expect(crossTenant.get("acme", "intent-1")?.state).toBe("failed");
  });

  test("deleted: it fails, and what was applied before has ended", async () => {
    const { system, setup, tenants, crossTenant, deliver } = crossTenantFixture();
    crossTenant.delegate(DELEGATION);
    await deliver();
    const impatient = setup.manager({ graceSeconds: 0 });
    tenants.evict("globex");
    impatient.delete("globex", { confirm: "globex" });
    await eventually("it is purged", () => {
      tenants.evict("globex");
      impatient.purgeDue();
      return impatient.get("globex") === null;
    });
    crossTenant.delegate({ ...DELEGATION, id: "intent-2" });
    await deliver();
    expect(crossTenant.get("acme", "intent-2")).toMatchObject({
      state: "failed",
      reason: 'organisation "globex" has no tenant',
    });
    expect(await crossTenant.reconcile("acme")).toMatchObject([
      { id: "intent-1", there: "gone", inEffect: false, action: "ended" },
    ]);
    expect(system.$client.open).toBe(true);
  });
});

describe("delegations between organisations: reconciling (M36)", () => {
  test("says that both sides agree, from both sides", async () => {
    const { crossTenant, deliver } = crossTenantFixture();
    crossTenant.delegate(DELEGATION);
    await deliver();
    expect(await crossTenant.reconcile("acme")).toEqual([
      {
        id: "intent-1",
        side: "outgoing",
        otherOrgId: "globex",
        here: "applied",
        there: "applied",
        inEffect: true,
        action: "none",
      },
    ]);
    expect(await crossTenant.reconcile("globex")).toMatchObject([
      { side: "incoming", here: "applied", there: "applied", inEffect: true, action: "none" },
    ]);
  });

  test("takes back what its delegator no longer holds", async () => {
    const { tenants, crossTenant, deliver, scopes } = crossTenantFixture();
    crossTenant.delegate(DELEGATION);
    await deliver();
    tenants.withTenant("acme", (db) => createAcl(db).revokeScopes("account:ada", ["plans:*"]));
    expect(await crossTenant.reconcile("acme")).toMatchObject([{ action: "taken-back" }]);
    await deliver();
    expect(scopes()).toEqual(["own:thing"]);
    expect(crossTenant.get("acme", "intent-1")).toMatchObject({
      state: "failed",
      reason: '"account:ada" of "acme" no longer holds it',
    });
  });

  test("brings back what the receiver's file lost, and ends what its owner removed", async () => {
    const { tenants, crossTenant, deliver, scopes } = crossTenantFixture();
    crossTenant.delegate(DELEGATION);
    await deliver();
    tenants.withTenant("globex", (db) => {
      createAcl(db).removePrincipal(STUB as "account:x");
      db.$client.execute("DELETE FROM _alk_delegations_in");
    });
    expect(await crossTenant.reconcile("acme")).toMatchObject([
      { there: "none", action: "resent" },
    ]);
    await deliver();
    expect(scopes()).toContain("plans:read");
    tenants.withTenant("globex", (db) => createAcl(db).removePrincipal(STUB as "account:x"));
    expect(await crossTenant.reconcile("acme")).toMatchObject([
      { there: "revoked", action: "ended" },
    ]);
    expect(crossTenant.get("acme", "intent-1")).toMatchObject({
      state: "failed",
      reason: '"globex" removed or changed it',
    });
  });

  test("removes from the receiver's file what the delegator's file does not know", async () => {
    const { tenants, crossTenant, deliver, scopes } = crossTenantFixture();
    crossTenant.delegate(DELEGATION);
    await deliver();
    tenants.suspend("acme");
    expect(await crossTenant.reconcile("globex")).toMatchObject([
      { there: "unreachable", inEffect: true, action: "none" },
    ]);
    tenants.resume("acme");
    tenants.withTenant("acme", ({ $client }) =>
      $client.execute("DELETE FROM _alk_delegations_out"),
    );
    expect(await crossTenant.reconcile("globex")).toMatchObject([
      { there: "none", inEffect: false, action: "ended" },
    ]);
    expect(scopes()).toEqual(["own:thing"]);
  });

  test("a copy of a file delegates nothing and holds nothing from others", async () => {
    const { system, tenants, crossTenant, deliver } = crossTenantFixture();
    crossTenant.delegate(DELEGATION);
    await deliver();
    insertOrganizations(system, ["acme-2", "globex-2"]);
    crossTenant.delegate({ ...DELEGATION, id: "intent-2" });
    await tenants.clone("acme", "acme-2", { work: "keep" });
    await tenants.clone("globex", "globex-2");
    await deliver("acme-2");
    expect(crossTenant.listIncoming("globex").map(({ id }) => id)).toEqual(["intent-1"]);
    expect(await crossTenant.reconcile("acme-2")).toEqual([]);
    expect(await crossTenant.reconcile("globex-2")).toMatchObject([{ action: "ended" }]);
    const copied = tenants.withTenant("globex-2", (db) => createAcl(db).identityOf("account:bob"));
    expect(copied?.scopes).toEqual(["own:thing"]);
  });

  test("forgets what ended long ago", async () => {
    const clock = new FakeClock(Date.now());
    const { crossTenant, deliver } = crossTenantFixture({ clock });
    crossTenant.delegate(DELEGATION);
    crossTenant.revoke("acme", "intent-1");
    await deliver();
    clock.advance(91 * 86_400_000);
    await crossTenant.reconcile("acme");
    expect(crossTenant.list("acme")).toEqual([]);
  });

  test("can be aborted", async () => {
    const { crossTenant } = crossTenantFixture();
    crossTenant.delegate(DELEGATION);
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(crossTenant.reconcile("acme", { signal })).rejects.toThrow("enough");
  });
});
