import { type Clock, open } from "@alkdev/honker";
import { tenantCatalog } from "@alkdev/storage";
import { envelopeCheck, openCatalogQueue } from "@alkdev/storage/catalog";
import {
  type Acl,
  type AclOptions,
  createAcl,
  createAclEvaluationHandler,
  createGraphStore,
  createTenantDatabase,
  principalKey,
  type TenantDatabase,
} from "@alkdev/storage/sqlite";
import { eventually, FakeClock, tempDatabase, tempFolder } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";

function tenantAcl(options: AclOptions = {}): { tenant: TenantDatabase; acl: Acl } {
  const tenant = createTenantDatabase(tempDatabase());
  return { tenant, acl: createAcl(tenant, options) };
}

/** ada holds `graphs:*`, and lets the service read. */
function adaAndIndexer(options: AclOptions = {}): { tenant: TenantDatabase; acl: Acl } {
  const opened = tenantAcl(options);
  opened.acl.putPrincipal("account:ada", { scopes: ["graphs:*"] });
  opened.acl.putPrincipal("service:indexer");
  opened.acl.delegate("account:ada", "service:indexer", { narrowedScopes: ["graphs:read"] });
  return opened;
}

const errorOf = (action: () => unknown): unknown => {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error("it was not refused");
};

const NOW = Date.UTC(2026, 0, 1);
const clockAtNow = (): FakeClock => new FakeClock(NOW);

