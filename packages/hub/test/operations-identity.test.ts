import { describe, expect, it } from "vitest";
import { testCore } from "./operations-fixture.ts";

/** Everything that is kept in the file of calls: the journal's stream and its log. */
function kept(core: ReturnType<typeof testCore>["core"]): string {
  core.services.journal.flush();
  const { $client } = core.system;
  const tables = $client
    .rows("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .flat()
    .map((name) => $client.rows(`SELECT * FROM "${String(name)}"`));
  return JSON.stringify(tables, (_, value) => (value instanceof Buffer ? value.toString() : value));
}

describe("M41: keys over a hub", () => {
  it("are shown once, work at once, and are nowhere kept", async () => {
    const { core, as } = testCore();
    const root = as("root");
    const expiresAt = "2099-01-01T00:00:00.000Z";
    const input = {
      ownerId: "member",
      name: "ci",
      scopes: ["graphs:read"],
      orgId: "acme",
      expiresAt,
    };
    const { id, key } = await root.call("keys.create", input, "r-1");
    const session = core.signIn({ bearer: key }, { org: "acme", source: "test" });
    const who = await core.execute(session, { operationId: "hub.whoami", input: {} });
    expect(who.data).toMatchObject({ scopes: ["graphs:read"], credential: { id, orgId: "acme" } });
    expect(kept(core)).not.toContain(key);
    // the same request again makes no second key, and cannot show the first
    await expect(root.call("keys.create", input, "r-1")).rejects.toThrow();
    const { items } = await root.call("keys.list", { ownerId: "member" });
    expect(items).toHaveLength(2);
    expect(items.find((one: { id: string }) => one.id === id)).toMatchObject({
      name: "ci",
      scopes: ["graphs:read"],
      orgId: "acme",
      expiresAt,
      revokedAt: null,
    });
  });

  it("are rotated and revoked, and end sessions that are open", async () => {
    const { core, as } = testCore();
    const root = as("root");
    const made = await root.call("keys.create", { ownerId: "member" });
    const member = { org: "acme", source: "test" };
    const session = core.signIn({ bearer: made.key }, member);
    const next = await root.call("keys.rotate", { id: made.id, graceSeconds: 60 });
    expect(next.key).not.toBe(made.key);
    const again = await root.refused("keys.rotate", { id: made.id });
    expect(again.code).toBe("CREDENTIAL_STATE");
    const whoami = { operationId: "hub.whoami", input: {} };
    expect((await core.execute(session, whoami)).data).toMatchObject({ accountId: "member" });
    expect(await root.call("keys.revoke", { id: made.id })).toEqual({ revoked: true });
    expect(await root.call("keys.revoke", { id: made.id })).toEqual({ revoked: false });
    await expect(core.execute(session, whoami)).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    expect(core.signIn({ bearer: next.key }, member).accountId).toBe("member");
    expect(kept(core)).not.toContain(next.key);
    expect((await root.refused("keys.revoke", { id: "none" })).code).toBe("NOT_FOUND");
  });

  it("are explained", async () => {
    const { as } = testCore();
    const root = as("root");
    const { id } = await root.call("keys.create", { ownerId: "member" });
    const { steps } = await root.call("keys.explain", { id, orgId: "acme" });
    expect(steps.every(({ ok }: { ok: boolean }) => ok)).toBe(true);
    expect(steps.at(-1).text).toContain("streams:read");
    const other = await root.call("keys.explain", { id, orgId: "globex" });
    expect(other.steps.at(-1)).toMatchObject({ step: "membership", ok: false });
  });

  it.each([
    ["in the past", { expiresAt: "2001-01-01T00:00:00Z" }, "INVALID_ARGUMENT"],
    ["at no moment", { expiresAt: "2099-99-99T99:99:99Z" }, "INVALID_ARGUMENT"],
    ["with malformed scopes", { scopes: ["graphs read"] }, "INVALID_ARGUMENT"],
    ["for nobody", { ownerId: "nobody" }, "NOT_FOUND"],
    ["with a local time", { expiresAt: "2099-01-01 10:00" }, "VALIDATION_ERROR"],
  ])("are not made %s", async (_, wrong, code) => {
    const input = { ownerId: "member", ...wrong };
    expect((await testCore().as("root").refused("keys.create", input)).code).toBe(code);
  });
});

describe("M41: accounts and organisations over a hub", () => {
  it("are made and changed, with the caller in the audit trail", async () => {
    const { as } = testCore();
    const root = as("root");
    const account = await root.call("identity.createAccount", { email: "new@example.com" });
    expect(account).toMatchObject({ status: "active", accessLevel: "user" });
    const { id: ownerId } = account;
    const organization = { id: "o", name: "O", slug: "o", ownerId };
    await root.call("identity.createOrganization", organization);
    const member = { orgId: "o", accountId: "member" };
    const added = await root.call("identity.addMember", { ...member, membershipLevel: "admin" });
    expect(added).toMatchObject({ ...member, membershipLevel: "admin" });
    expect((await root.refused("identity.addMember", member)).code).toBe("ALREADY_EXISTS");
    const transfer = { orgId: "o", newOwnerId: "member" };
    const handed = await root.call("identity.transferOrganization", transfer);
    expect(handed.ownerId).toBe("member");
    const owner = await root.refused("identity.removeMember", member);
    expect(owner.code).toBe("READ_ONLY");
    const gone = { orgId: "o", accountId: ownerId };
    expect(await root.call("identity.removeMember", gone)).toEqual({ removed: true });
    expect(await root.call("identity.removeMember", gone)).toEqual({ removed: false });
    const changes = { displayName: "New", status: "suspended" };
    const changed = await root.call("identity.updateAccount", { id: ownerId, changes });
    expect(changed).toMatchObject(changes);
    const { items } = await root.call("audit_logs.list", { limit: 500 });
    const { credential } = await root.call("hub.whoami");
    for (const { action, credentialId } of items) {
      if (action === "org.transferred") expect(credentialId).toBe(credential.id);
    }
    const trail = items
      .filter((row: { ownerId: string }) => row.ownerId === "root")
      .map(({ action }: { action: string }) => action);
    expect(trail).toEqual(
      expect.arrayContaining([
        "account.created",
        "org.created",
        "org.member_added",
        "org.transferred",
        "org.member_removed",
        "account.updated",
      ]),
    );
  });

  it("end with all their keys, and suspend what they own if asked to", async () => {
    const { core, as, data } = testCore();
    const root = as("root");
    const deactivate = { id: "owner", suspendTenants: true };
    const done = await root.call("identity.deactivateAccount", deactivate);
    expect(done).toMatchObject({ revokedKeys: 1, suspended: ["acme"] });
    const again = await root.call("identity.deactivateAccount", deactivate);
    expect(again).toMatchObject({ revokedKeys: 0, suspended: [] });
    expect(core.tenants.get("acme")?.state).toBe("suspended");
    const signIn = (): unknown =>
      core.signIn({ bearer: data.keys.owner }, { org: null, source: "test" });
    expect(signIn).toThrow();
    const twice = await root.refused("identity.createAccount", { email: "ROOT@example.com" });
    expect(twice.code).toBe("ALREADY_EXISTS");
  });

  it("have SSH keys", async () => {
    const { as } = testCore();
    const root = as("root");
    const publicKey =
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ+Xw1VtF1oTqUKuOVBg1ptFnBqvbZ0nWl0c0rRBKGGB test";
    const added = await root.call("identity.addPeerKey", { ownerId: "member", publicKey });
    expect(added.fingerprint).toMatch(/^SHA256:/);
    const { id } = added;
    expect(await root.call("identity.revokePeerKey", { id })).toEqual({ revoked: true });
    expect(await root.call("identity.revokePeerKey", { id })).toEqual({ revoked: false });
    const wrong = { ownerId: "member", publicKey: "ssh-rsa nonsense" };
    expect((await root.refused("identity.addPeerKey", wrong)).code).toBe("INVALID_ARGUMENT");
  });
});
