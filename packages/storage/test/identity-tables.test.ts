import type { Database } from "@alkdev/honker";
import {
  accounts,
  apiKeys,
  auditLogs,
  createSystemDatabase,
  organizationMembers,
  organizations,
  peerCredentials,
  type SystemDatabase,
} from "@alkdev/storage/sqlite";
import { tempDatabase } from "@alkdev/testkit";
import { eq } from "drizzle-orm";
import { beforeEach, describe, expect, test } from "vitest";
import { ensureSchema } from "../src/sqlite/migrations/ensure-schema.ts";
import { MIGRATIONS } from "../src/sqlite/migrations/migrations.ts";

const HASH = "0123456789abcdef".repeat(4);

let client: Database;
let db: SystemDatabase;

beforeEach(() => {
  client = tempDatabase();
  db = createSystemDatabase(client);
  client.execute("INSERT INTO accounts (id, email) VALUES ('ada', 'ada@x'), ('bob', 'Bob@x')");
  client.execute(
    "INSERT INTO organizations (id, name, slug, owner_id) VALUES ('acme', 'Acme', 'acme', 'ada')",
  );
  client.execute(`INSERT INTO api_keys (id, owner_id, key_hash) VALUES ('key', 'bob', '${HASH}')`);
  client.execute(
    `INSERT INTO peer_credentials (id, owner_id, credential_type, fingerprint, public_key_data)
     VALUES ('peer', 'bob', 'ssh_key', 'SHA256:1', 'ssh-ed25519 AAAA')`,
  );
});

describe("identity tables (M27): refused by the database itself", () => {
  const organization = "INSERT INTO organizations (id, owner_id, name, slug) VALUES ('x', 'ada',";
  test.each([
    ["an email twice, in other case", "INSERT INTO accounts (id, email) VALUES ('x', 'BOB@X')"],
    ["an email changed to a taken one", "UPDATE accounts SET email = 'ADA@X' WHERE id = 'bob'"],
    ["an empty email", "UPDATE accounts SET email = ''"],
    ["an email with spaces around", "UPDATE accounts SET email = ' ada@x' WHERE id = 'bob'"],
    ["an email that is a blob", "UPDATE accounts SET email = x'61' WHERE id = 'bob'"],
    ["an unknown access level", "UPDATE accounts SET access_level = 'root'"],
    ["an access level in other case", "UPDATE accounts SET access_level = 'Admin'"],
    ["a null status", "UPDATE accounts SET status = NULL"],
    ["an unknown status", "UPDATE accounts SET status = 'banned'"],
    ["metadata that is not JSON", "UPDATE accounts SET metadata = '{a:1}'"],
    ["a time that is a text", "UPDATE accounts SET created_at = '2026-01-01'"],
    ["a time with a fraction", "UPDATE accounts SET updated_at = 1.5"],
    ["an account without an id", "INSERT INTO accounts (email) VALUES ('x@x')"],
    ["a name twice", `${organization} 'Acme', 'other')`],
    ["a slug twice", `${organization} 'Other', 'acme')`],
    ["an empty name", `${organization} '', 'other')`],
    ["an empty slug", `${organization} 'Other', '')`],
    ["a slug in upper case", `${organization} 'Other', 'Other')`],
    ["a slug with a space", `${organization} 'Other', 'an other')`],
    ["a slug with a letter that is no ASCII", `${organization} 'Other', 'ötter')`],
    ["a slug that begins with a hyphen", `${organization} 'Other', '-x')`],
    ["a slug that ends with a hyphen", `${organization} 'Other', 'x-')`],
    ["a slug of 64 characters", `${organization} 'Other', '${"x".repeat(64)}')`],
    [
      "a membership twice",
      "INSERT INTO organization_members (id, org_id, account_id, membership_level) VALUES ('x', 'acme', 'ada', 'owner')",
    ],
    [
      "an unknown membership level",
      "INSERT INTO organization_members (id, org_id, account_id, membership_level) VALUES ('x', 'acme', 'bob', 'guest')",
    ],
    [
      "a member who is no account",
      "INSERT INTO organization_members (id, org_id, account_id, membership_level) VALUES ('x', 'acme', 'eve', 'member')",
    ],
    ["a key hash in upper case", `UPDATE api_keys SET key_hash = '${HASH.toUpperCase()}'`],
    ["a key hash that is too short", `UPDATE api_keys SET key_hash = '${HASH.slice(2)}'`],
    ["a key hash that is a blob", `UPDATE api_keys SET key_hash = CAST('${HASH}' AS BLOB)`],
    ["a key itself for its hash", `UPDATE api_keys SET key_hash = '${"k".repeat(64)}'`],
    [
      "a key hash twice",
      `INSERT INTO api_keys (id, owner_id, key_hash) VALUES ('x', 'ada', '${HASH}')`,
    ],
    [
      "a key of nobody",
      `INSERT INTO api_keys (id, owner_id, key_hash) VALUES ('x', 'eve', '${HASH.replace("0", "f")}')`,
    ],
    ["a flag that is neither 0 nor 1", "UPDATE api_keys SET enabled = 2"],
    ["a flag that is a text", "UPDATE api_keys SET enabled = 'yes'"],
    ["a key that rotated to itself", "UPDATE api_keys SET rotated_to_id = 'key'"],
    ["a key that rotated to none that exists", "UPDATE api_keys SET rotated_to_id = 'other'"],
    ["an expiry that is a text", "UPDATE api_keys SET expires_at = 'tomorrow'"],
    ["an unknown credential type", "UPDATE peer_credentials SET credential_type = 'api_key'"],
    ["an empty fingerprint", "UPDATE peer_credentials SET fingerprint = ''"],
    [
      "a fingerprint twice, over accounts",
      "INSERT INTO peer_credentials (id, owner_id, credential_type, fingerprint, public_key_data) VALUES ('x', 'ada', 'cert_authority', 'SHA256:1', 'k')",
    ],
    ["a credential without its key", "UPDATE peer_credentials SET public_key_data = NULL"],
    ["an audit row without an action", "INSERT INTO audit_logs (id, owner_id) VALUES ('x', 'ada')"],
    ["an empty action", "INSERT INTO audit_logs (id, owner_id, action) VALUES ('x', 'ada', '')"],
    [
      "an audit row of an unknown credential type",
      "INSERT INTO audit_logs (id, owner_id, action, credential_id, credential_type) VALUES ('x', 'ada', 'a', 'c', 'password')",
    ],
    [
      "an audit row with a credential of no type",
      "INSERT INTO audit_logs (id, owner_id, action, credential_id) VALUES ('x', 'ada', 'a', 'c')",
    ],
    [
      "an audit row with a type of no credential",
      "INSERT INTO audit_logs (id, owner_id, action, credential_type) VALUES ('x', 'ada', 'a', 'api_key')",
    ],
    [
      "audit details that are not JSON",
      "INSERT INTO audit_logs (id, owner_id, action, details) VALUES ('x', 'ada', 'a', 'no')",
    ],
    [
      "an audit row of an organization that is not there",
      "INSERT INTO audit_logs (id, owner_id, action, org_id) VALUES ('x', 'ada', 'a', 'none')",
    ],
  ])("%s", (_what, sql) => {
    expect(() => client.execute(sql)).toThrow(expect.objectContaining({ code: "CONSTRAINT" }));
  });
});

