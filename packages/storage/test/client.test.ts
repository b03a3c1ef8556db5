import { execFile } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Database, open } from "@alkdev/honker";
import {
  createSystemDatabase,
  createTenantDatabase,
  edges,
  graphs,
  graphTypes,
  nodes,
  nodeType,
} from "@alkdev/storage/sqlite";
import { tempDatabase, tempFolder } from "@alkdev/testkit";
import { eq } from "drizzle-orm";
import { describe, expect, onTestFinished, test } from "vitest";

const run = promisify(execFile);

describe("M28: opening", () => {
  test.each([
    ["system", createSystemDatabase, createTenantDatabase],
    ["tenant", createTenantDatabase, createSystemDatabase],
  ])("a %s file is not opened as the other kind", (kind, create, other) => {
    const client = tempDatabase();
    create(client);
    expect(() => other(client)).toThrow(
      expect.objectContaining({
        code: "WRONG_DATABASE_KIND",
        message: expect.stringContaining(`is a ${kind} database`),
      }),
    );
  });

  test("a file of a newer version is refused", () => {
    const client = tempDatabase();
    createTenantDatabase(client);
    client.execute(
      "INSERT INTO _alk_storage_migrations VALUES (99, 'tenant', 'from-the-future', 0)",
    );
    expect(() => createTenantDatabase(client)).toThrow(
      expect.objectContaining({
        code: "UNKNOWN_SCHEMA",
        details: expect.objectContaining({ found: 99 }),
      }),
    );
  });

  test("a file with a foreign table in the way is refused and left as it was", () => {
    const client = tempDatabase();
    client.execute("CREATE TABLE edges (mine TEXT)");
    const before = client.rows("SELECT name FROM sqlite_master ORDER BY name");
    expect(() => createTenantDatabase(client)).toThrow(
      expect.objectContaining({
        code: "MIGRATION_FAILED",
        message: expect.stringContaining("edges"),
      }),
    );
    expect(client.rows("SELECT name FROM sqlite_master ORDER BY name")).toEqual(before);
  });

  test("inside a transaction that is rolled back leaves no schema, and works again afterwards", () => {
    const client = tempDatabase();
    const tx = client.transaction();
    createTenantDatabase(client);
    tx.rollback();
    expect(createTenantDatabase(client).select().from(graphs).all()).toEqual([]);
  });

  test("again keeps the data and records each version once", () => {
    const client = tempDatabase();
    createTenantDatabase(client).insert(graphs).values({ name: "kept" }).run();
    expect(createTenantDatabase(client).select().from(graphs).get()?.name).toBe("kept");
    expectEachOnce(client);
  });

  test("again takes no write lock", async () => {
    const path = join(tempFolder(), "tenant.db");
    using client = open(path, { busyTimeoutMs: 0 });
    createTenantDatabase(client);
    const holder = inAnotherProcess("hold-write-lock", path);
    onTestFinished(() => void holder.child.kill());
    await once(holder.child.stdout as Readable, "data");
    expect(() => client.execute("DELETE FROM graphs")).toThrow(
      expect.objectContaining({ code: "BUSY" }),
    );
    expect(createTenantDatabase(client).select().from(graphs).all()).toEqual([]);
    holder.child.stdin?.end();
    await holder;
  });

  test("in three processes at once creates the schema once", { timeout: 20_000 }, async () => {
    const path = join(tempFolder(), "tenant.db");
    await Promise.all([1, 2, 3].map(() => inAnotherProcess("open-tenant", path)));
    using client = open(path);
    createTenantDatabase(client);
    expectEachOnce(client);
  });
});

/** The versions of a tenant's file are 1, 2, 3 and so on, as a file of the same code has them. */
function expectEachOnce(client: Database): void {
  const versions = "SELECT version, kind, name FROM _alk_storage_migrations ORDER BY version";
  const fresh = tempDatabase();
  createTenantDatabase(fresh);
  const recorded = client.rows(versions);
  expect(recorded).toEqual(fresh.rows(versions));
  expect(recorded.map(([version]) => version)).toEqual(recorded.map((_, i) => i + 1));
  expect(new Set(recorded.map(([, kind]) => kind))).toEqual(new Set(["tenant"]));
}

