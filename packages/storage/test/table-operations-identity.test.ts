import { systemCatalog } from "@alkdev/storage/catalog";
import { Value } from "@sinclair/typebox/value";
import { beforeEach, describe, expect, it } from "vitest";
import { notifications, openTables, type Row, type Tables } from "./table-operations-fixture.ts";

const HASH = "0123456789abcdef".repeat(4);

/** An operation and its input. */
type Call = [id: string, input: unknown];

let tables: Tables;
let ada: Row;
let acme: Row;

beforeEach(async () => {
  tables = openTables();
  ada = await tables.call("accounts.create", { email: "ada@example.org" });
  acme = await tables.call("organizations.create", {
    name: "Acme",
    slug: "acme",
    ownerId: ada.id,
  });
});

describe("operations of identity tables (M32)", () => {
  it.each<[string, unknown]>([
    ["accounts.create", {}],
    ["accounts.create", null],
    ["accounts.create", { email: "" }],
    ["accounts.create", { email: Buffer.from("x") }],
    ["accounts.create", { email: "b@x", accessLevel: "root" }],
    ["accounts.create", { email: "b@x", createdAt: "2026-01-01T00:00:00Z" }],
    ["accounts.create", { email: "b@x", metadata: { n: Number.NaN } }],
    ["accounts.create", { email: "b@x", metadata: null }],
    ["accounts.create", { email: "b@x", id: "" }],
    ["accounts.find", {}],
    ["accounts.find", { id: "" }],
    ["accounts.find", { id: "a", email: "b" }],
    ["accounts.find", { status: "active" }],
    ["accounts.update", { id: "a" }],
    ["accounts.update", { id: "a", changes: {} }],
    ["accounts.update", { id: "a", changes: { id: "b" } }],
    ["accounts.update", { id: "a", changes: { email: null } }],
    ["accounts.update", { id: "a", changes: { status: "active" }, ifRevision: 1 }],
    ["accounts.delete", {}],
    ["accounts.delete", { id: 1 }],
    ["organizations.create", { name: "B", slug: "B", ownerId: "a" }],
    ["organizations.create", { name: "B", slug: "-b", ownerId: "a" }],
    ["organizations.create", { name: "B", slug: "b".repeat(64), ownerId: "a" }],
    ["organization_members.update", { id: "a", changes: { accountId: "b" } }],
    ["api_keys.create", { ownerId: "a", keyHash: HASH.toUpperCase() }],
    ["api_keys.create", { ownerId: "a", keyHash: "secret" }],
    ["api_keys.create", { ownerId: "a", keyHash: HASH, expiresAt: 1_700_000_000 }],
    ["api_keys.create", { ownerId: "a", keyHash: HASH, expiresAt: "tomorrow" }],
    ["api_keys.find", { keyHash: HASH }],
    ["api_keys.list", { filter: { keyHash: { like: "0%" } } }],
    ["api_keys.list", { sort: [{ column: "keyHash" }] }],
    ["api_keys.update", { id: "a", changes: { keyHash: HASH } }],
    ["audit_logs.create", { action: "" }],
  ])("refuses by its schema: %s %j", async (id, input) => {
    expect((await tables.failure(id, input)).code).toBe("VALIDATION_ERROR");
  });

  it.each<[string, () => Call | Promise<Call>, object]>([
    [
      "an email that is taken, in other letters",
      () => ["accounts.create", { email: "ADA@example.org" }],
      { code: "ALREADY_EXISTS", details: { table: "accounts", columns: ["email"] } },
    ],
    [
      "an id that is taken",
      () => ["accounts.create", { id: ada.id, email: "b@x" }],
      { code: "ALREADY_EXISTS", details: { table: "accounts", columns: ["id"] } },
    ],
    [
      "a slug that is taken",
      () => ["organizations.create", { name: "B", slug: "acme", ownerId: ada.id }],
      { code: "ALREADY_EXISTS", details: { table: "organizations", columns: ["slug"] } },
    ],
    [
      "a membership that is there",
      () => [
        "organization_members.create",
        { orgId: acme.id, accountId: ada.id, membershipLevel: "owner" },
      ],
      {
        code: "ALREADY_EXISTS",
        details: { table: "organization_members", columns: ["orgId", "accountId"] },
      },
    ],
    [
      "an owner who is not there",
      () => ["organizations.create", { name: "B", slug: "b", ownerId: "nobody" }],
      { code: "REFERENCE_NOT_FOUND" },
    ],
    [
      "a reference that is not there, by an update",
      () => ["organizations.update", { id: acme.id, changes: { ownerId: "nobody" } }],
      { code: "REFERENCE_NOT_FOUND" },
    ],
    [
      "an email with spaces around it",
      () => ["accounts.create", { email: " b@x" }],
      {
        code: "INVALID_ARGUMENT",
        details: { table: "accounts", constraint: "accounts_email" },
      },
    ],
    [
      "a credential without its type",
      () => ["audit_logs.create", { action: "x", ownerId: ada.id, credentialId: "k" }],
      { code: "INVALID_ARGUMENT" },
    ],
    [
      "a row that is not there",
      () => ["accounts.update", { id: "nobody", changes: { status: "active" } }],
      { code: "NOT_FOUND", details: { table: "accounts", id: "nobody" } },
    ],
    [
      "to delete an account that owns an organization",
      () => ["accounts.delete", { id: ada.id }],
      { code: "IN_USE" },
    ],
    [
      "to demote the owner",
      async () => {
        const key = { orgId: acme.id, accountId: ada.id };
        const { id } = await tables.call("organization_members.find", key);
        return ["organization_members.update", { id, changes: { membershipLevel: "member" } }];
      },
      { code: "READ_ONLY" },
    ],
    [
      "metadata of the store",
      () => ["accounts.create", { email: "b@x", metadata: { _metagraph: {} } }],
      { code: "INVALID_ARGUMENT" },
    ],
  ])("refuses, with a code, %s", async (_name, make, expected) => {
    const [id, input] = await make();
    const before = notifications(tables.system);
    expect(await tables.failure(id, input)).toMatchObject(expected);
    expect(notifications(tables.system)).toEqual(before);
    expect(tables.reported).toEqual([]);
  });

  it("creates, finds, changes and deletes", async () => {
    const { call } = tables;
    const created = await call("accounts.create", {
      email: "eve@x",
      displayName: "Eve",
      metadata: { _keypal: { tags: ["a"] } },
    });
    expect(created).toMatchObject({ accessLevel: "user", status: "active", displayName: "Eve" });
    expect(created.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
    expect(await call("accounts.find", { id: created.id })).toEqual(created);
    expect(await call("accounts.find", { email: "EVE@x" })).toEqual(created);
    const changes = { displayName: null, status: "suspended" };
    expect(await call("accounts.update", { id: created.id, changes })).toMatchObject(changes);
    expect(await call("accounts.delete", { id: created.id })).toEqual({ deleted: true });
    expect(await call("accounts.delete", { id: created.id })).toEqual({ deleted: false });
    expect(await call("accounts.find", { id: created.id })).toBeNull();
  });

  it("keeps a key's hash to itself", async () => {
    const { call, system } = tables;
    const key = await call("api_keys.create", {
      ownerId: ada.id,
      keyHash: HASH,
      expiresAt: "2026-06-01T03:00:00Z",
    });
    expect(key).toMatchObject({ enabled: true, expiresAt: "2026-06-01T03:00:00.000Z" });
    const other = await tables.failure("api_keys.create", { ownerId: ada.id, keyHash: HASH });
    const seen = [
      key,
      await call("api_keys.find", { id: key.id }),
      await call("api_keys.list", {}),
      await call("api_keys.update", { id: key.id, changes: { enabled: false } }),
      [other.message, other.details],
    ];
    expect(JSON.stringify(seen)).not.toContain(HASH);
    expect(system.rows("SELECT key_hash, enabled, expires_at FROM api_keys")).toEqual([
      [HASH, 0, Date.UTC(2026, 5, 1, 3) / 1_000],
    ]);
  });

  it("tells in the same commit what the catalog promises", async () => {
    const { call, system } = tables;
    const bob = await call("accounts.create", { email: "bob@x", accessLevel: "admin" });
    await call("accounts.update", { id: bob.id, changes: { displayName: "Bob" } });
    await call("organization_members.create", {
      orgId: acme.id,
      accountId: bob.id,
      membershipLevel: "member",
    });
    await call("organizations.update", { id: acme.id, changes: { ownerId: bob.id } });
    const eve = await call("accounts.create", { email: "eve@x" });
    await call("organizations.update", { id: acme.id, changes: { ownerId: eve.id } });
    const events = notifications(system);
    const added = (account: Row, membershipLevel: string) => [
      "org:member_added",
      { orgId: acme.id, accountId: account.id, membershipLevel },
    ];
    const created = ({ id, email, accessLevel }: Row) => [
      "account:created",
      { accountId: id, email, accessLevel },
    ];
    expect(events).toEqual([
      created(ada),
      ["org:created", { orgId: acme.id, slug: "acme", ownerId: ada.id }],
      added(ada, "owner"),
      created(bob),
      ["account:updated", { accountId: bob.id, changes: { displayName: "Bob" } }],
      added(bob, "member"),
      created(eve),
      added(eve, "owner"),
    ]);
    for (const [channel, payload] of events) {
      const { channels } = systemCatalog;
      expect(Value.Check(channels[channel as keyof typeof channels].payload, payload)).toBe(true);
    }
  });

  it("puts audit entries on their stream, too", async () => {
    const row = await tables.call("audit_logs.create", {
      action: "key.revoked",
      ownerId: ada.id,
      orgId: acme.id,
      details: { reason: "lost" },
    });
    const events = [...tables.system.stream("audit-events").readSince(0, 10)];
    expect(events.map(({ payload }) => payload)).toEqual([
      {
        action: "key.revoked",
        ownerId: ada.id,
        orgId: acme.id,
        details: { reason: "lost" },
        at: Date.parse(row.createdAt as string),
      },
    ]);
    expect(tables.registry.get("audit_logs.update")).toBeNull();
    expect(tables.registry.get("audit_logs.delete")).toBeNull();
  });

  it("joins the transaction it is called in", async () => {
    const before = notifications(tables.system).length;
    const handler = tables.registry.get("accounts.create")?.handler as (input: unknown) => Row;
    expect(() =>
      tables.system.transaction(() => {
        handler({ email: "rolled@back" });
        throw new Error("no");
      }),
    ).toThrow("no");
    expect(await tables.call("accounts.find", { email: "rolled@back" })).toBeNull();
    expect(notifications(tables.system)).toHaveLength(before);
  });

  it("fails with EXECUTION_ERROR once the database is closed", async () => {
    tables.system.close();
    expect((await tables.failure("accounts.list", {})).code).toBe("EXECUTION_ERROR");
    expect(tables.reported).toHaveLength(1);
  });

  it("asks for the scope of the table", async () => {
    const call = (id: string, ...scopes: string[]) =>
      tables.registry.execute(id, id.endsWith("list") ? {} : { id: "x" }, {
        identity: { id: "a", scopes },
      });
    const denied = expect.objectContaining({ code: "ACCESS_DENIED" });
    await expect(call("accounts.list", "accounts:write", "api_keys:read")).rejects.toThrow(denied);
    await expect(call("accounts.delete", "accounts:read")).rejects.toThrow(denied);
    await expect(call("accounts.list", "accounts:read")).resolves.toBeDefined();
    await expect(call("accounts.delete", "accounts:*")).resolves.toBeDefined();
  });
});
