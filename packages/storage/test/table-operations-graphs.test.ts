import { tenantCatalog } from "@alkdev/storage/catalog";
import { registerGraphType } from "@alkdev/storage/sqlite";
import { Value } from "@sinclair/typebox/value";
import { beforeEach, describe, expect, it } from "vitest";
import { ACL_GRAPH_ID } from "../src/sqlite/tables/metagraph/acl-edges.ts";
import { TaskGraph } from "./graph-store-fixture.ts";
import { notifications, openTables, type Row, type Tables } from "./table-operations-fixture.ts";

const config = { type: "directed", multi: false, allowSelfLoops: false };
const schema = { type: "object", properties: { title: { type: "string" } } };

let tables: Tables;
let typeId: string;
let graph: Row;
let first: Row;

beforeEach(async () => {
  tables = openTables();
  typeId = registerGraphType(tables.tenant, TaskGraph).id;
  graph = await tables.call("graphs.create", { graphTypeId: typeId, name: "June" });
  first = await tables.call("nodes.create", {
    graphId: graph.id,
    key: "t-1",
    type: "task",
    attributes: { title: "write" },
  });
});

describe("operations of graph types (M32)", () => {
  it.each<[string, unknown]>([
    ["graph_types.create", { name: "Task", config }],
    ["graph_types.create", { name: "task" }],
    ["graph_types.create", { name: "task", config: { ...config, loops: true } }],
    ["graph_types.create", { name: "task", config, version: 3 }],
    ["graph_types.create", { name: "task", config, scope: "system" }],
    ["graph_types.update", { id: "x", changes: { config } }],
    ["node_types.create", { graphTypeId: "x", name: "task" }],
    ["node_types.update", { id: "x", changes: { schema } }],
    ["edge_types.update", { id: "x", changes: { allowedSourceTypes: [] } }],
    ["edge_types.create", { graphTypeId: "x", name: "e", schema, allowedSourceTypes: ["T"] }],
  ])("refuse by their schemas: %s %j", async (id, input) => {
    expect((await tables.failure(id, input)).code).toBe("VALIDATION_ERROR");
  });

  it("make types that graphs can have, and know when they are in use", async () => {
    const { call, failure } = tables;
    const type = await call("graph_types.create", { name: "note", config });
    const node = await call("node_types.create", { graphTypeId: type.id, name: "page", schema });
    const edge = await call("edge_types.create", {
      graphTypeId: type.id,
      name: "links_to",
      schema: { type: "object" },
      allowedSourceTypes: ["page"],
    });
    const { id: graphId } = await call("graphs.create", { graphTypeId: type.id, name: "n" });
    for (const key of ["a", "b"]) {
      await call("nodes.create", { graphId, key, type: "page", attributes: { title: key } });
    }
    const link = { graphId, type: "links_to", sourceNodeKey: "a", targetNodeKey: "b" };
    const { id: linkId } = await call("edges.create", link);
    expect((await failure("node_types.delete", { id: node.id })).code).toBe("IN_USE");
    expect((await failure("edge_types.delete", { id: edge.id })).code).toBe("IN_USE");
    expect((await failure("graph_types.delete", { id: type.id })).code).toBe("IN_USE");
    await call("edges.delete", { id: linkId });
    expect(await call("edge_types.delete", { id: edge.id })).toEqual({ deleted: true });
    await call("graphs.delete", { id: graphId });
    expect(await call("graph_types.delete", { id: type.id })).toEqual({ deleted: true });
    expect(await call("node_types.find", { id: node.id })).toBeNull();
  });

  it("refuse schemas that would not be enforced", async () => {
    const input = { graphTypeId: typeId, name: "x", schema: { type: "object", if: {} } };
    expect((await tables.failure("node_types.create", input)).code).toBe("INVALID_SCHEMA");
  });

  it("leave system types alone", async () => {
    const type = await tables.call("graph_types.find", { name: "call_graph" });
    const node = await tables.call("node_types.find", { graphTypeId: type.id, name: "call" });
    for (const [id, input] of [
      ["graph_types.update", { id: type.id, changes: { description: "mine" } }],
      ["graph_types.delete", { id: type.id }],
      ["node_types.delete", { id: node.id }],
      ["node_types.create", { graphTypeId: type.id, name: "x", schema }],
    ] as const) {
      expect((await tables.failure(id, input)).code).toBe("READ_ONLY");
    }
  });

  it("wait while the data of a type is migrated", async () => {
    tables.tenant.$client.execute("UPDATE graph_types SET version = 3 WHERE id = ?", [typeId]);
    const node = await tables.call("node_types.find", { graphTypeId: typeId, name: "person" });
    for (const [id, input] of [
      ["node_types.create", { graphTypeId: typeId, name: "x", schema }],
      ["node_types.delete", { id: node.id }],
      ["nodes.update", { id: first.id, changes: { attributes: { title: "x" } } }],
    ] as const) {
      expect((await tables.failure(id, input)).code).toBe("MIGRATION_STATE");
    }
  });

  it("keep what the store has in metadata, and do not show it", async () => {
    const { call, tenant } = tables;
    tenant.$client.execute(
      `UPDATE graph_types SET metadata = '{"_metagraph":{"seed":"s"},"a":1}' WHERE id = ?`,
      [typeId],
    );
    expect((await call("graph_types.find", { id: typeId })).metadata).toEqual({ a: 1 });
    await call("graph_types.update", { id: typeId, changes: { metadata: { b: 2 } } });
    expect(
      tenant.$client.rows("SELECT metadata FROM graph_types WHERE id = ?", [typeId]).flat(),
    ).toEqual(['{"b":2,"_metagraph":{"seed":"s"}}']);
  });
});

