import { join } from "node:path";
import { open } from "@alkdev/honker";
import { checkAccess } from "@alkdev/operations";
import {
  type AccessRequest,
  addMember,
  authorize,
  createAccount,
  createAcl,
  createApiKey,
  createAuthenticator,
  createOrganization,
  createSystemDatabase,
  createTenantManager,
  explainAccess,
  removeMember,
  resolveIdentity,
  revokeApiKey,
  type SystemDatabase,
  systemIdentity,
  type TenantDatabase,
  type TenantManager,
} from "@alkdev/storage/sqlite";
import { tempFolder } from "@alkdev/testkit";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

let system: SystemDatabase;
let tenants: TenantManager;
let resolve: (request: AccessRequest) => ReturnType<typeof resolveIdentity>;
let keys: Record<"owner" | "admin" | "member" | "outsider" | "root", string>;

beforeEach(() => {
  const folder = tempFolder();
  system = createSystemDatabase(open(join(folder, "system.db")));
  onTestFinished(() => system.$client.close());
  tenants = createTenantManager({ folder: join(folder, "tenants"), system });
  onTestFinished(() => tenants.close());
  const auth = createAuthenticator(system);
  onTestFinished(() => auth.close());
  resolve = (request) => resolveIdentity({ auth, tenants }, request);
  const key = (id: string, accessLevel: "user" | "admin" = "user") => {
    createAccount(system, { id, email: `${id}@example.com`, accessLevel });
    return createApiKey(system, { ownerId: id }).key;
  };
  keys = {
    owner: key("owner"),
    admin: key("admin"),
    member: key("member"),
    outsider: key("outsider"),
    root: key("root", "admin"),
  };
  for (const id of ["acme", "globex"]) {
    createOrganization(system, { id, name: id, slug: id, ownerId: "owner" });
    tenants.create(id);
  }
  addMember(system, { orgId: "acme", accountId: "admin", membershipLevel: "admin" });
  addMember(system, { orgId: "acme", accountId: "member" });
});

/** Scopes of a request that is allowed, its tenant given back; else its code. */
function outcome(request: AccessRequest): string | readonly string[] {
  const access = resolve(request);
  if (!access.ok) return access.code;
  access.tenant.close();
  return access.identity.scopes;
}

const WRITES = ["edge_types", "edges", "graph_types", "graphs", "node_types", "nodes"];
const ALL = WRITES.map((table) => `${table}:*`);
const READ = WRITES.map((table) => `${table}:read`);

describe("authorize refuses (M41)", () => {
  it.each<[string, string, (org: string) => string, string]>([
    ["a key that is none", "acme", () => "no", "UNAUTHENTICATED"],
    ["somebody who is no member", "acme", () => keys.outsider, "FORBIDDEN"],
    ["a member of another organisation", "globex", () => keys.member, "FORBIDDEN"],
    [
      "an organisation that is not there, with the same words",
      "none",
      () => keys.member,
      "FORBIDDEN",
    ],
    ["no organisation", "", () => keys.member, "FORBIDDEN"],
    ["a path", "../system", () => keys.member, "FORBIDDEN"],
    ["a path, from an admin of the system", "../system", () => keys.root, "UNAVAILABLE"],
    [
      "an organisation without a tenant, from an admin of the system",
      "none",
      () => keys.root,
      "UNAVAILABLE",
    ],
  ])("%s", (_, orgId, bearer, code) => {
    expect(outcome({ bearer: bearer(orgId), orgId })).toBe(code);
    expect(tenants.openFiles.idle).toBe(tenants.openFiles.open);
  });

  it("a key that is bound to another organisation", () => {
    const { key } = createApiKey(system, { ownerId: "owner", orgId: "globex" });
    expect(outcome({ bearer: key, orgId: "acme" })).toBe("FORBIDDEN");
    expect(outcome({ bearer: key, orgId: "globex" })).toEqual(ALL);
  });

  it("a member at once after the membership ended", () => {
    expect(outcome({ bearer: keys.member, orgId: "acme" })).toEqual(READ);
    removeMember(system, { orgId: "acme", accountId: "member" });
    expect(outcome({ bearer: keys.member, orgId: "acme" })).toBe("FORBIDDEN");
  });

  it("everybody while the tenant is suspended, and says why to operators only", () => {
    tenants.suspend("acme");
    const access = resolve({ bearer: keys.owner, orgId: "acme" });
    expect(access).toMatchObject({
      ...{ ok: false, code: "UNAVAILABLE", message: "the organisation is not available now" },
      error: { code: "TENANT_STATE" },
    });
    expect(outcome({ bearer: keys.outsider, orgId: "acme" })).toBe("FORBIDDEN");
  });
});