describe("M27: through Drizzle", () => {
  test("ids are UUIDs of version 7, JSON comes back as it went in, times are dates", () => {
    const db = createTenantDatabase(tempDatabase());
    const attributes = { title: "Grüße", nested: { list: [1, null, "2"] } };
    const graph = db.insert(graphs).values({ name: "g" }).returning().get();
    const node = db
      .insert(nodes)
      .values({ graphId: graph.id, key: "k", attributes })
      .returning()
      .get();
    expect(node.id).toMatch(/^[0-9a-f-]{14}7[0-9a-f-]+$/);
    expect(node.attributes).toEqual(attributes);
    expect(node.metadata).toEqual({});
    expect(Math.abs(node.createdAt.getTime() - Date.now())).toBeLessThan(5_000);
  });

  test("an update moves updatedAt and nothing else", () => {
    const client = tempDatabase();
    const db = createTenantDatabase(client);
    db.insert(graphs).values({ name: "g" }).run();
    client.execute("UPDATE graphs SET created_at = 1, updated_at = 1");
    const updated = db.update(graphs).set({ status: "active" }).returning().get();
    expect(updated?.createdAt).toEqual(new Date(1_000));
    expect(updated?.updatedAt.getTime()).toBeGreaterThan(Date.now() - 5_000);
  });

  test("nodes of a type are found through the index", () => {
    const client = tempDatabase();
    const db = createTenantDatabase(client);
    const { id: graphId } = db.insert(graphs).values({ name: "g" }).returning().get();
    const ofType = (type: string) => ({ _metagraph: { nodeType: type } });
    db.insert(nodes)
      .values([
        { graphId, key: "a", metadata: ofType("TaskNode") },
        { graphId, key: "b", metadata: ofType("UserNode") },
        { graphId, key: "c" },
      ])
      .run();
    const query = db.select({ key: nodes.key }).from(nodes).where(eq(nodeType, "TaskNode"));
    expect(query.all()).toEqual([{ key: "a" }]);
    const { sql } = query.toSQL();
    const plan = client.rows(`EXPLAIN QUERY PLAN ${sql}`, ["TaskNode"]).map((row) => row[3]);
    expect(plan).toEqual([
      expect.stringMatching(/SEARCH nodes USING (COVERING )?INDEX nodes_node_type/),
    ]);
  });

  test("relations: a graph with its type, nodes and edges; an edge with both ends", () => {
    const db = createTenantDatabase(tempDatabase());
    const type = db.insert(graphTypes).values({ name: "Tasks" }).returning().get();
    const { id: graphId } = db
      .insert(graphs)
      .values({ name: "g", graphTypeId: type.id })
      .returning()
      .get();
    db.insert(nodes)
      .values([
        { graphId, key: "a" },
        { graphId, key: "b" },
      ])
      .run();
    db.insert(edges).values({ graphId, sourceNodeKey: "a", targetNodeKey: "b" }).run();
    const graph = db.query.graphs
      .findFirst({
        with: {
          graphType: true,
          nodes: { with: { outgoing: true, incoming: true } },
          edges: { with: { source: true, target: true } },
        },
      })
      .sync();
    expect(graph?.graphType?.name).toBe("Tasks");
    expect(
      graph?.nodes.map((node) => [node.key, node.outgoing.length, node.incoming.length]),
    ).toEqual([
      ["a", 1, 0],
      ["b", 0, 1],
    ]);
    expect(graph?.edges.map((edge) => [edge.source.key, edge.target.key])).toEqual([["a", "b"]]);
  });

  test("a node, its notification, event and job roll back together", () => {
    const client = tempDatabase();
    const db = createTenantDatabase(client);
    const { id: graphId } = db.insert(graphs).values({ name: "g" }).returning().get();
    const write = (key: string, fail: boolean): void => {
      db.transaction((tx) => {
        tx.insert(nodes).values({ graphId, key }).run();
        tx.$honkerTx.notify("nodes:created", { graphId, keys: [key] });
        client.stream("events").publishTx(tx.$honkerTx, { key });
        client.queue("jobs").enqueueTx(tx.$honkerTx, { key });
        if (fail) throw new Error("on purpose");
      });
    };
    expect(() => write("dropped", true)).toThrow("on purpose");
    write("kept", false);
    const counts = ["nodes", "_honker_notifications", "_honker_stream", "_honker_live"].map(
      (table) => client.rows(`SELECT count(*) FROM ${table}`)[0]?.[0],
    );
    expect(counts).toEqual([1, 1, 1, 1]);
  });
});

function inAnotherProcess(script: string, path: string) {
  const file = fileURLToPath(new URL(`./children/${script}.ts`, import.meta.url));
  return run(process.execPath, ["--conditions=@alkdev/source", file, path]);
}