describe("operations of graphs, nodes and edges (M32)", () => {
  const node = { key: "t-2", type: "task", attributes: { title: "x" } };

  it.each<[string, (graphId: string) => [string, unknown], object]>([
    [
      "a graph of no type",
      () => ["graphs.create", { graphTypeId: "x", name: "n" }],
      { code: "REFERENCE_NOT_FOUND" },
    ],
    [
      "a node in no graph",
      () => ["nodes.create", { ...node, graphId: "x" }],
      { code: "NOT_FOUND" },
    ],
    [
      "a node with wrong attributes",
      (graphId) => ["nodes.create", { ...node, graphId, attributes: { title: 1 } }],
      {
        code: "INVALID_ATTRIBUTES",
        details: { issues: [{ subject: 'node "t-2"', path: "/attributes/title" }] },
      },
    ],
    [
      "a node of an unknown type",
      (graphId) => ["nodes.create", { ...node, graphId, type: "ghost" }],
      { code: "INVALID_ATTRIBUTES" },
    ],
    [
      "a key that is taken",
      (graphId) => ["nodes.create", { ...node, graphId, key: "t-1" }],
      { code: "ALREADY_EXISTS" },
    ],
    [
      "metadata of the store",
      (graphId) => ["nodes.create", { ...node, graphId, metadata: { _metagraph: {} } }],
      { code: "INVALID_ATTRIBUTES" },
    ],
    [
      "an edge without its end",
      (graphId) => [
        "edges.create",
        { graphId, type: "waits_for", sourceNodeKey: "t-1", targetNodeKey: "gone" },
      ],
      { code: "EDGE_NOT_ALLOWED" },
    ],
    [
      "a node in the graph of permissions",
      () => ["nodes.create", { ...node, graphId: ACL_GRAPH_ID, type: "principal" }],
      { code: "READ_ONLY" },
    ],
    [
      "a change of the graph of permissions",
      () => ["graphs.update", { id: ACL_GRAPH_ID, changes: { status: "active" } }],
      { code: "READ_ONLY" },
    ],
    [
      "the end of the graph of permissions",
      () => ["graphs.delete", { id: ACL_GRAPH_ID }],
      { code: "READ_ONLY" },
    ],
    [
      "a change of a node that is not there",
      () => ["nodes.update", { id: "x", changes: { attributes: {} } }],
      { code: "NOT_FOUND" },
    ],
  ])("refuse, with a code, %s", async (_name, make, expected) => {
    const before = notifications(tables.tenant.$client);
    expect(await tables.failure(...make(graph.id))).toMatchObject(expected);
    expect(notifications(tables.tenant.$client)).toEqual(before);
    expect(tables.reported).toEqual([]);
  });

  it("write only what was read, where the revision says so", async () => {
    const { call, failure } = tables;
    const change = (title: string, ifRevision: number) => ({
      id: first.id,
      changes: { attributes: { title } },
      ifRevision,
    });
    expect(first).toMatchObject({ revision: 1, type: "task", metadata: {} });
    expect(await call("nodes.update", change("a", 1))).toMatchObject({ revision: 2 });
    expect((await failure("nodes.update", change("b", 1))).code).toBe("CONFLICT");
    const update = { id: graph.id, changes: { name: "July" }, ifRevision: 1 };
    expect(await call("graphs.update", update)).toMatchObject({ name: "July", revision: 2 });
    expect((await failure("graphs.update", update)).code).toBe("CONFLICT");
  });

  it("leave archived graphs alone until they are active again", async () => {
    const { call, failure } = tables;
    await call("graphs.update", { id: graph.id, changes: { status: "archived" } });
    for (const [id, input] of [
      ["nodes.create", { ...node, graphId: graph.id }],
      ["nodes.update", { id: first.id, changes: { attributes: { title: "x" } } }],
      ["nodes.delete", { id: first.id }],
      ["graphs.update", { id: graph.id, changes: { name: "x" } }],
    ] as const) {
      expect((await failure(id, input)).code).toBe("READ_ONLY");
    }
    await call("graphs.update", { id: graph.id, changes: { status: "active" } });
    expect(await call("nodes.delete", { id: first.id })).toEqual({ deleted: true });
  });

  it("find and list nodes and edges by type, graph and key", async () => {
    const { call } = tables;
    const graphId = graph.id;
    await call("nodes.create", {
      graphId,
      key: "p-1",
      type: "person",
      attributes: { name: "Ada" },
    });
    await call("nodes.create", { ...node, graphId });
    const edge = await call("edges.create", {
      graphId,
      key: "e-1",
      type: "waits_for",
      sourceNodeKey: "t-2",
      targetNodeKey: "t-1",
      attributes: { weight: 2 },
    });
    const plain = await call("edges.create", {
      graphId,
      key: null,
      type: "owns",
      sourceNodeKey: "p-1",
      targetNodeKey: "t-1",
    });
    expect(await call("nodes.find", { graphId, key: "t-1" })).toEqual(first);
    expect(await call("edges.find", { graphId, key: "e-1" })).toEqual(edge);
    const keys = async (id: string, filter: object) =>
      (await call<{ items: Row[] }>(id, { filter, sort: [{ column: "key" }] })).items.map(
        ({ key }) => key,
      );
    expect(await keys("nodes.list", { type: { eq: "task" }, graphId: { eq: graphId } })).toEqual([
      "t-1",
      "t-2",
    ]);
    expect(await keys("nodes.list", { type: { ne: "task" } })).toEqual(["p-1"]);
    expect(await keys("edges.list", { targetNodeKey: { eq: "t-1" } })).toEqual([null, "e-1"]);
    expect(await keys("edges.list", { type: { in: ["owns"] } })).toEqual([null]);
    expect(await keys("nodes.list", { revision: { gt: 1 } })).toEqual([]);
    expect(await call("edges.delete", { id: plain.id })).toEqual({ deleted: true });
    const changed = await call("edges.update", {
      id: edge.id,
      changes: { attributes: { weight: 3 } },
    });
    expect(changed).toMatchObject({ attributes: { weight: 3 }, revision: 2 });
    // nothing but the metadata
    await call("nodes.update", { id: first.id, changes: { metadata: { note: 1 } } });
    expect(await call("nodes.find", { id: first.id })).toMatchObject({
      attributes: { title: "write" },
      metadata: { note: 1 },
    });
  });

  it("tell in the same commit what the catalog promises", async () => {
    const { call, tenant } = tables;
    const graphId = graph.id;
    await call("nodes.update", { id: first.id, changes: { attributes: { title: "b" } } });
    await call("nodes.create", { ...node, graphId });
    const { id } = await call("edges.create", {
      graphId,
      type: "waits_for",
      sourceNodeKey: "t-2",
      targetNodeKey: "t-1",
    });
    await call("graphs.update", { id: graphId, changes: { description: "d" } });
    await call("nodes.delete", { id: first.id });
    await call("graphs.delete", { id: graphId });
    const events = notifications(tenant.$client);
    expect(events).toEqual([
      ["graph:created", { graphId, graphTypeId: typeId, ownerId: null }],
      ["nodes:created", { graphId, keys: ["t-1"] }],
      ["nodes:updated", { graphId, keys: ["t-1"] }],
      ["nodes:created", { graphId, keys: ["t-2"] }],
      ["edges:created", { graphId, keys: [id] }],
      ["graph:updated", { graphId, changes: { description: "d" } }],
      ["edges:deleted", { graphId, keys: [id] }],
      ["nodes:deleted", { graphId, keys: ["t-1"] }],
      ["graph:deleted", { graphId }],
    ]);
    for (const [channel, payload] of events) {
      const { channels } = tenantCatalog;
      expect(Value.Check(channels[channel as keyof typeof channels].payload, payload)).toBe(true);
    }
  });

  it("take ten megabytes of attributes", async () => {
    const title = "x".repeat(10_000_000);
    const row = await tables.call("nodes.create", {
      graphId: graph.id,
      key: "big",
      type: "task",
      attributes: { title },
    });
    expect((row.attributes as { title: string }).title).toHaveLength(title.length);
  });
});
