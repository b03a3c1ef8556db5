import { join } from "node:path";
import { createAcl, type TenantManager } from "@alkdev/storage/sqlite";
import { eventually, FakeClock, tempFolder } from "@alkdev/testkit";
import { describe, expect, test } from "vitest";
import { crossTenantFixture, DELEGATION, OUTBOX, purge } from "./cross-tenant-fixture.ts";
import { insertOrganizations } from "./tenants-setup.ts";

const DAY = 86_400_000;

/** As if the process had been killed before it noted the application. */
function unconfirm(tenants: TenantManager, maxAttempts = 3): void {
  tenants.withTenant("acme", ({ $client: client }) => {
    client.execute("UPDATE _alk_delegations_out SET state = 'pending'");
    client.queue(OUTBOX).enqueue({ id: "intent-1" }, { maxAttempts });
  });
}

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

  test("suspended for long: it is given up, a dead letter, and taken back; nothing is left there", async () => {
    const { tenants, crossTenant, deliver, scopes } = crossTenantFixture();
    tenants.suspend("globex");
    crossTenant.delegate(DELEGATION);
    await deliver({ until: () => crossTenant.get("acme", "intent-1")?.state === "revoking" });
    expect(crossTenant.get("acme", "intent-1")?.reason).toContain(
      "given up after 3 attempts: TENANT_STATE",
    );
    const letters = tenants.withTenant("acme", ({ $client }) => $client.queue(OUTBOX).dead.list());
    expect(letters).toHaveLength(1);
    expect(await crossTenant.reconcile("acme")).toMatchObject([
      {
        here: "revoking",
        there: "unreachable",
        verdict: "unknown",
        action: "resent",
        reason: expect.stringContaining("it is suspended"),
      },
    ]);
    tenants.resume("globex");
    await deliver();
    expect(crossTenant.get("acme", "intent-1")?.state).toBe("failed");
    expect(scopes()).toEqual(["own:thing"]);
  });

  test("a revocation is never given up", async () => {
    const { tenants, crossTenant, deliver, scopes } = crossTenantFixture({ maxAttempts: 1 });
    crossTenant.delegate(DELEGATION);
    await deliver();
    tenants.suspend("globex");
    crossTenant.revoke("acme", "intent-1");
    const attempts = "SELECT max(attempts) FROM _honker_live WHERE queue = ?";
    const client = tenants.open("acme").db.$client;
    await deliver({ until: () => Number(client.rows(attempts, [OUTBOX])[0]?.[0]) >= 5 });
    tenants.resume("globex");
    await deliver({ until: () => crossTenant.get("acme", "intent-1")?.state === "revoked" });
    expect(scopes()).toEqual(["own:thing"]);
  });

  test("archived after it was applied and before that was confirmed: taken back once it is there again", async () => {
    const { tenants, crossTenant, deliver, scopes } = crossTenantFixture();
    crossTenant.delegate(DELEGATION);
    await deliver();
    unconfirm(tenants, 1);
    await tenants.archive("globex");
    await deliver({ until: () => crossTenant.get("acme", "intent-1")?.state === "revoking" });
    tenants.unarchive("globex");
    expect(scopes()).toContain("plans:read");
    expect(await crossTenant.reconcile("acme")).toMatchObject([
      { here: "revoking", there: "applied", verdict: "to-be-compensated", action: "resent" },
    ]);
    await deliver();
    expect(scopes()).toEqual(["own:thing"]);
    expect(crossTenant.get("acme", "intent-1")?.state).toBe("failed");
  });

  test("deleted: it fails, and what was applied before has ended; undeleted in time, all is as before", async () => {
    const fixture = crossTenantFixture();
    const { tenants, crossTenant, deliver } = fixture;
    crossTenant.delegate(DELEGATION);
    await deliver();
    tenants.delete("globex", { confirm: "globex" });
    expect(await crossTenant.reconcile("acme")).toMatchObject([
      { there: "unreachable", verdict: "unknown", action: "none" },
    ]);
    tenants.undelete("globex");
    expect(await crossTenant.reconcile("acme")).toMatchObject([
      { there: "applied", verdict: "applied", action: "none" },
    ]);
    await purge(fixture, "globex");
    crossTenant.delegate({ ...DELEGATION, id: "intent-2" });
    await deliver();
    expect(crossTenant.get("acme", "intent-2")).toMatchObject({
      state: "failed",
      reason: 'organisation "globex" has no tenant',
    });
    expect(await crossTenant.reconcile("acme")).toMatchObject([
      { id: "intent-1", there: "gone", verdict: "not-applied", action: "ended" },
    ]);
  });

  test("deleted while it is to be taken back: that has ended", async () => {
    const fixture = crossTenantFixture();
    const { crossTenant, deliver } = fixture;
    crossTenant.delegate(DELEGATION);
    await deliver();
    crossTenant.revoke("acme", "intent-1");
    await purge(fixture, "globex");
    expect(await crossTenant.reconcile("acme")).toMatchObject([
      { here: "revoking", there: "gone", verdict: "not-applied", action: "ended" },
    ]);
    await deliver();
    expect(crossTenant.get("acme", "intent-1")).toMatchObject({ state: "revoked", reason: null });
  });
});

