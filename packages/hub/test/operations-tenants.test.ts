import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { createOrganization } from "@alkdev/storage/sqlite";
import { eventually } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";
import { type CoreSetup, testCore } from "./operations-fixture.ts";

/** A hub with an organisation `initech` that has no tenant. */
function setup(): CoreSetup & { readonly root: ReturnType<CoreSetup["as"]> } {
  const made = testCore();
  const org = { id: "initech", name: "Initech", slug: "ini", ownerId: "owner" };
  createOrganization(made.core.system, org);
  return { ...made, root: made.as("root") };
}

describe("M42: tenants over a hub", () => {
  it("are listed with their organisations, page by page", async () => {
    const { root } = setup();
    const first = await root.call("tenants.list", { limit: 1 });
    expect(first.items).toMatchObject([
      { orgId: "acme", slug: "acme", state: "active", quota: null, operation: null },
    ]);
    const second = await root.call("tenants.list", { limit: 1, cursor: first.cursor });
    expect([second.items[0].orgId, second.cursor]).toEqual(["globex", null]);
    expect((await root.call("tenants.list", { state: "archived" })).items).toEqual([]);
    expect(await root.call("tenants.get", { orgId: "initech" })).toBeNull();
    expect((await root.call("tenants.get", { orgId: "acme" })).createdAt).toMatch(/Z$/);
  });

  it("are made once for a request that is sent again", async () => {
    const { root } = setup();
    const create = { orgId: "initech" };
    const made = await root.call("tenants.create", create, "r-1");
    expect(made).toMatchObject({ orgId: "initech", slug: "ini", state: "active" });
    expect(await root.call("tenants.create", create, "r-1")).toEqual(made);
    expect((await root.refused("tenants.create", create)).code).toBe("ALREADY_EXISTS");
    expect((await root.refused("tenants.create", { orgId: "nobody" })).code).toBe("NOT_FOUND");
    expect(await root.call("tenants.stats", create)).toMatchObject({
      rows: { graphs: 0, nodes: 0, edges: 0 },
      bytes: expect.any(Number),
    });
  });

  it("are suspended at once, and resumed", async () => {
    const { as, root } = setup();
    const owner = as("owner");
    expect((await owner.refused("graphs.list")).code).toBe("none");
    const acme = { orgId: "acme" };
    expect((await root.call("tenants.suspend", acme)).state).toBe("suspended");
    const refused = async () => (await owner.refused("graphs.list")).code === "UNAVAILABLE";
    await eventually("nobody is let in", refused);
    expect(await root.refused("tenants.suspend", acme)).toMatchObject({
      code: "TENANT_STATE",
      details: { state: "suspended" },
    });
    expect((await root.call("tenants.resume", acme)).state).toBe("active");
    expect((await owner.refused("graphs.list")).code).toBe("none");
  });

  it("are archived once nobody uses them, and come back", async () => {
    const { core, as, root } = setup();
    await as("owner").call("graphs.list");
    const acme = { orgId: "acme" };
    const handle = core.tenants.open("acme");
    const { code } = await root.refused("tenants.archive", { ...acme, waitMs: 0 });
    expect(code).toBe("TENANT_BUSY");
    handle.close();
    expect((await root.call("tenants.archive", acme)).state).toBe("archived");
    expect((await as("owner").refused("graphs.list")).code).toBe("UNAVAILABLE");
    expect(await root.call("tenants.stats", acme)).toMatchObject({ rows: null });
    expect((await root.call("tenants.unarchive", acme)).state).toBe("active");
    expect((await as("owner").refused("graphs.list")).code).toBe("none");
  });

  it("are deleted only by the slug of their organisation, and undeleted", async () => {
    const { root } = setup();
    await root.call("tenants.create", { orgId: "initech" });
    const wrong = { orgId: "initech", confirm: "initech" };
    expect((await root.refused("tenants.delete", wrong)).code).toBe("INVALID_ARGUMENT");
    const deleted = await root.call("tenants.delete", { orgId: "initech", confirm: "ini" });
    expect(deleted).toMatchObject({ state: "deleting", purgeAfter: expect.stringMatching(/Z$/) });
    const back = await root.call("tenants.undelete", { orgId: "initech" });
    expect(back).toMatchObject({ state: "active", purgeAfter: null });
  });

  it("have quotas", async () => {
    const { root } = setup();
    const quota = { maxNodes: 10, maxBytes: 10_000_000 };
    const limited = await root.call("tenants.setQuota", { orgId: "acme", quota });
    expect(limited.quota).toEqual(quota);
    const free = await root.call("tenants.setQuota", { orgId: "acme", quota: null });
    expect(free.quota).toBeNull();
    for (const wrong of [{ maxNodes: -1 }, { maxNodes: 1.5 }, { maxEdges: 1 }, "none"]) {
      const { code } = await root.refused("tenants.setQuota", { orgId: "acme", quota: wrong });
      expect(code).toBe("VALIDATION_ERROR");
    }
  });

  it("are cloned, exported and imported, in a folder that names cannot leave", async () => {
    const { core, as, data, root } = setup();
    const [type] = (await as("owner").call("graph_types.list")).items;
    await as("owner").call("graphs.create", { name: "g", graphTypeId: type.id });
    const cloned = await root.call("tenants.clone", { from: "acme", to: "initech" });
    expect(cloned).toMatchObject({ orgId: "initech", state: "active" });
    const owned = (): number => core.tenants.stats("initech").rows?.graphs ?? 0;
    expect(owned()).toBeGreaterThan(0);
    const file = "acme-1.db";
    const exported = await root.call("tenants.export", { orgId: "acme", file });
    expect(exported).toEqual({
      orgId: "acme",
      file,
      bytes: expect.any(Number),
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(existsSync(join(data.dataFolder, "exports", file))).toBe(true);
    const again = await root.refused("tenants.export", { orgId: "acme", file });
    expect(again.code).toBe("ALREADY_EXISTS");
    const taken = await root.refused("tenants.import", { orgId: "globex", file });
    expect(taken.code).toBe("ALREADY_EXISTS");
    createOrganization(core.system, { id: "hooli", name: "H", slug: "hooli", ownerId: "owner" });
    expect((await root.call("tenants.import", { orgId: "hooli", file })).state).toBe("active");
    for (const path of [
      "../system.db",
      "/etc/passwd",
      ".hidden",
      "a/b",
      "a\\b",
      "",
      "..",
      "a\0b",
    ]) {
      const { code } = await root.refused("tenants.export", { orgId: "acme", file: path });
      expect(code, path).toBe("VALIDATION_ERROR");
    }
    expect(readdirSync(join(data.dataFolder, "exports"))).toEqual([file]);
    const missing = await root.refused("tenants.import", { orgId: "nobody", file: "none.db" });
    expect(missing.code).toBe("NOT_FOUND");
  });

  it("leave a line in the audit trail for all that is done to them", async () => {
    const { root } = setup();
    const acme = { orgId: "acme" };
    await root.call("tenants.create", { orgId: "initech" });
    await root.call("tenants.setQuota", { ...acme, quota: { maxNodes: 5 } });
    for (const id of ["suspend", "resume", "archive", "unarchive"]) {
      await root.call(`tenants.${id}`, acme);
    }
    await root.refused("tenants.resume", acme);
    await root.call("tenants.delete", { ...acme, confirm: "acme" });
    await root.call("tenants.undelete", acme);
    await root.call("tenants.export", { ...acme, file: "a.db" });
    const filter = { action: { like: "tenant.%" } };
    const { items } = await root.call("audit_logs.list", { filter, limit: 100 });
    const { credential } = await root.call("hub.whoami");
    for (const line of items) {
      expect(line).toMatchObject({ ownerId: "root", credentialId: credential.id });
    }
    expect(items.map(({ action }: { action: string }) => action.slice(7))).toEqual([
      "created",
      "limited",
      "suspended",
      "resumed",
      "archived",
      "unarchived",
      "deleted",
      "undeleted",
      "exported",
    ]);
  });

  it("cannot be touched by owners", async () => {
    const { as } = setup();
    for (const id of ["suspend", "archive", "undelete", "stats", "create"]) {
      const { code } = await as("owner").refused(`tenants.${id}`, { orgId: "acme" });
      expect(code, id).toBe("ACCESS_DENIED");
    }
  });
});
