import { createAcl, startTenantWorkers } from "@alkdev/storage/sqlite";
import { eventually, FakeClock } from "@alkdev/testkit";
import { describe, expect, onTestFinished, test } from "vitest";
import { crossTenantFixture, DELEGATION, OUTBOX } from "./cross-tenant-fixture.ts";
import { withCode } from "./tenants-setup.ts";

const STUB = "account:acme/ada#intent-1";
const LONG = `account:${"x".repeat(500)}` as const;

describe("delegations between organisations: what they refuse (M36)", () => {
  test.each([
    ["scopes the delegator does not hold", { narrowedScopes: ["secrets:*"] }],
    ["actions the delegator does not hold", { narrowedResources: { "project:p1": ["write"] } }],
  ])("%s", (_, change) => {
    const { crossTenant } = crossTenantFixture();
    expect(() => crossTenant.delegate({ ...DELEGATION, ...(change as object) })).toThrow(
      withCode("DELEGATION_NOT_ALLOWED", 'to "account:bob@globex"'),
    );
  });

  test.each([
    ["scopes that are none", { narrowedScopes: ["no scope"] }],
    ["scopes that are no list", { narrowedScopes: "plans:read" }],
    ["actions that are no list", { narrowedResources: { "a:b": "read" } }],
    ["a resource without a type", { narrowedResources: { a: ["read"] } }],
    ["resources that are a text", { narrowedResources: "a:b" }],
    ["a time that has passed", { expiresAt: 1 }],
    ["a time that is no number", { expiresAt: Number.NaN }],
    ["a time beyond whole numbers", { expiresAt: 2 ** 53 }],
    ["narrowable that is neither true nor false", { narrowable: "no" }],
    ["an empty id", { id: "" }],
    ["an id with other characters", { id: "a#b" }],
    ["an id that is no text", { id: 7 }],
    ["the same organisation", { to: { orgId: "acme", principal: "account:bob" } }],
    ["what is no principal", { to: { orgId: "globex", principal: "bob" } }],
    ["what is no organisation", { to: { orgId: "../x", principal: "account:b" } }],
    [
      "keys that are too long there",
      { from: { orgId: "acme", principal: LONG }, id: "long-intent" },
    ],
    ["a receiver whose key is too long", { to: { orgId: "globex", principal: `${LONG}${LONG}` } }],
  ])("%s", (_, change) => {
    const { crossTenant } = crossTenantFixture();
    expect(() => crossTenant.delegate({ ...DELEGATION, ...(change as object) })).toThrow(
      withCode("INVALID_ARGUMENT"),
    );
    expect(crossTenant.list("acme").items).toEqual([]);
  });

  test.each([
    ["a delegator who is not there", { orgId: "acme", principal: "account:x" } as const],
    ["a delegator without a tenant", { orgId: "other", principal: "account:x" } as const],
  ])("%s", (_, from) => {
    const { crossTenant } = crossTenantFixture();
    expect(() => crossTenant.delegate({ ...DELEGATION, from })).toThrow(withCode("NOT_FOUND"));
  });

  test("a delegator who has expired, or may not pass it on", () => {
    const clock = new FakeClock(Date.now());
    const { tenants, crossTenant } = crossTenantFixture({ clock });
    tenants.withTenant("acme", (db) => {
      const acl = createAcl(db);
      const expiresAt = clock.now() + 1_000;
      acl.putPrincipal("account:ada", { scopes: ["plans:*"], expiresAt });
      acl.putPrincipal("account:eve");
      acl.delegate("account:ada", "account:eve", {
        narrowedScopes: ["plans:read"],
        narrowable: false,
      });
    });
    const eve = { orgId: "acme", principal: "account:eve" } as const;
    const refused = withCode("DELEGATION_NOT_ALLOWED");
    expect(() => crossTenant.delegate({ ...DELEGATION, from: eve })).toThrow(refused);
    clock.advance(1_000);
    expect(() => crossTenant.delegate(DELEGATION)).toThrow(refused);
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

  test("pages that are none", () => {
    const { crossTenant } = crossTenantFixture();
    for (const page of [{ limit: 0 }, { limit: Number.NaN }, { cursor: "x" }]) {
      expect(() => crossTenant.list("acme", page)).toThrow(withCode("INVALID_ARGUMENT"));
      expect(() => crossTenant.listIncoming("acme", page)).toThrow(withCode("INVALID_ARGUMENT"));
    }
  });

  test.each([{ maxAttempts: 0 }, { maxAttempts: 0.5 }, { baseBackoffMs: -1 }])(
    "options like %o",
    (options) => {
      expect(() => crossTenantFixture(options)).toThrow(withCode("INVALID_ARGUMENT"));
    },
  );

  test("workers of one file, and names of queues that are taken", () => {
    const { system, tenants, crossTenant } = crossTenantFixture();
    const { queues: otherQueues } = crossTenant;
    tenants.withTenant("acme", (tenant) => {
      expect(() => startTenantWorkers({ tenant, otherQueues })).toThrow(
        withCode("INVALID_ARGUMENT", "cannot reach another file"),
      );
    });
    const taken = { "acl-evaluation": () => () => undefined };
    expect(() => startTenantWorkers({ tenants, system, otherQueues: taken })).toThrow(
      withCode("INVALID_ARGUMENT", "acl-evaluation"),
    );
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
      const stub = createAcl(db).getPrincipal(STUB);
      expect(stub).toMatchObject({ scopes: ["plans:read"], resources: {} });
    });
    expect(crossTenant.listIncoming("globex").items).toMatchObject([
      { id: "intent-1", fromOrgId: "acme", stub: STUB, principal: "account:bob" },
    ]);
    crossTenant.revoke("acme", "intent-1");
    crossTenant.revoke("acme", "intent-1");
    await deliver();
    expect(crossTenant.get("acme", "intent-1")?.state).toBe("revoked");
    expect(scopes()).toEqual(["own:thing"]);
    expect(crossTenant.listIncoming("globex").items).toEqual([]);
  });

  test("carry actions, a time, and that they may not be passed on", async () => {
    const clock = new FakeClock(Date.now());
    const { tenants, crossTenant, deliver } = crossTenantFixture({ clock });
    const resources = { "project:p1": ["read"], "file:*": ["read", "write"] };
    tenants.withTenant("acme", (db) => {
      createAcl(db).putPrincipal("account:ada", { scopes: ["plans:*"], resources });
    });
    crossTenant.allow("globex", { from: "acme", scopes: ["plans:*"], resources });
    crossTenant.delegate({
      ...DELEGATION,
      narrowedResources: resources,
      narrowable: false,
      expiresAt: clock.now() + 60_000,
    });
    await deliver();
    tenants.withTenant("globex", (db) => {
      const acl = createAcl(db, { clock });
      expect(acl.identityOf("account:bob")?.resources).toEqual(resources);
      acl.putPrincipal("account:carol");
      expect(() =>
        acl.delegate("account:bob", "account:carol", { narrowedScopes: ["plans:read"] }),
      ).toThrow(withCode("DELEGATION_NOT_ALLOWED"));
      expect(acl.explain("account:bob")?.flatMap(({ paths }) => paths)).toContainEqual(
        expect.objectContaining({
          text: expect.stringContaining(`${STUB} holds plans:read → account:bob until`),
        }),
      );
    });
    const found = await crossTenant.reconcile("acme");
    expect(found).toMatchObject([{ verdict: "applied", action: "none" }]);
    clock.advance(60_000);
    tenants.withTenant("globex", (db) => {
      expect(createAcl(db, { clock }).identityOf("account:bob")?.scopes).toEqual(["own:thing"]);
    });
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
    expect(crossTenant.list("acme").items).toEqual([]);
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
    expect(crossTenant.listIncoming("globex").items).toHaveLength(1);
    crossTenant.revoke("acme", "intent-1");
    await deliver();
    tenants.withTenant("acme", ({ $client: client }) => {
      client.queue(OUTBOX).enqueue({ id: "intent-1" });
      client.queue(OUTBOX).enqueue({ id: "unknown" });
    });
    await deliver();
    expect(scopes()).toEqual(["own:thing"]);
    expect(crossTenant.delegate(DELEGATION).state).toBe("revoked");
  });

  test("the same id of two organisations names two delegations", async () => {
    const { tenants, crossTenant, deliver, scopes } = crossTenantFixture();
    tenants.create("other");
    tenants.withTenant("other", (db) => {
      createAcl(db).putPrincipal("account:ada", { scopes: ["notes:*"] });
    });
    crossTenant.allow("globex", { from: "other", scopes: ["notes:*"] });
    crossTenant.delegate(DELEGATION);
    const from = { orgId: "other", principal: "account:ada" } as const;
    crossTenant.delegate({ ...DELEGATION, from, narrowedScopes: ["notes:read"] });
    await deliver();
    await deliver({ orgId: "other" });
    expect(scopes()).toEqual(["notes:read", "own:thing", "plans:read"]);
    crossTenant.revoke("other", "intent-1");
    await deliver({ orgId: "other" });
    expect(scopes()).toEqual(["own:thing", "plans:read"]);
    expect(crossTenant.get("acme", "intent-1")?.state).toBe("applied");
  });

  test("several to one principal add up, end one by one, and are listed by pages", async () => {
    const { crossTenant, deliver, scopes } = crossTenantFixture();
    crossTenant.delegate(DELEGATION);
    crossTenant.delegate({ ...DELEGATION, id: "intent-2", narrowedScopes: ["plans:write"] });
    await deliver();
    expect(scopes()).toEqual(["own:thing", "plans:read", "plans:write"]);
    for (const list of [crossTenant.list, crossTenant.listIncoming]) {
      const first = list(list === crossTenant.list ? "acme" : "globex", { limit: 1 });
      expect(first.items.map(({ id }) => id)).toEqual(["intent-1"]);
      const { cursor } = first;
      const second = list(list === crossTenant.list ? "acme" : "globex", { limit: 1, cursor });
      expect(second).toMatchObject({ items: [{ id: "intent-2" }], cursor: null });
    }
    crossTenant.revoke("acme", "intent-1");
    await deliver();
    expect(scopes()).toEqual(["own:thing", "plans:write"]);
    const ended = crossTenant.list("acme", { states: ["revoked"] }).items;
    expect(ended.map(({ id }) => id)).toEqual(["intent-1"]);
  });

  test("a revocation does not wait for the next attempt of the application", async () => {
    const { tenants, crossTenant, deliver } = crossTenantFixture({ baseBackoffMs: 300_000 });
    tenants.suspend("globex");
    crossTenant.delegate(DELEGATION);
    const retries = "SELECT count(*) FROM _honker_live WHERE queue = ? AND attempts = 1";
    const client = tenants.open("acme").db.$client;
    await deliver({ until: () => Number(client.rows(retries, [OUTBOX])[0]?.[0]) === 1 });
    tenants.resume("globex");
    crossTenant.revoke("acme", "intent-1");
    await deliver({ until: () => crossTenant.get("acme", "intent-1")?.state === "revoked" });
  });

  test("what the delegator lost before it was delivered is not delivered", async () => {
    const { tenants, crossTenant, deliver, scopes } = crossTenantFixture();
    crossTenant.delegate(DELEGATION);
    tenants.withTenant("acme", (db) => createAcl(db).removePrincipal("account:ada"));
    await deliver();
    expect(crossTenant.get("acme", "intent-1")).toMatchObject({
      state: "failed",
      reason: '"account:ada" of "acme" no longer holds it',
    });
    expect(scopes()).toEqual(["own:thing"]);
  });

  test("workers of all tenants carry them, and reconcile", async () => {
    const { system, tenants, crossTenant, scopes } = crossTenantFixture();
    const workers = startTenantWorkers({ tenants, system, otherQueues: crossTenant.queues });
    onTestFinished(() => workers.stop());
    crossTenant.delegate(DELEGATION);
    await eventually("it is applied", () => scopes().includes("plans:read"));
    await eventually(
      "it is confirmed",
      () => crossTenant.get("acme", "intent-1")?.state === "applied",
    );
    const { queue, payload } = crossTenant.schedule;
    const result = await tenants.withTenant("acme", ({ $client: client }) =>
      client.waitResult(client.queue(queue).enqueue(payload), { timeoutMs: 20_000 }),
    );
    expect(result).toEqual({
      applied: 1,
      "not-applied": 0,
      expired: 0,
      "to-be-compensated": 0,
      unknown: 0,
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
    expect(await crossTenant.reconcile("acme")).toEqual([]);
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
    expect(await crossTenant.reconcile("globex")).toEqual([]);
    expect(await crossTenant.reconcile("acme")).toMatchObject([
      { id: "intent-1", there: "revoked", verdict: "not-applied", action: "ended" },
      { id: "intent-2", there: "revoked", verdict: "not-applied", action: "ended" },
    ]);
    expect(crossTenant.get("acme", "intent-2")).toMatchObject({
      state: "failed",
      reason: "the organisation withdrew its consent",
    });
  });

  test("withdrawn and given again, it does not bring back what ended", async () => {
    const { crossTenant, deliver, scopes } = crossTenantFixture();
    crossTenant.delegate(DELEGATION);
    await deliver();
    crossTenant.disallow("globex", "acme");
    crossTenant.allow("globex", { from: "acme", scopes: ["*"] });
    await crossTenant.reconcile("acme");
    await deliver();
    expect(scopes()).toEqual(["own:thing"]);
  });

  test("a receiver who is not there is refused", async () => {
    const { crossTenant, deliver } = crossTenantFixture();
    crossTenant.delegate({ ...DELEGATION, to: { orgId: "globex", principal: "account:nobody" } });
    await deliver();
    expect(crossTenant.get("acme", "intent-1")).toMatchObject({ state: "refused" });
  });
});