describe("identity tables (M27): accepted", () => {
  test("defaults: an active user, an enabled key, empty metadata, times in seconds", () => {
    const account = db.insert(accounts).values({ email: "eve@x" }).returning().get();
    expect(account).toMatchObject({
      displayName: null,
      accessLevel: "user",
      status: "active",
      metadata: {},
    });
    expect(Math.abs(Date.now() - account.createdAt.getTime())).toBeLessThan(60_000);
    const key = db.select().from(apiKeys).get();
    expect(key).toMatchObject({ enabled: true, expiresAt: null, revokedAt: null, name: null });
    expect(db.select().from(peerCredentials).get()).toMatchObject({ enabled: true });
  });

  test("slugs of one character, with digits and inner hyphens", () => {
    for (const slug of ["a", "1", "a--1", "x".repeat(63)]) {
      db.insert(organizations).values({ name: slug, slug, ownerId: "bob" }).run();
    }
    expect(db.$count(organizations).sync()).toBe(5);
  });

  test("an email is found in any case, and kept as it was written", () => {
    const found = db.select().from(accounts).where(eq(accounts.email, "BOB@X")).get();
    expect(found).toMatchObject({ id: "bob", email: "Bob@x" });
  });

  test("an account takes its keys and credentials along", () => {
    db.delete(accounts).where(eq(accounts.id, "bob")).run();
    expect([db.$count(apiKeys).sync(), db.$count(peerCredentials).sync()]).toEqual([0, 0]);
  });

  test("a key forgets the one that took over when that is deleted", () => {
    const keyHash = "f".repeat(64);
    db.insert(apiKeys).values({ id: "next", ownerId: "bob", keyHash }).run();
    db.update(apiKeys).set({ rotatedToId: "next" }).where(eq(apiKeys.id, "key")).run();
    db.delete(apiKeys).where(eq(apiKeys.id, "next")).run();
    expect(db.select().from(apiKeys).get()).toMatchObject({ id: "key", rotatedToId: null });
  });

  test("a transaction that fails leaves neither the organization nor its owner's row", () => {
    expect(() =>
      db.transaction((tx) => {
        tx.insert(organizations).values({ name: "B", slug: "b", ownerId: "bob" }).run();
        expect(tx.$count(organizationMembers).sync()).toBe(2);
        throw new Error("on purpose");
      }),
    ).toThrow("on purpose");
    expect([db.$count(organizations).sync(), db.$count(organizationMembers).sync()]).toEqual([
      1, 1,
    ]);
  });

  test("relations: from an account to all it has, and back", () => {
    db.insert(auditLogs).values({ action: "login", ownerId: "ada", orgId: "acme" }).run();
    db.insert(organizationMembers)
      .values({ orgId: "acme", accountId: "bob", membershipLevel: "admin" })
      .run();
    db.insert(apiKeys)
      .values({ id: "next", ownerId: "bob", keyHash: "e".repeat(64) })
      .run();
    db.update(apiKeys).set({ rotatedToId: "next" }).where(eq(apiKeys.id, "key")).run();
    const ada = db.query.accounts
      .findFirst({
        where: eq(accounts.id, "ada"),
        with: {
          ownedOrganizations: { with: { members: { with: { account: true } }, owner: true } },
          auditLogs: { with: { organization: true, owner: true } },
        },
      })
      .sync();
    const [acme] = ada?.ownedOrganizations ?? [];
    expect(acme?.members.map(({ account }) => account.email).sort()).toEqual(["Bob@x", "ada@x"]);
    expect(acme?.owner.id).toBe("ada");
    expect(ada?.auditLogs[0]?.organization?.slug).toBe("acme");
    const bob = db.query.accounts
      .findFirst({
        where: eq(accounts.id, "bob"),
        with: {
          memberships: { with: { organization: true } },
          apiKeys: { with: { rotatedTo: true, rotatedFrom: true, owner: true } },
          peerCredentials: { with: { owner: true } },
        },
      })
      .sync();
    expect(bob?.memberships.map(({ organization }) => organization.slug)).toEqual(["acme"]);
    const keys = new Map(bob?.apiKeys.map((key) => [key.id, key]));
    expect(keys.get("key")?.rotatedTo?.id).toBe("next");
    expect(keys.get("next")?.rotatedFrom.map(({ id }) => id)).toEqual(["key"]);
    expect(bob?.peerCredentials[0]?.owner.id).toBe("bob");
  });
});

