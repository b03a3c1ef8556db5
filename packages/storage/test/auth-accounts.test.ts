import {
  accounts,
  addMember,
  createAccount,
  createOrganization,
  createSystemDatabase,
  organizationMembers,
  organizations,
  recordAudit,
  removeMember,
  type SystemDatabase,
  transferOrganization,
  updateAccount,
} from "@alkdev/storage/sqlite";
import { tempDatabase } from "@alkdev/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { auditTrail, told } from "./auth-fixture.ts";

let system: SystemDatabase;
beforeEach(() => {
  system = createSystemDatabase(tempDatabase());
  createAccount(system, { id: "ada", email: "ada@example.com" });
  createAccount(system, { id: "bob", email: "bob@example.com" });
  createAccount(system, { id: "eve", email: "eve@example.com", accessLevel: "service" });
  updateAccount(system, "eve", { changes: { status: "suspended" } });
  createOrganization(system, { id: "acme", name: "Acme", slug: "acme", ownerId: "ada" });
});

const levels = () =>
  Object.fromEntries(
    system
      .select()
      .from(organizationMembers)
      .all()
      .map(({ accountId, membershipLevel }) => [accountId, membershipLevel]),
  );

describe("accounts and organisations refuse, and leave nothing behind (M41)", () => {
  const org = { name: "Globex", slug: "globex", ownerId: "ada" };
  it.each<[string, string, (db: SystemDatabase) => unknown]>([
    [
      "a taken email in another case",
      "ALREADY_EXISTS",
      (db) => createAccount(db, { email: "ADA@example.com" }),
    ],
    ["an empty email", "INVALID_ARGUMENT", (db) => createAccount(db, { email: "" })],
    [
      "an email that is a number",
      "INVALID_ARGUMENT",
      (db) => createAccount(db, { email: 5 as never }),
    ],
    [
      "an email with spaces around it",
      "INVALID_ARGUMENT",
      (db) => createAccount(db, { email: " a@b " }),
    ],
    ["no email", "INVALID_ARGUMENT", (db) => createAccount(db, {} as never)],
    [
      "an unknown level",
      "INVALID_ARGUMENT",
      (db) => createAccount(db, { email: "x@y", accessLevel: "root" as never }),
    ],
    [
      "an unknown column",
      "INVALID_ARGUMENT",
      (db) => createAccount(db, { email: "x@y", isAdmin: true } as never),
    ],
    [
      "an actor that is not there",
      "REFERENCE_NOT_FOUND",
      (db) => createAccount(db, { email: "x@y", by: { accountId: "nobody" } }),
    ],
    [
      "changes of nobody",
      "NOT_FOUND",
      (db) => updateAccount(db, "nobody", { changes: { displayName: "N" } }),
    ],
    ["no changes", "INVALID_ARGUMENT", (db) => updateAccount(db, "ada", { changes: {} })],
    [
      "an unknown status",
      "INVALID_ARGUMENT",
      (db) => updateAccount(db, "ada", { changes: { status: "gone" as never } }),
    ],
    [
      "an organisation of nobody",
      "NOT_FOUND",
      (db) => createOrganization(db, { ...org, ownerId: "nobody" }),
    ],
    [
      "an organisation of a suspended account",
      "ACCOUNT_STATE",
      (db) => createOrganization(db, { ...org, ownerId: "eve" }),
    ],
    ["a taken slug", "ALREADY_EXISTS", (db) => createOrganization(db, { ...org, slug: "acme" })],
    [
      "a slug with a slash",
      "INVALID_ARGUMENT",
      (db) => createOrganization(db, { ...org, slug: "../etc" }),
    ],
    [
      "a member of nothing",
      "NOT_FOUND",
      (db) => addMember(db, { orgId: "none", accountId: "bob" }),
    ],
    [
      "nobody as a member",
      "NOT_FOUND",
      (db) => addMember(db, { orgId: "acme", accountId: "nobody" }),
    ],
    [
      "a suspended member",
      "ACCOUNT_STATE",
      (db) => addMember(db, { orgId: "acme", accountId: "eve" }),
    ],
    [
      "the owner as a member",
      "ALREADY_EXISTS",
      (db) => addMember(db, { orgId: "acme", accountId: "ada" }),
    ],
    [
      "another owner",
      "READ_ONLY",
      (db) => addMember(db, { orgId: "acme", accountId: "bob", membershipLevel: "owner" as never }),
    ],
    [
      "to remove the owner",
      "READ_ONLY",
      (db) => removeMember(db, { orgId: "acme", accountId: "ada" }),
    ],
    [
      "a transfer of nothing",
      "NOT_FOUND",
      (db) => transferOrganization(db, { orgId: "none", newOwnerId: "bob" }),
    ],
    [
      "a transfer to a suspended account",
      "ACCOUNT_STATE",
      (db) => transferOrganization(db, { orgId: "acme", newOwnerId: "eve" }),
    ],
    [
      "an audit line of nobody",
      "REFERENCE_NOT_FOUND",
      (db) => recordAudit(db, { action: "x", by: { accountId: "nobody" } }),
    ],
    [
      "an audit line without an action",
      "INVALID_ARGUMENT",
      (db) => recordAudit(db, { action: "", by: { accountId: "ada" } }),
    ],
  ])("%s: %s", (_, code, call) => {
    const before = [auditTrail(system), told(system), system.select().from(accounts).all()];
    expect(() => call(system)).toThrow(expect.objectContaining({ name: "StorageError", code }));
    const after = [auditTrail(system), told(system), system.select().from(accounts).all()];
    expect(after).toEqual(before);
    expect(levels()).toEqual({ ada: "owner" });
  });
});