describe("delegations between organisations: a delegator that is away (M36)", () => {
  test("suspended: what it gave stays; deleted: it ends", async () => {
    const fixture = crossTenantFixture();
    const { tenants, crossTenant, deliver, scopes } = fixture;
    crossTenant.delegate(DELEGATION);
    await deliver();
    tenants.suspend("acme");
    expect(await crossTenant.reconcile("globex")).toMatchObject([
      { side: "incoming", there: "unreachable", verdict: "applied", action: "none" },
    ]);
    tenants.resume("acme");
    await purge(fixture, "acme");
    expect(await crossTenant.reconcile("globex")).toMatchObject([
      { there: "gone", verdict: "not-applied", action: "ended" },
    ]);
    expect(scopes()).toEqual(["own:thing"]);
  });

  test("killed after it noted the revocation: the receiver ends it when it reconciles", async () => {
    const { crossTenant, deliver, scopes } = crossTenantFixture();
    crossTenant.delegate(DELEGATION);
    await deliver();
    crossTenant.revoke("acme", "intent-1");
    expect(await crossTenant.reconcile("globex")).toMatchObject([
      { there: "revoking", verdict: "not-applied", action: "ended" },
    ]);
    expect(scopes()).toEqual(["own:thing"]);
    await deliver();
    expect(crossTenant.get("acme", "intent-1")?.state).toBe("revoked");
  });
});

describe("delegations between organisations: copies of files (M36)", () => {
  test("delegate nothing, hold nothing from others, and consent to nothing", async () => {
    const { system, tenants, crossTenant, deliver } = crossTenantFixture();
    crossTenant.delegate(DELEGATION);
    await deliver();
    crossTenant.delegate({ ...DELEGATION, id: "intent-2" });
    insertOrganizations(system, ["acme-2", "globex-2", "globex-3"]);
    await tenants.clone("acme", "acme-2", { work: "keep" });
    await tenants.clone("globex", "globex-2");
    const path = join(tempFolder(), "globex.db");
    await tenants.exportTo("globex", path);
    await tenants.importFrom(path, "globex-3");
    await deliver({ orgId: "acme-2" });
    expect(crossTenant.list("acme-2").items).toEqual([]);
    expect(crossTenant.listIncoming("globex").items).toHaveLength(1);
    for (const copy of ["globex-2", "globex-3"]) {
      expect(crossTenant.listIncoming(copy).items).toEqual([]);
      expect(crossTenant.consents(copy)).toEqual([]);
      tenants.withTenant(copy, (db) => {
        const acl = createAcl(db);
        expect(acl.identityOf("account:bob")?.scopes).toEqual(["own:thing"]);
        expect(acl.getPrincipal("account:acme/ada#intent-1")).toBeNull();
      });
      expect(await crossTenant.reconcile(copy)).toEqual([]);
    }
    await deliver();
    expect(crossTenant.listIncoming("globex").items).toHaveLength(2);
  });

  test("a receiver put back to a time before the revocation loses it again", async () => {
    const fixture = crossTenantFixture();
    const { tenants, crossTenant, deliver, scopes } = fixture;
    crossTenant.delegate(DELEGATION);
    await deliver();
    const path = join(tempFolder(), "globex.db");
    await tenants.exportTo("globex", path);
    crossTenant.revoke("acme", "intent-1");
    await deliver();
    await purge(fixture, "globex");
    await tenants.importFrom(path, "globex");
    expect(scopes()).toContain("plans:read");
    expect(await crossTenant.reconcile("globex")).toMatchObject([
      { there: "revoked", verdict: "not-applied", action: "ended" },
    ]);
    expect(scopes()).toEqual(["own:thing"]);
  });

  test("a receiver put back to a time before the application gets it again", async () => {
    const fixture = crossTenantFixture();
    const { tenants, crossTenant, deliver, scopes } = fixture;
    const path = join(tempFolder(), "globex.db");
    await tenants.exportTo("globex", path);
    crossTenant.delegate(DELEGATION);
    await deliver();
    await purge(fixture, "globex");
    await tenants.importFrom(path, "globex");
    expect(await crossTenant.reconcile("acme")).toMatchObject([
      { here: "applied", there: "none", verdict: "not-applied", action: "resent" },
    ]);
    await deliver();
    expect(scopes()).toContain("plans:read");
  });

  test("a delegator put back to a time before the intent: it ends, also where the id stands for another now", async () => {
    const fixture = crossTenantFixture();
    const { tenants, crossTenant, deliver, scopes } = fixture;
    const path = join(tempFolder(), "acme.db");
    await tenants.exportTo("acme", path);
    crossTenant.delegate(DELEGATION);
    await deliver();
    await purge(fixture, "acme");
    await tenants.importFrom(path, "acme");
    crossTenant.delegate({ ...DELEGATION, narrowedScopes: ["plans:write"] });
    await deliver();
    expect(crossTenant.get("acme", "intent-1")).toMatchObject({
      state: "refused",
      reason: expect.stringContaining("is another delegation here"),
    });
    expect(await crossTenant.reconcile("globex")).toMatchObject([
      { there: "none", verdict: "not-applied", action: "ended" },
    ]);
    expect(scopes()).toEqual(["own:thing"]);
  });
});