describe("identity tables (M27): migration", () => {
  test("a system file of version 1 gets them when it is opened, and keeps its graph types", () => {
    const file = tempDatabase();
    ensureSchema(file, "system", MIGRATIONS.system.slice(0, 1));
    file.execute("INSERT INTO graph_types (id, name, scope) VALUES ('mine', 'mine', 'tenant')");
    const reopened = createSystemDatabase(file);
    expect(reopened.select().from(accounts).all()).toEqual([]);
    expect(file.rows("SELECT name FROM graph_types WHERE id = 'mine'")).toEqual([["mine"]]);
  });
});

describe("identity tables (M27): indexes", () => {
  test.each([
    ["an account by email", "FROM accounts WHERE email = 'a'", "accounts_email_unique"],
    ["an organization by slug", "FROM organizations WHERE slug = 'a'", "organizations_slug_unique"],
    [
      "organizations of an owner",
      "FROM organizations WHERE owner_id = 'a'",
      "organizations_owner_id",
    ],
    [
      "a membership",
      "FROM organization_members WHERE org_id = 'a' AND account_id = 'b'",
      "organization_members_org_id_account_id",
    ],
    [
      "members of an organization",
      "FROM organization_members WHERE org_id = 'a'",
      "organization_members_org_id_account_id",
    ],
    [
      "memberships of an account",
      "FROM organization_members WHERE account_id = 'a'",
      "organization_members_account_id",
    ],
    ["a key by its hash", "FROM api_keys WHERE key_hash = 'a'", "api_keys_key_hash_unique"],
    ["keys of an account", "FROM api_keys WHERE owner_id = 'a'", "api_keys_owner_id"],
    [
      "keys that rotated to one",
      "FROM api_keys WHERE rotated_to_id = 'a'",
      "api_keys_rotated_to_id",
    ],
    [
      "a credential by fingerprint",
      "FROM peer_credentials WHERE fingerprint = 'a'",
      "peer_credentials_fingerprint_unique",
    ],
    [
      "credentials of an account",
      "FROM peer_credentials WHERE owner_id = 'a'",
      "peer_credentials_owner_id",
    ],
    [
      "the newest audit rows of an account",
      "FROM audit_logs WHERE owner_id = 'a' ORDER BY created_at DESC",
      "audit_logs_owner_id_created_at",
    ],
    [
      "the newest audit rows of an organization",
      "FROM audit_logs WHERE org_id = 'a' ORDER BY created_at DESC",
      "audit_logs_org_id_created_at",
    ],
    [
      "the newest audit rows of an action",
      "FROM audit_logs WHERE action = 'a' ORDER BY created_at DESC",
      "audit_logs_action_created_at",
    ],
  ])("%s: an index search, without sorting", (_what, sql, index) => {
    const plan = client.rows(`EXPLAIN QUERY PLAN SELECT * ${sql}`).map((row) => String(row[3]));
    expect(plan).toEqual([expect.stringMatching(new RegExp(`^SEARCH .* INDEX ${index} `))]);
  });
});
