import { createAcl } from "@alkdev/storage/sqlite";
import { FakeClock } from "@alkdev/testkit";
import { describe, expect, test } from "vitest";
import { crossTenantFixture, DELEGATION } from "./cross-tenant-fixture.ts";
import { withCode } from "./tenants-setup.ts";

const STUB = "account:acme/ada#intent-1";

describe("delegations between organisations: reconciling (M36)", () => {
  test("says that both sides agree, from both sides", async () => {
    const { crossTenant, deliver } = crossTenantFixture();
    crossTenant.delegate(DELEGATION);
    await deliver();
    const agreed = { id: "intent-1", here: "applied", there: "applied", reason: null } as const;
    const settled = { ...agreed, verdict: "applied", action: "none" } as const;
    expect(await crossTenant.reconcile("acme")).toEqual([
      { ...settled, side: "outgoing", otherOrgId: "globex" },
    ]);
    expect(await crossTenant.reconcile("globex")).toEqual([
      { ...settled, side: "incoming", otherOrgId: "acme" },
    ]);
  });

  test("says what has not arrived, and notes what was not confirmed", async () => {
    const { tenants, crossTenant, deliver } = crossTenantFixture();
    crossTenant.delegate(DELEGATION);
    expect(await crossTenant.reconcile("acme")).toMatchObject([
      { here: "pending", there: "none", verdict: "not-applied", action: "resent" },
    ]);
    expect(await crossTenant.reconcile("globex")).toEqual([]);
    await deliver();
    tenants.withTenant("acme", ({ $client }) =>
      $client.execute("UPDATE _alk_delegations_out SET state = 'pending'"),
    );
    expect(await crossTenant.reconcile("globex")).toMatchObject([
      { there: "pending", verdict: "applied", action: "none" },
    ]);
    expect(await crossTenant.reconcile("acme")).toMatchObject([
      { here: "pending", there: "applied", verdict: "applied", action: "confirmed" },
    ]);
    expect(crossTenant.get("acme", "intent-1")?.state).toBe("applied");
  });

  test("takes back what its delegator no longer holds", async () => {
    const { tenants, crossTenant, deliver, scopes } = crossTenantFixture();
    crossTenant.delegate(DELEGATION);
    await deliver();
    tenants.withTenant("acme", (db) => createAcl(db).revokeScopes("account:ada", ["plans:*"]));
    expect(await crossTenant.reconcile("acme")).toMatchObject([
      { verdict: "to-be-compensated", action: "taken-back" },
    ]);
    await deliver();
    expect(scopes()).toEqual(["own:thing"]);
    expect(crossTenant.get("acme", "intent-1")).toMatchObject({
      state: "failed",
      reason: '"account:ada" of "acme" no longer holds it',
    });
  });

  test("brings back what the receiver's file lost", async () => {
    const { tenants, crossTenant, deliver, scopes } = crossTenantFixture();
    crossTenant.delegate(DELEGATION);
    await deliver();
    tenants.withTenant("globex", (db) => {
      createAcl(db).removePrincipal(STUB);
      db.$client.execute("DELETE FROM _alk_delegations_in");
    });
    expect(await crossTenant.reconcile("acme")).toMatchObject([
      { there: "none", action: "resent" },
    ]);
    await deliver();
    expect(scopes()).toContain("plans:read");
  });

  test.each([
    ["removed", (acl: ReturnType<typeof createAcl>) => void acl.removePrincipal(STUB)],
    ["revoked", (acl: ReturnType<typeof createAcl>) => void acl.revoke(STUB, "account:bob")],
    ["widened", (acl: ReturnType<typeof createAcl>) => void acl.grantScopes(STUB, ["x:y"])],
    [
      "made passable",
      (acl: ReturnType<typeof createAcl>) =>
        void acl.delegate(STUB, "account:bob", { narrowedScopes: ["plans:read"] }),
    ],
  ])("ends on both sides what the receiver's owner %s by hand", async (_, change) => {
    for (const first of ["acme", "globex"]) {
      const { tenants, crossTenant, deliver, scopes } = crossTenantFixture();
      crossTenant.delegate({ ...DELEGATION, narrowable: false });
      await deliver();
      tenants.withTenant("globex", (db) => change(createAcl(db)));
      expect(await crossTenant.reconcile(first)).toMatchObject([
        { verdict: "not-applied", action: "ended" },
      ]);
      await crossTenant.reconcile("acme");
      expect(crossTenant.get("acme", "intent-1")).toMatchObject({
        state: "failed",
        reason: '"globex" removed or changed it',
      });
      expect(scopes()).toEqual(["own:thing"]);
    }
  });

  test("removes from the receiver's file what the delegator's file does not know", async () => {
    const { tenants, crossTenant, deliver, scopes } = crossTenantFixture();
    crossTenant.delegate(DELEGATION);
    await deliver();
    tenants.withTenant("acme", ({ $client }) =>
      $client.execute("DELETE FROM _alk_delegations_out"),
    );
    expect(await crossTenant.reconcile("globex")).toMatchObject([
      { there: "none", verdict: "not-applied", action: "ended" },
    ]);
    expect(scopes()).toEqual(["own:thing"]);
  });

  test("goes through all pages, and a second time finds nothing to do", async () => {
    const { tenants, crossTenant, deliver } = crossTenantFixture();
    tenants.withTenant("acme", ({ $client }) =>
      $client.transaction(() => {
        for (let i = 0; i < 250; i++) crossTenant.delegate({ ...DELEGATION, id: `intent-${i}` });
      }),
    );
    await deliver();
    tenants.withTenant("acme", ({ $client }) =>
      $client.execute("UPDATE _alk_delegations_out SET state = 'pending'"),
    );
    const count = async (orgId: string, action: string): Promise<number> =>
      (await crossTenant.reconcile(orgId)).filter((one) => one.action === action).length;
    expect(await count("acme", "confirmed")).toBe(250);
    expect(await count("acme", "none")).toBe(250);
    expect(await count("globex", "none")).toBe(250);
  });

  test("two at once, and while messages are carried, settle the same", async () => {
    const { tenants, crossTenant, deliver } = crossTenantFixture();
    for (let i = 0; i < 50; i++) crossTenant.delegate({ ...DELEGATION, id: `intent-${i}` });
    await Promise.all([
      crossTenant.reconcile("acme"),
      crossTenant.reconcile("globex"),
      crossTenant.reconcile("acme"),
      deliver(),
    ]);
    await deliver();
    for (let i = 0; i < 50; i++) crossTenant.revoke("acme", `intent-${i}`);
    await Promise.all([crossTenant.reconcile("globex"), deliver(), crossTenant.reconcile("acme")]);
    await deliver();
    expect(crossTenant.list("acme", { states: ["revoked"] }).items).toHaveLength(50);
    expect(crossTenant.listIncoming("globex").items).toEqual([]);
    tenants.withTenant("globex", (db) => {
      expect(
        createAcl(db)
          .listPrincipals()
          .items.map(({ key }) => key),
      ).toEqual(["account:bob"]);
    });
  });

  test("forgets on both sides what ended long ago", async () => {
    const clock = new FakeClock(Date.now());
    const { tenants, crossTenant, deliver } = crossTenantFixture({ clock });
    crossTenant.delegate(DELEGATION);
    crossTenant.revoke("acme", "intent-1");
    await deliver();
    clock.advance(91 * 86_400_000);
    await crossTenant.reconcile("acme");
    await crossTenant.reconcile("globex");
    expect(crossTenant.list("acme").items).toEqual([]);
    tenants.withTenant("globex", ({ $client }) => {
      expect($client.rows("SELECT * FROM _alk_delegations_in")).toEqual([]);
    });
  });

  test("can be aborted, and is refused for a tenant that cannot be opened", async () => {
    const { tenants, crossTenant } = crossTenantFixture();
    crossTenant.delegate(DELEGATION);
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(crossTenant.reconcile("acme", { signal })).rejects.toThrow("enough");
    tenants.suspend("acme");
    await expect(crossTenant.reconcile("acme")).rejects.toThrow(withCode("TENANT_STATE"));
  });
});