describe("delegations between organisations: time (M36)", () => {
  test("expired: they give nothing, and are taken out on both sides a day later", async () => {
    const clock = new FakeClock(Date.now());
    const { tenants, crossTenant, deliver } = crossTenantFixture({ clock });
    crossTenant.delegate({ ...DELEGATION, expiresAt: clock.now() + 3_600_000 });
    await deliver();
    clock.advance(3_600_000);
    for (const orgId of ["acme", "globex"]) {
      expect(await crossTenant.reconcile(orgId)).toMatchObject([
        { verdict: "expired", action: "none" },
      ]);
    }
    clock.advance(DAY);
    expect(await crossTenant.reconcile("acme")).toMatchObject([
      { verdict: "not-applied", action: "ended", reason: "it has expired" },
    ]);
    expect(crossTenant.get("acme", "intent-1")?.state).toBe("expired");
    expect(crossTenant.listIncoming("globex").items).toEqual([]);
    tenants.withTenant("globex", (db) => {
      expect(createAcl(db).getPrincipal("account:acme/ada#intent-1")).toBeNull();
    });
  });

  test("the receiver may be first to take out what expired", async () => {
    const clock = new FakeClock(Date.now());
    const { crossTenant, deliver } = crossTenantFixture({ clock });
    crossTenant.delegate({ ...DELEGATION, expiresAt: clock.now() + 1_000 });
    await deliver();
    clock.advance(1_000 + DAY);
    expect(await crossTenant.reconcile("globex")).toMatchObject([{ action: "ended" }]);
    expect(await crossTenant.reconcile("acme")).toMatchObject([{ action: "ended" }]);
    expect(crossTenant.get("acme", "intent-1")?.state).toBe("expired");
  });

  test("expired before it arrived: it ends as that, and nothing was there", async () => {
    const clock = new FakeClock(Date.now());
    const { crossTenant, deliver } = crossTenantFixture({ clock });
    crossTenant.delegate({ ...DELEGATION, expiresAt: clock.now() + 1_000 });
    clock.advance(1_000);
    await deliver();
    expect(crossTenant.get("acme", "intent-1")).toMatchObject({
      state: "expired",
      reason: "it expired before it arrived",
    });
    expect(crossTenant.listIncoming("globex").items).toEqual([]);
  });

  test("a clock that ran ahead for hours took nothing away for good", async () => {
    const clock = new FakeClock(Date.now());
    const { crossTenant, deliver } = crossTenantFixture({ clock });
    crossTenant.delegate({ ...DELEGATION, expiresAt: clock.now() + 3_600_000 });
    await deliver();
    clock.advance(DAY);
    await crossTenant.reconcile("acme");
    await crossTenant.reconcile("globex");
    clock.advance(-DAY);
    for (const orgId of ["acme", "globex"]) {
      expect(await crossTenant.reconcile(orgId)).toMatchObject([
        { verdict: "applied", action: "none" },
      ]);
    }
  });

  test("a clock that jumps back lets delegations be made, carried and revoked", async () => {
    const clock = new FakeClock(Date.now());
    const { crossTenant, deliver, scopes } = crossTenantFixture({ clock });
    crossTenant.delegate(DELEGATION);
    clock.advance(-10 * DAY);
    await deliver();
    expect(scopes()).toContain("plans:read");
    crossTenant.revoke("acme", "intent-1");
    clock.advance(-10 * DAY);
    await deliver();
    expect(crossTenant.get("acme", "intent-1")?.state).toBe("revoked");
  });
});