describe("authorize (M41)", () => {
  it("gives levels their scopes, none of which reaches system.db", () => {
    const of = (bearer: string) => outcome({ bearer, orgId: "acme" });
    expect([of(keys.owner), of(keys.admin), of(keys.member), of(keys.root)]).toEqual([
      ...[ALL, ALL, READ, ["*"]],
    ]);
    const access = resolve({ bearer: keys.owner, orgId: "acme" });
    if (!access.ok) throw new Error(access.code);
    using tenant = access.tenant;
    expect(tenant.orgId).toBe("acme");
    const may = (scope: string) =>
      checkAccess({ requiredScopes: [scope] }, access.identity, {}).allowed;
    expect([may("nodes:write"), may("accounts:write"), may("api_keys:read")]).toEqual([
      ...[true, false, false],
    ]);
  });

  it("asks the ACL that whoever keeps tenants open has, and sees changes at once", () => {
    using kept = tenants.open("acme");
    const acl = createAcl(kept.db);
    const asked: string[] = [];
    const principal = {
      accountId: "member",
      accessLevel: "user",
      credentialType: "api_key",
      credentialId: "key-1",
      scopes: null,
      orgId: null,
      memberships: [{ orgId: "acme", membershipLevel: "member" }],
    } as const;
    const scopes = (): readonly string[] => {
      const aclOf = (tenant: TenantDatabase, orgId: string) => {
        expect(tenant.$client.path).toBe(kept.db.$client.path);
        asked.push(orgId);
        return acl;
      };
      const access = authorize({ tenants, aclOf }, principal, "acme");
      if (!access.ok) throw new Error(access.code);
      access.tenant.close();
      return access.identity.scopes;
    };
    expect(scopes()).toEqual(READ);
    acl.putPrincipal("account:member", { scopes: ["reports:read"] });
    expect(scopes()).toEqual([...READ, "reports:read"].sort());
    expect(asked).toEqual(["acme", "acme"]);
  });

  it("adds what the ACL of the tenant gives, and takes it back at once", () => {
    const grant = (scopes: string[]) =>
      tenants.withTenant("acme", (db) => {
        const acl = createAcl(db);
        acl.putPrincipal("account:member", { scopes, resources: { "graph:g1": ["write"] } });
      });
    grant(["graphs:write", "reports:*"]);
    const access = resolve({ bearer: keys.member, orgId: "acme" });
    if (!access.ok) throw new Error(access.code);
    access.tenant.close();
    expect(access.identity).toEqual({
      id: "member",
      scopes: [...READ, "graphs:write", "reports:*"].sort(),
      resources: { "graph:g1": ["write"] },
    });
    grant([]);
    expect(outcome({ bearer: keys.member, orgId: "acme" })).toEqual(READ);
  });

  it("never gives a key more than its scopes, nor more than its owner has", () => {
    tenants.withTenant("acme", (db) =>
      createAcl(db).putPrincipal("account:member", {
        scopes: [],
        resources: { "graph:*": ["read"] },
      }),
    );
    const with_ = (ownerId: string, scopes: string[]) => {
      const access = resolve({
        bearer: createApiKey(system, { ownerId, scopes }).key,
        orgId: "acme",
      });
      if (!access.ok) throw new Error(access.code);
      access.tenant.close();
      return access.identity;
    };
    expect(with_("member", ["graphs:*", "accounts:write"])).toEqual({
      id: "member",
      scopes: ["graphs:read"],
    });
    expect(with_("owner", ["graphs:read"]).scopes).toEqual(["graphs:read"]);
    expect(with_("root", ["nodes:*"]).scopes).toEqual(["nodes:*"]);
    expect(with_("owner", []).scopes).toEqual([]);
  });

  it("takes other scopes of levels as data", () => {
    const auth = createAuthenticator(system);
    onTestFinished(() => auth.close());
    const signedIn = auth.authenticate(keys.member);
    if (!signedIn.ok) throw new Error(signedIn.code);
    const membershipScopes = { owner: ["*"], admin: [], member: ["calls:read"], system: [] };
    const access = authorize({ tenants, membershipScopes }, signedIn.principal, "acme");
    if (!access.ok) throw new Error(access.code);
    access.tenant.close();
    expect(access.identity.scopes).toEqual(["calls:read"]);
  });

  it("in system.db gives admins of the system everything, and nobody else anything", () => {
    const auth = createAuthenticator(system);
    onTestFinished(() => auth.close());
    const of = (bearer: string) => {
      const signedIn = auth.authenticate(bearer);
      return signedIn.ok ? systemIdentity(signedIn.principal).scopes : signedIn.code;
    };
    const limited = createApiKey(system, { ownerId: "root", scopes: ["accounts:read"] }).key;
    const bound = createApiKey(system, { ownerId: "root", orgId: "acme" }).key;
    expect([of(keys.root), of(keys.owner), of(limited), of(bound)]).toEqual([
      ...[["*"], [], ["accounts:read"], []],
    ]);
  });
});

describe("explainAccess (M41)", () => {
  const steps = (question: Parameters<typeof explainAccess>[1]) =>
    explainAccess({ system, tenants }, question).map(
      ({ step, ok, text }) => `${ok} ${step}: ${text}`,
    );

  it("says to operators, step by step, why and why not", () => {
    tenants.withTenant("acme", (db) => {
      const acl = createAcl(db);
      acl.putPrincipal("account:owner", { scopes: ["reports:*"] });
      acl.putPrincipal("account:member");
      acl.delegate("account:owner", "account:member", { narrowedScopes: ["reports:read"] });
    });
    expect(steps({ key: keys.member, orgId: "acme" }).slice(1)).toEqual([
      `true membership: as member: graph_types:read, node_types:read, edge_types:read, graphs:read, nodes:read, edges:read`,
      "true tenant: tenant acme is open",
      "true acl: account:owner holds reports:* → account:member",
      `true identity: together: ${[...READ, "reports:read"].sort().join(", ")}`,
    ]);
    expect(steps({ key: keys.outsider, orgId: "acme" })[1]).toBe(
      "false membership: no member of acme",
    );
    expect(steps({ key: "no", orgId: "acme" })).toEqual(["false key: there is no such key"]);
    const { id } = createApiKey(system, { ownerId: "member" });
    revokeApiKey(system, id);
    expect(steps({ keyId: id, orgId: "acme" })).toEqual([`false key: key ${id}: revoked`]);
    tenants.suspend("acme");
    expect(steps({ key: keys.owner, orgId: "acme" })[2]).toMatch(/^false tenant: .*suspended/);
    expect(() => steps({ keyId: "none", orgId: "acme" })).toThrow(
      expect.objectContaining({ code: "NOT_FOUND" }),
    );
    expect(tenants.openFiles.idle).toBe(tenants.openFiles.open);
  });
});