describe("accounts and organisations (M41)", () => {
  it("each write has its event, its line of the audit trail and its stream event in one commit", () => {
    const commits: number[] = [];
    system.$client.onCommit(() => commits.push(1));
    addMember(system, { orgId: "acme", accountId: "bob", membershipLevel: "admin" });
    expect(commits).toHaveLength(1);
    expect(told(system)).toEqual({
      channels: [
        ...["account:created", "account:created", "account:created", "account:updated"],
        ...["org:created", "org:member_added", "org:member_added"],
      ],
      stream: [
        ...["account.created", "account.created", "account.created", "account.updated"],
        ...["org.created", "org.member_added"],
      ],
    });
    expect(auditTrail(system).at(-1)).toEqual([
      "org.member_added",
      { accountId: "bob", membershipLevel: "admin" },
    ]);
    const events = system.$client
      .rows("SELECT channel, payload FROM _honker_notifications")
      .map(([channel, payload]) => [channel, JSON.parse(String(payload))]);
    const check = (name: string, payload: unknown) =>
      expect(events.filter(([channel]) => channel === name).at(-1)?.[1]).toEqual(payload);
    check("org:created", { orgId: "acme", slug: "acme", ownerId: "ada" });
    check("account:updated", { accountId: "eve", changes: { status: "suspended" } });
  });

  it("a rolled back transaction leaves no event and no line", () => {
    const before = [auditTrail(system), told(system)];
    expect(() =>
      system.transaction(() => {
        createAccount(system, { email: "x@example.com" });
        throw new Error("no");
      }),
    ).toThrow("no");
    expect([auditTrail(system), told(system)]).toEqual(before);
  });

  it("hands an organisation over once, however often it is asked to", () => {
    expect(transferOrganization(system, { orgId: "acme", newOwnerId: "bob" }).ownerId).toBe("bob");
    expect(levels()).toEqual({ ada: "admin", bob: "owner" });
    const before = auditTrail(system);
    transferOrganization(system, { orgId: "acme", newOwnerId: "bob" });
    expect(auditTrail(system)).toEqual(before);
    expect(before.at(-1)).toEqual(["org.transferred", { from: "ada", to: "bob" }]);
  });

  it("removes a member once", () => {
    addMember(system, { orgId: "acme", accountId: "bob" });
    expect(removeMember(system, { orgId: "acme", accountId: "bob" })).toBe(true);
    expect(removeMember(system, { orgId: "acme", accountId: "bob" })).toBe(false);
    expect(auditTrail(system, "org.member_removed")).toHaveLength(1);
    expect(system.select().from(organizations).get()?.ownerId).toBe("ada");
  });

  it("names the actor and the credential it acted with", () => {
    const by = { accountId: "ada", credentialId: "k1", credentialType: "api_key" } as const;
    createAccount(system, { email: "x@example.com", by });
    const [row] = system.$client.rows(
      "SELECT owner_id, credential_id, credential_type FROM audit_logs ORDER BY id DESC LIMIT 1",
    );
    expect(row).toEqual(["ada", "k1", "api_key"]);
  });

  it("after the database was closed says so", () => {
    system.$client.close();
    expect(() => createAccount(system, { email: "x@y" })).toThrow(
      expect.objectContaining({ code: "CLOSED" }),
    );
  });
});
