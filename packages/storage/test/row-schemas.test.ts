import * as storage from "@alkdev/storage/sqlite";
import { tempDatabase } from "@alkdev/testkit";
import type { TObject } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { getTableName } from "drizzle-orm";
import { describe, expect, test } from "vitest";

const { accounts, apiKeys, auditLogs, edgeTypes, edges, graphTypes, graphs, nodeTypes, nodes } =
  storage;

const HASH = "0".repeat(64);

/** A row of each table with what must be given, and values that its schemas and the database refuse. */
const TABLES = {
  Account: { least: { email: "ada@x" }, wrong: { email: "", status: "gone", accessLevel: null } },
  Organization: {
    least: { name: "Acme", slug: "acme", ownerId: "ada" },
    wrong: { name: "", slug: "Acme", ownerId: null },
  },
  OrganizationMember: {
    least: { orgId: "acme", accountId: "eve", membershipLevel: "member" },
    wrong: { membershipLevel: "guest", orgId: null },
  },
  ApiKey: {
    least: { ownerId: "ada", keyHash: HASH },
    wrong: { keyHash: HASH.slice(1), enabled: 2, expiresAt: "soon" },
  },
  PeerCredential: {
    least: { ownerId: "ada", credentialType: "ssh_key", fingerprint: "f", publicKeyData: "k" },
    wrong: { fingerprint: "", credentialType: "api_key", publicKeyData: null },
  },
  AuditLog: { least: { action: "login", ownerId: "ada" }, wrong: { action: "", ownerId: null } },
  GraphType: { least: { name: "tasks" }, wrong: { version: 1, scope: "public", name: null } },
  NodeType: { least: { graphTypeId: "t", name: "n", schema: {} }, wrong: { schema: null } },
  EdgeType: {
    least: { graphTypeId: "t", name: "e", schema: {} },
    wrong: { schema: null, allowedSourceTypes: null },
  },
  Graph: { least: { name: "g" }, wrong: { status: "deleted", name: null } },
  Node: { least: { graphId: "g", key: "k" }, wrong: { attributes: null, key: null } },
  Edge: {
    least: { graphId: "g", sourceNodeKey: "a", targetNodeKey: "b" },
    wrong: { undirected: 2, sourceNodeKey: null },
  },
} as const;

const TABLE_OF = {
  Account: accounts,
  Organization: storage.organizations,
  OrganizationMember: storage.organizationMembers,
  ApiKey: apiKeys,
  PeerCredential: storage.peerCredentials,
  AuditLog: auditLogs,
  GraphType: graphTypes,
  NodeType: nodeTypes,
  EdgeType: edgeTypes,
  Graph: graphs,
  Node: nodes,
  Edge: edges,
};

type Name = keyof typeof TABLES;
const names = Object.keys(TABLES) as Name[];

function schema(kind: "Select" | "Insert" | "Update", name: Name): TObject {
  return (storage as unknown as Record<string, TObject>)[`${kind}${name}Schema`] as TObject;
}

/** A file in which the least row of the table can be inserted. */
function prepared(name: Name) {
  const tenant = ["Graph", "Node", "Edge"].includes(name);
  const db = tenant
    ? storage.createTenantDatabase(tempDatabase())
    : storage.createSystemDatabase(tempDatabase());
  const client = db.$client;
  if (tenant) {
    if (name !== "Graph") client.execute("INSERT INTO graphs (id, name) VALUES ('g', 'g')");
    client.execute(
      "INSERT INTO nodes (id, graph_id, key) SELECT key, 'g', key FROM (SELECT 'a' AS key UNION SELECT 'b') WHERE EXISTS (SELECT 1 FROM graphs)",
    );
    return db;
  }
  client.execute("INSERT INTO graph_types (id, name, scope) VALUES ('t', 't', 'tenant')");
  if (name === "Account") return db;
  client.execute("INSERT INTO accounts (id, email) VALUES ('ada', 'ada@x'), ('eve', 'eve@x')");
  if (name === "OrganizationMember") {
    client.execute(
      "INSERT INTO organizations (id, name, slug, owner_id) VALUES ('acme', 'A', 'a', 'ada')",
    );
  }
  return db;
}

describe.each(names)("schemas of rows (M27): %s", (name) => {
  const { least, wrong } = TABLES[name];

  test("the least row fits, can be inserted, and is read as the select schema says", () => {
    expect(Value.Check(schema("Insert", name), least)).toBe(true);
    expect([...(schema("Insert", name).required ?? [])].sort()).toEqual(Object.keys(least).sort());
    const db = prepared(name);
    const row = db
      .insert(TABLE_OF[name])
      .values(least as never)
      .returning()
      .get();
    expect(Value.Check(schema("Select", name), row)).toBe(true);
  });

  test.each(Object.entries(wrong))(
    "%s: %j is refused, by the schemas and by the database",
    (key, value) => {
      const values = { ...least, [key]: value };
      expect(Value.Check(schema("Insert", name), values)).toBe(false);
      if (name !== "AuditLog") {
        expect(Value.Check(schema("Update", name), { [key]: value })).toBe(false);
      }
      if (typeof value === "string" && key === "expiresAt") return;
      const db = prepared(name);
      const column = TABLE_OF[name][key as never] as { name: string };
      db.insert(TABLE_OF[name])
        .values(least as never)
        .run();
      const table = getTableName(TABLE_OF[name]);
      expect(() => db.$client.execute(`UPDATE ${table} SET ${column.name} = ?`, [value])).toThrow(
        expect.objectContaining({ code: "CONSTRAINT" }),
      );
    },
  );

  test("metadata is a JSON object", () => {
    for (const metadata of [null, [], "{}", { at: new Date() }]) {
      expect(Value.Check(schema("Insert", name), { ...least, metadata })).toBe(false);
    }
    expect(Value.Check(schema("Insert", name), { ...least, metadata: { _a: [1, null] } })).toBe(
      true,
    );
  });
});

test("an audit row has no schema of changes, as it never changes (M27)", () => {
  expect(storage).not.toHaveProperty("UpdateAuditLogSchema");
});
