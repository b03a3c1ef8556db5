import {
  createAcl,
  createCrossTenantDelegations,
  startTenantWorkers,
} from "@alkdev/storage/sqlite";
import { eventually } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Caller, type CoreSetup, testCore } from "./operations-fixture.ts";

interface DelegationSetup extends CoreSetup {
  readonly acme: Caller;
  readonly globex: Caller;
}

/** A hub with a principal in `acme` that holds `graphs:read`, and one in `globex` that holds nothing. */
function setup(): DelegationSetup {
  const made = testCore();
  made.core.tenants.withTenant("acme", (db) => {
    createAcl(db).putPrincipal("account:owner", { scopes: ["graphs:read"] });
  });
  made.core.tenants.withTenant("globex", (db) => {
    createAcl(db).putPrincipal("account:bob");
  });
  return { ...made, acme: made.as("owner"), globex: made.as("outsider", "globex") };
}

const proposal = {
  id: "d-1",
  principal: "account:owner",
  to: { orgId: "globex", principal: "account:bob" },
  scopes: ["graphs:read"],
};

describe("M36: delegations to other organisations over a hub", () => {
  it("are proposed, consented to, applied, revoked and reconciled", async () => {
    const { core, acme, globex } = setup();
    const { tenants, system } = core;
    const { queues: otherQueues } = createCrossTenantDelegations({ tenants });
    const workers = startTenantWorkers({ tenants, system, otherQueues });
    onTestFinished(() => workers.stop());
    const consent = { from: "acme", scopes: ["graphs:*"] };
    expect(await globex.call("delegations.consent", consent)).toEqual({ from: "acme" });
    expect(await globex.call("delegations.consents")).toEqual({
      items: [{ fromOrgId: "acme", scopes: ["graphs:*"], resources: {} }],
      more: false,
    });
    const made = await acme.call("delegations.propose", proposal);
    expect(made).toMatchObject({ id: "d-1", from: { orgId: "acme" }, state: "pending" });
    const same = await acme.call("delegations.propose", proposal);
    expect([same.id, same.createdAt]).toEqual([made.id, made.createdAt]);
    await eventually(
      "it is applied",
      async () => (await acme.call("delegations.get", { id: "d-1" })).state === "applied",
      15_000,
    );
    const { items } = await globex.call("delegations.incoming");
    expect(items).toMatchObject([{ id: "d-1", fromOrgId: "acme", principal: "account:bob" }]);
    const found = await acme.call("delegations.reconcile");
    expect(found.items).toMatchObject([{ id: "d-1", side: "outgoing", verdict: "applied" }]);
    expect((await acme.call("delegations.revoke", { id: "d-1" })).state).toBe("revoking");
    await eventually(
      "it is gone",
      async () => (await globex.call("delegations.incoming")).items.length === 0,
      15_000,
    );
    const listed = await acme.call("delegations.list", { states: ["revoked", "revoking"] });
    expect(listed.items).toHaveLength(1);
  }, 45_000);

  it("give nothing that the delegator does not hold, and are refused without consent", async () => {
    const { acme, globex } = setup();
    const more = { ...proposal, scopes: ["graphs:write"] };
    const refused = await acme.refused("delegations.propose", more);
    expect(refused.code).toBe("DELEGATION_NOT_ALLOWED");
    expect(await acme.call("delegations.get", { id: "d-1" })).toBeNull();
    await acme.call("delegations.propose", proposal);
    const other = { ...proposal, to: { orgId: "globex", principal: "account:eve" } };
    expect((await acme.refused("delegations.propose", other)).code).toBe("ALREADY_EXISTS");
    expect(await globex.call("delegations.withdraw", { from: "acme" })).toEqual({
      withdrawn: false,
    });
    expect((await acme.refused("delegations.revoke", { id: "none" })).code).toBe("NOT_FOUND");
  });

  it("are an affair of owners and admins of each side", async () => {
    const { as, globex } = setup();
    for (const id of ["list", "incoming", "consents", "reconcile"]) {
      expect((await as("member").refused(`delegations.${id}`)).code).toBe("ACCESS_DENIED");
    }
    // the organisation that delegates is the one the caller is in, whatever he writes
    const forged = await globex.refused("delegations.propose", {
      ...proposal,
      from: { orgId: "acme", principal: "account:owner" },
    });
    expect(forged.code).toBe("VALIDATION_ERROR");
    const expired = { ...proposal, expiresAt: "2001-01-01T00:00:00Z" };
    const late = await as("owner").refused("delegations.propose", expired);
    expect(late.code).toBe("INVALID_ARGUMENT");
  });
});