describe("an ACL refuses (M31)", () => {
  const long = "x".repeat(600);

  it.each<[string, (acl: Acl) => unknown, string]>([
    ["a key without a type", (acl) => acl.identityOf("ada" as never), "INVALID_ARGUMENT"],
    ["an unknown type", (acl) => acl.identityOf("user:ada" as never), "INVALID_ARGUMENT"],
    ["a resource as principal", (acl) => acl.identityOf("resource:x" as never), "INVALID_ARGUMENT"],
    ["an empty id", (acl) => acl.identityOf("account:"), "INVALID_ARGUMENT"],
    ["null as principal", (acl) => acl.identityOf(null as never), "INVALID_ARGUMENT"],
    ["a key to explain that is none", (acl) => acl.explain("" as never), "INVALID_ARGUMENT"],
    [
      "to list no path",
      (acl) => acl.explain("account:ada", { maxPaths: Number.NaN }),
      "INVALID_ARGUMENT",
    ],
    ["a key to get that is none", (acl) => acl.getPrincipal("x" as never), "INVALID_ARGUMENT"],
    [
      "a key to remove that is none",
      (acl) => acl.removePrincipal("x" as never),
      "INVALID_ARGUMENT",
    ],
    ["a key to follow that is none", (acl) => acl.affectedBy("x" as never), "INVALID_ARGUMENT"],
    ["a NUL in a key", (acl) => acl.putPrincipal("account:a\0b"), "INVALID_ATTRIBUTES"],
    ["an id that is too long", (acl) => acl.putPrincipal(`account:${long}`), "INVALID_ATTRIBUTES"],
    [
      "a wildcard inside a scope",
      (acl) => acl.putPrincipal("account:x", { scopes: ["a:*:b"] }),
      "INVALID_ATTRIBUTES",
    ],
    [
      "an empty scope",
      (acl) => acl.putPrincipal("account:x", { scopes: [""] }),
      "INVALID_ATTRIBUTES",
    ],
    [
      "scopes that are null",
      (acl) => acl.putPrincipal("account:x", { scopes: null as never }),
      "INVALID_ATTRIBUTES",
    ],
    [
      "a scope twice",
      (acl) => acl.putPrincipal("account:x", { scopes: ["a", "a"] }),
      "INVALID_ATTRIBUTES",
    ],
    [
      "a resource without a type",
      (acl) => acl.putPrincipal("account:x", { resources: { g1: ["read"] } }),
      "INVALID_ARGUMENT",
    ],
    [
      "an expiry that is NaN",
      (acl) => acl.putPrincipal("account:x", { expiresAt: Number.NaN }),
      "INVALID_ATTRIBUTES",
    ],
    [
      "scopes for somebody who is not there",
      (acl) => acl.grantScopes("account:nobody", ["a"]),
      "NOT_FOUND",
    ],
    [
      "a text for scopes",
      (acl) => acl.grantScopes("account:ada", "a" as never),
      "INVALID_ARGUMENT",
    ],
    [
      "a malformed scope to grant",
      (acl) => acl.grantScopes("account:ada", ["a b"]),
      "INVALID_ATTRIBUTES",
    ],
    [
      "to take scopes from somebody who is not there",
      (acl) => acl.revokeScopes("account:nobody", ["a"]),
      "NOT_FOUND",
    ],
    [
      "to take a scope that a wildcard still gives",
      (acl) => acl.revokeScopes("account:ada", ["graphs:read"]),
      "INVALID_ARGUMENT",
    ],
    [
      "null as scopes to take",
      (acl) => acl.revokeScopes("account:ada", null as never),
      "INVALID_ARGUMENT",
    ],
    [
      "a permission without actions",
      (acl) => acl.permit("account:ada", { resource: "graph:g1", actions: [] }),
      "INVALID_ATTRIBUTES",
    ],
    [
      "a permission on nothing",
      (acl) => acl.permit("account:ada", { resource: "graph:", actions: ["read"] }),
      "INVALID_ARGUMENT",
    ],
    [
      "a permission on all types",
      (acl) => acl.permit("account:ada", { resource: "*:g1", actions: ["read"] }),
      "INVALID_ARGUMENT",
    ],
    [
      "a permission that has expired",
      (acl) =>
        acl.permit("account:ada", { resource: "graph:g1", actions: ["read"], expiresAt: NOW }),
      "INVALID_ARGUMENT",
    ],
    [
      "a permission of nobody",
      (acl) => acl.permit("account:nobody", { resource: "graph:g1", actions: ["read"] }),
      "NOT_FOUND",
    ],
    ["to forbid nothing", (acl) => acl.forbid("account:ada", "g1"), "INVALID_ARGUMENT"],
    [
      "a delegation of nobody",
      (acl) => acl.delegate("account:nobody", "account:ada", { narrowedScopes: [] }),
      "NOT_FOUND",
    ],
    [
      "a delegation to nobody",
      (acl) => acl.delegate("account:ada", "account:nobody", { narrowedScopes: [] }),
      "NOT_FOUND",
    ],
    [
      "a delegation to oneself",
      (acl) => acl.delegate("account:ada", "account:ada", { narrowedScopes: [] }),
      "DELEGATION_CYCLE",
    ],
    [
      "a delegation back",
      (acl) => acl.delegate("service:indexer", "account:ada", { narrowedScopes: [] }),
      "DELEGATION_CYCLE",
    ],
    [
      "to delegate what one does not hold",
      (acl) => acl.delegate("account:ada", "service:indexer", { narrowedScopes: ["secrets:read"] }),
      "DELEGATION_NOT_ALLOWED",
    ],
    [
      "to delegate more than one holds",
      (acl) => acl.delegate("account:ada", "service:indexer", { narrowedScopes: ["*"] }),
      "DELEGATION_NOT_ALLOWED",
    ],
    [
      "to delegate actions that one does not hold",
      (acl) =>
        acl.delegate("account:ada", "service:indexer", {
          narrowedScopes: [],
          narrowedResources: { "graph:g1": ["read"] },
        }),
      "DELEGATION_NOT_ALLOWED",
    ],
    [
      "a malformed scope to delegate",
      (acl) => acl.delegate("account:ada", "service:indexer", { narrowedScopes: ["a:*:b"] }),
      "INVALID_ATTRIBUTES",
    ],
    [
      "seconds where milliseconds are meant",
      (acl) =>
        acl.delegate("account:ada", "service:indexer", {
          narrowedScopes: ["graphs:read"],
          expiresAt: NOW / 1_000 + 3_600,
        }),
      "INVALID_ARGUMENT",
    ],
    [
      "an expiry that is NaN",
      (acl) =>
        acl.delegate("account:ada", "service:indexer", {
          narrowedScopes: ["graphs:read"],
          expiresAt: Number.NaN,
        }),
      "INVALID_ARGUMENT",
    ],
    [
      "a resource without a type to delegate",
      (acl) =>
        acl.delegate("account:ada", "service:indexer", {
          narrowedScopes: [],
          narrowedResources: { "": ["read"] },
        }),
      "INVALID_ARGUMENT",
    ],
    ["to revoke from no key", (acl) => acl.revoke("x" as never, "role:y"), "INVALID_ARGUMENT"],
    ["a cursor it did not give", (acl) => acl.listPrincipals({ cursor: "x" }), "INVALID_ARGUMENT"],
    ["a limit of 0", (acl) => acl.listDelegations({ limit: 0 }), "INVALID_ARGUMENT"],
    ["a limit of NaN", (acl) => acl.listPermissions({ limit: Number.NaN }), "INVALID_ARGUMENT"],
    ["members of no organisation", (acl) => acl.reconcileMembers("", []), "INVALID_ARGUMENT"],
    [
      "a member without a level",
      (acl) => acl.reconcileMembers("o", [{ accountId: "a" } as never]),
      "INVALID_ARGUMENT",
    ],
    [
      "a member without an id",
      (acl) => acl.reconcileMembers("o", [{ accountId: "", membershipLevel: "member" }]),
      "INVALID_ARGUMENT",
    ],
    [
      "a member with two levels",
      (acl) =>
        acl.reconcileMembers("o", [
          { accountId: "a", membershipLevel: "member" },
          { accountId: "a", membershipLevel: "owner" },
        ]),
      "INVALID_ARGUMENT",
    ],
  ])("%s, and changes nothing", (_, action, code) => {
    const { acl, tenant } = adaAndIndexer({ clock: clockAtNow() });
    const before = contents(tenant);
    expect(errorOf(() => action(acl))).toMatchObject({ name: "StorageError", code });
    expect(contents(tenant)).toEqual(before);
  });

  it.each([
    ["a cache of less than nothing", { cacheSize: -1 }],
    ["an age that is NaN", { maxAgeSeconds: Number.NaN }],
  ])("%s", (_, options) => {
    const tenant = createTenantDatabase(tempDatabase());
    expect(errorOf(() => createAcl(tenant, options))).toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("everything once the file is closed", () => {
    const { acl, tenant } = adaAndIndexer();
    tenant.$client.close();
    const actions: (() => unknown)[] = [
      () => acl.identityOf("account:ada"),
      () => acl.explain("account:ada"),
      () => acl.putPrincipal("account:ada"),
      () => acl.revoke("account:ada", "service:indexer"),
      () => acl.listPrincipals(),
      () => acl.reconcileMembers("o", []),
    ];
    for (const action of actions) expect(errorOf(action)).toMatchObject({ code: "CLOSED" });
  });
});

function contents(tenant: TenantDatabase): unknown {
  return ["graphs", "nodes", "edges", "_alk_storage_state", "_honker_live"].map((table) =>
    tenant.$client.rows(`SELECT * FROM ${table} ORDER BY 1`),
  );
}

describe("who may do what (M31)", () => {
  it("is nothing, and nobody, in a file whose ACL nobody has written", () => {
    const { acl, tenant } = tenantAcl();
    expect(acl.identityOf("account:ada")).toBeNull();
    expect(acl.explain("account:ada")).toBeNull();
    expect(acl.getPrincipal("account:ada")).toBeNull();
    expect(acl.removePrincipal("account:ada")).toBe(false);
    expect(acl.revoke("account:ada", "account:eve")).toBe(false);
    expect(acl.forbid("account:ada", "graph:g1")).toBe(false);
    const empty = { items: [], cursor: null };
    expect(acl.listPrincipals()).toEqual(empty);
    expect(acl.listDelegations()).toEqual(empty);
    expect(acl.listPermissions()).toEqual(empty);
    expect(createGraphStore(tenant).listGraphs().items).toEqual([]);
  });

  it("is one graph of the stored type, whatever is written first and by whom", () => {
    const tenant = createTenantDatabase(tempDatabase());
    createAcl(tenant).putPrincipal("account:ada");
    createAcl(tenant).reconcileMembers("acme", []);
    const graphs = createGraphStore(tenant).listGraphs({ type: "acl_graph" }).items;
    expect(graphs).toMatchObject([{ name: "acl", status: "active" }]);
  });

  it("follows scopes, permissions and delegations as they are written and taken back", () => {
    const { acl } = adaAndIndexer();
    expect(acl.identityOf("service:indexer")).toEqual({ id: "indexer", scopes: ["graphs:read"] });

    acl.permit("account:ada", { resource: "doc:*", actions: ["read", "write"] });
    acl.delegate("account:ada", "service:indexer", {
      narrowedScopes: ["graphs:write", "graphs:read"],
      narrowedResources: { "doc:d1": ["read"] },
    });
    expect(acl.identityOf("account:ada")?.resources).toEqual({ "doc:*": ["read", "write"] });
    expect(acl.identityOf("service:indexer")).toEqual({
      id: "indexer",
      scopes: ["graphs:read", "graphs:write"],
      resources: { "doc:d1": ["read"] },
    });

    expect(acl.forbid("account:ada", "doc:*")).toBe(true);
    expect(acl.identityOf("service:indexer")?.resources).toBeUndefined();

    acl.grantScopes("account:ada", ["tasks:read"]);
    expect(acl.identityOf("account:ada")?.scopes).toEqual(["graphs:*", "tasks:read"]);
    acl.revokeScopes("account:ada", ["graphs:*"]);
    expect(acl.identityOf("account:ada")?.scopes).toEqual(["tasks:read"]);
    expect(acl.identityOf("service:indexer")?.scopes).toEqual([]);

    acl.putPrincipal("account:ada", { scopes: ["*"] });
    expect(acl.identityOf("service:indexer")?.scopes).toEqual(["graphs:read", "graphs:write"]);
    expect(acl.revoke("account:ada", "service:indexer")).toBe(true);
    expect(acl.revoke("account:ada", "service:indexer")).toBe(false);
    expect(acl.identityOf("service:indexer")?.scopes).toEqual([]);
    expect(acl.removePrincipal("service:indexer")).toBe(true);
    expect(acl.identityOf("service:indexer")).toBeNull();
  });

  it("lists what is stored, page by page", () => {
    const { acl } = adaAndIndexer();
    acl.putPrincipal("role:auditor");
    acl.permit("role:auditor", { resource: "graph:*", actions: ["read"] });
    const first = acl.listPrincipals({ limit: 2 });
    const rest = acl.listPrincipals({ limit: 2, cursor: first.cursor });
    expect([...first.items, ...rest.items].map(({ key }) => key)).toEqual([
      "account:ada",
      "role:auditor",
      "service:indexer",
    ]);
    expect(acl.listPrincipals({ identityType: "role" }).items).toEqual([
      acl.getPrincipal("role:auditor"),
    ]);
    expect(acl.listDelegations({ target: "service:indexer" }).items).toEqual([
      {
        source: "account:ada",
        target: "service:indexer",
        narrowedScopes: ["graphs:read"],
        narrowedResources: {},
        narrowable: true,
        expiresAt: null,
      },
    ]);
    expect(acl.listDelegations({ source: "service:indexer" }).items).toEqual([]);
    expect(acl.listPermissions({ resource: "graph:*" }).items).toEqual([
      { principal: "role:auditor", resource: "graph:*", actions: ["read"], expiresAt: null },
    ]);
  });

  it("keeps ids with colons, quotes and emoji apart", () => {
    const { acl } = tenantAcl();
    const keys = ["a:b", "a", 'a"b', "a'b", "😀", "%"].map((id) => principalKey("account", id));
    for (const [at, key] of keys.entries()) acl.putPrincipal(key, { scopes: [`s${at}`] });
    for (const [at, key] of keys.entries()) {
      expect(acl.identityOf(key)).toEqual({ id: key.slice(8), scopes: [`s${at}`] });
    }
  });

  it("explains each scope by the paths that give it", () => {
    const { acl } = adaAndIndexer({ clock: clockAtNow() });
    acl.putPrincipal("org:acme", { scopes: ["graphs:read"] });
    acl.delegate("org:acme", "service:indexer", {
      narrowedScopes: ["graphs:read"],
      expiresAt: NOW + 60_000,
    });
    const [explained, ...others] = acl.explain("service:indexer") ?? [];
    expect(others).toEqual([]);
    expect(explained).toMatchObject({ grant: { scope: "graphs:read" }, complete: true });
    expect(explained?.paths.map(({ text }) => text).sort()).toEqual([
      "account:ada holds graphs:* → service:indexer",
      "org:acme holds graphs:read → service:indexer until 2026-01-01T00:01:00.000Z",
    ]);
    expect(acl.explain("service:indexer", { maxPaths: 1 })?.[0]).toMatchObject({
      complete: false,
      paths: [{}],
    });
  });
});

describe("delegations (M31)", () => {
  it("that would close a circle are refused, which is named, also over an expired one", () => {
    const clock = clockAtNow();
    const { acl } = tenantAcl({ clock });
    for (const id of ["a", "b", "c"]) acl.putPrincipal(principalKey("role", id), { scopes: ["x"] });
    acl.delegate("role:a", "role:b", { narrowedScopes: ["x"], expiresAt: NOW + 1 });
    acl.delegate("role:b", "role:c", { narrowedScopes: ["x"] });
    clock.advance(10);
    expect(
      errorOf(() => acl.delegate("role:c", "role:a", { narrowedScopes: ["x"] })),
    ).toMatchObject({
      code: "DELEGATION_CYCLE",
      message: expect.stringContaining("role:c → role:a → role:b → role:c"),
      details: { circle: ["role:c", "role:a", "role:b", "role:c"] },
    });
    acl.revoke("role:b", "role:c");
    acl.delegate("role:c", "role:a", { narrowedScopes: ["x"] });
  });

  it("may name what the source shall hold later, when that is said", () => {
    const { acl } = adaAndIndexer();
    acl.delegate("account:ada", "service:indexer", {
      narrowedScopes: ["tasks:read"],
      allowUnheld: true,
    });
    expect(acl.identityOf("service:indexer")?.scopes).toEqual([]);
    acl.grantScopes("account:ada", ["tasks:*"]);
    expect(acl.identityOf("service:indexer")?.scopes).toEqual(["tasks:read"]);
  });

  it("that are not narrowable end at their target, which may still delegate its own", () => {
    const { acl } = adaAndIndexer();
    acl.putPrincipal("service:indexer", { scopes: ["own"] });
    acl.putPrincipal("role:helper");
    acl.delegate("account:ada", "service:indexer", {
      narrowedScopes: ["graphs:read"],
      narrowable: false,
    });
    const pass = (narrowedScopes: string[], allowUnheld: boolean) => () =>
      acl.delegate("service:indexer", "role:helper", { narrowedScopes, allowUnheld });
    for (const allowUnheld of [false, true]) {
      expect(errorOf(pass(["own", "graphs:read"], allowUnheld))).toMatchObject({
        code: "DELEGATION_NOT_ALLOWED",
        message: expect.stringContaining("not narrowable"),
        details: { grants: ["graphs:read"] },
      });
    }
    pass(["own"], false)();
    expect(acl.identityOf("role:helper")?.scopes).toEqual(["own"]);
  });

  it("that become not narrowable take back what was passed on", () => {
    const { acl } = adaAndIndexer();
    acl.putPrincipal("role:helper");
    acl.delegate("service:indexer", "role:helper", { narrowedScopes: ["graphs:read"] });
    expect(acl.identityOf("role:helper")?.scopes).toEqual(["graphs:read"]);
    acl.delegate("account:ada", "service:indexer", {
      narrowedScopes: ["graphs:read"],
      narrowable: false,
    });
    expect(acl.identityOf("service:indexer")?.scopes).toEqual(["graphs:read"]);
    expect(acl.identityOf("role:helper")?.scopes).toEqual([]);
  });
});

describe("kept identities (M31)", () => {
  it("are one frozen object as long as nothing changes", () => {
    const { acl } = adaAndIndexer();
    acl.permit("account:ada", { resource: "doc:*", actions: ["read"] });
    const identity = acl.identityOf("account:ada");
    expect(acl.identityOf("account:ada")).toBe(identity);
    expect(Object.isFrozen(identity) && Object.isFrozen(identity?.scopes)).toBe(true);
    expect(Object.isFrozen(identity?.resources?.["doc:*"])).toBe(true);
    acl.putPrincipal("account:ada", { scopes: ["graphs:*"] }); // as it was
    expect(acl.identityOf("account:ada")).toBe(identity);
    acl.grantScopes("account:ada", ["x"]);
    expect(acl.identityOf("account:ada")?.scopes).toEqual(["graphs:*", "x"]);
  });

  it("end at the moment something expires, and are not revived by a clock that was set back", () => {
    const clock = clockAtNow();
    const { acl } = adaAndIndexer({ clock, maxAgeSeconds: 1_000_000 });
    acl.putPrincipal("role:guest", { scopes: ["x"], expiresAt: NOW + 2_000 });
    acl.permit("role:guest", { resource: "doc:1", actions: ["read"], expiresAt: NOW + 1_000 });
    acl.delegate("account:ada", "role:guest", {
      narrowedScopes: ["graphs:read"],
      expiresAt: NOW + 1_500,
    });
    const at = (ms: number) => {
      clock.set(NOW + ms);
      const identity = acl.identityOf("role:guest");
      return [identity?.scopes, identity?.resources];
    };
    const doc = { "doc:1": ["read"] };
    expect(at(999)).toEqual([["graphs:read", "x"], doc]);
    expect(at(1_000)).toEqual([["graphs:read", "x"], undefined]);
    expect(at(1_500)).toEqual([["x"], undefined]);
    expect(at(2_000)).toEqual([[], undefined]);
    expect(at(500)).toEqual([["graphs:read", "x"], doc]);
  });

  it("are never those of a transaction that was rolled back", () => {
    const { acl, tenant } = adaAndIndexer();
    const scopes = () => acl.identityOf("service:indexer")?.scopes;
    for (const [scope, after] of [
      ["graphs:write", "graphs:read"],
      ["graphs:delete", "graphs:read"],
    ] as const) {
      expect(() =>
        tenant.transaction(() => {
          acl.delegate("account:ada", "service:indexer", { narrowedScopes: [scope] });
          expect(scopes()).toEqual([scope]);
          throw new Error("no");
        }),
      ).toThrow("no");
      expect(scopes()).toEqual([after]);
    }
    // without a look in between: the next change is not taken for the one that was undone
    expect(() =>
      tenant.transaction(() => {
        acl.grantScopes("account:ada", ["undone"]);
        acl.identityOf("account:ada");
        throw new Error("no");
      }),
    ).toThrow("no");
    acl.grantScopes("account:ada", ["done"]);
    expect(acl.identityOf("account:ada")?.scopes).toEqual(["done", "graphs:*"]);
  });

  it("show what another ACL of the same file wrote", () => {
    const { acl, tenant } = adaAndIndexer();
    acl.identityOf("service:indexer");
    createAcl(tenant).revoke("account:ada", "service:indexer");
    expect(acl.identityOf("service:indexer")?.scopes).toEqual([]);
  });

  it("show changes made past every ACL after maxAgeSeconds", () => {
    const clock: FakeClock & Clock = clockAtNow();
    const { acl, tenant } = adaAndIndexer({ clock, maxAgeSeconds: 5 });
    acl.identityOf("service:indexer");
    tenant.$client.execute("DELETE FROM edges");
    clock.advance(4_999);
    expect(acl.identityOf("service:indexer")?.scopes).toEqual(["graphs:read"]);
    clock.advance(1);
    expect(acl.identityOf("service:indexer")?.scopes).toEqual([]);
  });

  it("are right without a cache, and with one that is too small", () => {
    for (const cacheSize of [0, 1]) {
      const { acl } = adaAndIndexer({ cacheSize });
      for (let i = 0; i < 3; i++) {
        expect(acl.identityOf("account:ada")?.scopes).toEqual(["graphs:*"]);
        expect(acl.identityOf("service:indexer")?.scopes).toEqual(["graphs:read"]);
      }
    }
  });

  it.each([
    ["scopes", "UPDATE nodes SET attributes = '{\"scopes\":\"*\"}' WHERE key = 'account:ada'"],
    ["attributes", "UPDATE nodes SET attributes = '[]' WHERE key = 'account:ada'"],
    ["an expiry", "UPDATE edges SET attributes = json_set(attributes, '$.expiresAt', 'never')"],
    ["narrowed scopes", 'UPDATE edges SET attributes = \'{"narrowedScopes":{"*":1}}\''],
    ["a node's type", "UPDATE nodes SET metadata = '{}' WHERE key = 'account:ada'"],
  ])("grant nothing by %s that raw SQL left malformed", (_, sql) => {
    const { acl, tenant } = adaAndIndexer();
    tenant.$client.execute(sql);
    expect(acl.identityOf("service:indexer")?.scopes).toEqual([]);
  });
});

describe("events of an ACL (M31)", () => {
  const delegationEvents = (tenant: TenantDatabase): unknown[] =>
    tenant.$client
      .rows(
        `SELECT payload FROM _honker_notifications WHERE channel = 'acl:delegation_changed' ORDER BY id`,
      )
      .map(([payload]) => JSON.parse(payload as string));

  it("name who gives and who gets, in the same commit, and fit the catalog", () => {
    const { acl, tenant } = adaAndIndexer();
    acl.revoke("account:ada", "service:indexer");
    acl.revoke("account:ada", "service:indexer");
    const ada = { principalId: "account:ada", agentId: "account:ada" };
    const indexer = { principalId: "service:indexer", agentId: "service:indexer" };
    const both = { principalId: "account:ada", agentId: "service:indexer" };
    expect(delegationEvents(tenant)).toEqual([ada, indexer, both, both]);
    const check = envelopeCheck(tenantCatalog.channels);
    for (const payload of delegationEvents(tenant)) {
      check({ type: "acl:delegation_changed", id: "", payload });
    }
    // once per pair that waits
    const jobs = openCatalogQueue(
      { db: tenant.$client, entries: tenantCatalog.queues },
      "acl-evaluation",
    ).claimBatch("test", 10);
    expect(jobs.map(({ payload }) => payload)).toEqual([ada, indexer, both]);
  });

  it("are not sent for what was rolled back, nor for what was so already", () => {
    const { acl, tenant } = adaAndIndexer();
    const before = delegationEvents(tenant).length;
    expect(() =>
      tenant.transaction(() => {
        acl.revoke("account:ada", "service:indexer");
        throw new Error("no");
      }),
    ).toThrow("no");
    acl.delegate("account:ada", "service:indexer", { narrowedScopes: ["graphs:read"] });
    acl.putPrincipal("account:ada", { scopes: ["graphs:*"] });
    acl.grantScopes("account:ada", ["graphs:*"]);
    acl.forbid("account:ada", "doc:1");
    expect(delegationEvents(tenant)).toHaveLength(before);
  });

  it("of a removed principal name everybody it delegated to", () => {
    const { acl, tenant } = adaAndIndexer();
    const before = delegationEvents(tenant).length;
    acl.removePrincipal("account:ada");
    expect(delegationEvents(tenant).slice(before)).toEqual([
      { principalId: "account:ada", agentId: "service:indexer" },
      { principalId: "account:ada", agentId: "account:ada" },
    ]);
  });

  it("let a worker evaluate everybody concerned", async () => {
    const { acl, tenant } = adaAndIndexer();
    acl.putPrincipal("role:helper");
    acl.delegate("service:indexer", "role:helper", { narrowedScopes: ["graphs:read"] });
    expect(acl.affectedBy("account:ada")).toEqual([
      "account:ada",
      "service:indexer",
      "role:helper",
    ]);
    const queue = openCatalogQueue(
      { db: tenant.$client, entries: tenantCatalog.queues },
      "acl-evaluation",
    );
    const worker = queue.work(createAclEvaluationHandler(acl));
    await eventually("the queue is empty", () => {
      const { pending, running } = queue.stats();
      return pending + running === 0;
    });
    await worker.stop();
    expect(queue.dead.list()).toEqual([]);
  });
});

describe("memberships (M31)", () => {
  const member = (accountId: string, membershipLevel: "owner" | "admin" | "member" = "member") => ({
    accountId,
    membershipLevel,
  });
  const memberships = (tenant: TenantDatabase): unknown =>
    tenant.$client.rows(
      `SELECT source_node_key, attributes ->> 'membershipLevel' FROM edges
       WHERE json_extract(metadata, '$._metagraph.edgeType') = 'belongs_to' ORDER BY 1`,
    );

  it("become what the rows say, and stay so when done again", () => {
    const { acl, tenant } = adaAndIndexer();
    expect(acl.reconcileMembers("acme", [member("ada", "owner"), member("eve")])).toEqual({
      added: ["ada", "eve"],
      changed: [],
      removed: [],
    });
    const rows = [member("eve", "admin"), member("eve", "admin"), member("max")];
    expect(acl.reconcileMembers("acme", rows)).toEqual({
      added: ["max"],
      changed: ["eve"],
      removed: ["ada"],
    });
    expect(memberships(tenant)).toEqual([
      ["account:eve", "admin"],
      ["account:max", "member"],
    ]);
    const nothing = { added: [], changed: [], removed: [] };
    expect(acl.reconcileMembers("acme", rows)).toEqual(nothing);
    expect(acl.reconcileMembers("other", [member("eve")])).toMatchObject({ added: ["eve"] });
    expect(acl.reconcileMembers("acme", [])).toMatchObject({ removed: ["eve", "max"] });
    expect(memberships(tenant)).toEqual([["account:eve", "member"]]);
  });

  it("grant nothing, take nothing, and close no circle", () => {
    const { acl } = adaAndIndexer();
    acl.putPrincipal("org:acme", { scopes: ["org:*"] });
    acl.reconcileMembers("acme", [member("ada")]);
    expect(acl.identityOf("account:ada")?.scopes).toEqual(["graphs:*"]);
    acl.delegate("org:acme", "account:ada", { narrowedScopes: ["org:*"] });
    acl.reconcileMembers("acme", []);
    expect(acl.identityOf("account:ada")?.scopes).toEqual(["graphs:*", "org:*"]);
  });

  it("of ten thousand are one transaction that is undone as a whole", () => {
    const { acl, tenant } = tenantAcl();
    const all = Array.from({ length: 10_000 }, (_, at) => member(`a${at}`));
    expect(() =>
      tenant.transaction(() => {
        acl.reconcileMembers("acme", all);
        throw new Error("no");
      }),
    ).toThrow("no");
    expect(memberships(tenant)).toEqual([]);
    expect(acl.reconcileMembers("acme", all).added).toHaveLength(10_000);
    expect(acl.reconcileMembers("acme", all.slice(1))).toMatchObject({ removed: ["a0"] });
  });
});

describe("the file of an ACL (M31)", () => {
  it("answers, and takes no writes, while its graph is archived", () => {
    const { acl, tenant } = adaAndIndexer();
    const store = createGraphStore(tenant);
    const [graph] = store.listGraphs({ type: "acl_graph" }).items;
    store.archiveGraph(graph?.id ?? "");
    expect(errorOf(() => acl.grantScopes("account:ada", ["x"]))).toMatchObject({
      code: "READ_ONLY",
    });
    expect(acl.identityOf("account:ada")?.scopes).toEqual(["graphs:*"]);
  });

  it("begins anew when its graph was deleted", () => {
    const { acl, tenant } = adaAndIndexer();
    const store = createGraphStore(tenant);
    const [graph] = store.listGraphs({ type: "acl_graph" }).items;
    store.deleteGraph(graph?.id ?? "");
    acl.putPrincipal("account:ada", { scopes: ["x"] });
    expect(acl.identityOf("account:ada")?.scopes).toEqual(["x"]);
    expect(acl.identityOf("service:indexer")).toBeNull();
  });

  it("keeps the ACL when it is closed and opened again", () => {
    const path = `${tempFolder()}/tenant.db`;
    const first = open(path);
    createAcl(createTenantDatabase(first)).putPrincipal("account:ada", { scopes: ["a"] });
    first.close();
    using again = open(path);
    expect(createAcl(createTenantDatabase(again)).identityOf("account:ada")?.scopes).toEqual(["a"]);
  });
});
