import { describe, expect, it } from "vitest";
import { testCore } from "./operations-fixture.ts";

describe("M31: the ACL of an organisation over a hub", () => {
  it("gives a member more, and takes it back, at once", async () => {
    const { as } = testCore();
    const owner = as("owner");
    const member = as("member");
    const principal = "account:member";
    expect((await member.refused("queues.list")).code).toBe("ACCESS_DENIED");
    const put = { principal, scopes: ["queues:read"] };
    expect(await owner.call("acl.putPrincipal", put)).toMatchObject({
      key: principal,
      identityType: "account",
      identityId: "member",
      scopes: ["queues:read"],
      expiresAt: null,
    });
    expect((await member.refused("queues.list")).code).toBe("none");
    const scopes = ["locks:read"];
    await owner.call("acl.grantScopes", { principal, scopes });
    expect((await member.refused("locks.list")).code).toBe("none");
    expect(await owner.call("acl.identity", { principal })).toEqual({
      scopes: ["locks:read", "queues:read"],
      resources: {},
    });
    await owner.call("acl.revokeScopes", { principal, scopes: ["locks:*"] });
    expect((await member.refused("locks.list")).code).toBe("ACCESS_DENIED");
    expect(await owner.call("acl.removePrincipal", { principal })).toEqual({ removed: true });
    expect((await member.refused("queues.list")).code).toBe("ACCESS_DENIED");
    expect(await owner.call("acl.identity", { principal })).toBeNull();
    expect(await owner.call("acl.explain", { principal })).toBeNull();
  });

  it("lets principals act for others, explains it, and refuses circles", async () => {
    const owner = testCore().as("owner");
    for (const [principal, scopes] of [
      ["account:ada", ["graphs:*"]],
      ["service:indexer", []],
    ] as const) {
      await owner.call("acl.putPrincipal", { principal, scopes });
    }
    const delegation = {
      source: "account:ada",
      target: "service:indexer",
      scopes: ["graphs:read"],
    };
    const expiresAt = "2099-01-01T00:00:00.000Z";
    const made = await owner.call("acl.delegate", { ...delegation, expiresAt });
    expect(made).toMatchObject({ narrowedScopes: ["graphs:read"], narrowable: true, expiresAt });
    const { grants } = await owner.call("acl.explain", { principal: "service:indexer" });
    expect(grants).toMatchObject([{ grant: "graphs:read", paths: [expect.any(String)] }]);
    const back = { source: "service:indexer", target: "account:ada", scopes: ["graphs:read"] };
    expect((await owner.refused("acl.delegate", back)).code).toBe("DELEGATION_CYCLE");
    const more = { ...delegation, scopes: ["nodes:read"] };
    expect((await owner.refused("acl.delegate", more)).code).toBe("DELEGATION_NOT_ALLOWED");
    const past = { ...delegation, expiresAt: "2001-01-01T00:00:00Z" };
    expect((await owner.refused("acl.delegate", past)).code).toBe("INVALID_ARGUMENT");
    expect((await owner.call("acl.delegations", { target: "service:indexer" })).items).toEqual([
      made,
    ]);
    const { source, target } = delegation;
    expect(await owner.call("acl.revoke", { source, target })).toEqual({ removed: true });
    expect(await owner.call("acl.revoke", { source, target })).toEqual({ removed: false });
  });

  it("permits actions on single resources", async () => {
    const owner = testCore().as("owner");
    const principal = "role:auditor";
    const permit = { principal, resource: "graph:g1", actions: ["read"] };
    expect((await owner.refused("acl.permit", permit)).code).toBe("NOT_FOUND");
    await owner.call("acl.putPrincipal", { principal });
    expect(await owner.call("acl.permit", permit)).toEqual({ ...permit, expiresAt: null });
    expect((await owner.call("acl.permissions", { principal })).items).toHaveLength(1);
    const { items, cursor } = await owner.call("acl.principals", { identityType: "role" });
    expect([items.map(({ key }: { key: string }) => key), cursor]).toEqual([[principal], null]);
    const forbid = { principal, resource: "graph:g1" };
    expect(await owner.call("acl.forbid", forbid)).toEqual({ removed: true });
    expect(await owner.call("acl.forbid", forbid)).toEqual({ removed: false });
  });

  it("is an affair of owners and admins, and gives nothing outside the organisation", async () => {
    const { as } = testCore();
    for (const id of ["acl.principals", "acl.permissions", "acl.delegations"]) {
      expect((await as("member").refused(id)).code).toBe("ACCESS_DENIED");
    }
    const put = { principal: "account:member", scopes: ["*"] };
    expect((await as("member").refused("acl.putPrincipal", put)).code).toBe("ACCESS_DENIED");
    await as("owner").call("acl.putPrincipal", put);
    // everything here, and nothing of the system or of others
    expect((await as("member").refused("acl.principals")).code).toBe("none");
    expect((await as("member").refused("tenants.list")).code).toBe("ACCESS_DENIED");
    expect(() => as("member", "globex")).toThrow("no access");
    expect((await as("outsider", "globex").call("acl.principals")).items).toEqual([]);
  });

  it.each([
    ["a principal of no kind", { principal: "ada" }, "VALIDATION_ERROR"],
    [
      "malformed scopes",
      { principal: "account:ada", scopes: ["graphs read"] },
      "INVALID_ATTRIBUTES",
    ],
    ["101 scopes", { principal: "account:a", scopes: Array(101).fill("a:b") }, "VALIDATION_ERROR"],
  ])("refuses %s", async (_, input, code) => {
    expect((await testCore().as("owner").refused("acl.putPrincipal", input)).code).toBe(code);
  });
});
