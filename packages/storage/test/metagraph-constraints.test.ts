import type { Database } from "@alkdev/honker";
import { createTenantDatabase } from "@alkdev/storage/sqlite";
import { tempDatabase } from "@alkdev/testkit";
import { beforeEach, describe, expect, test } from "vitest";

let db: Database;

beforeEach(() => {
  db = tempDatabase();
  createTenantDatabase(db);
  db.execute("INSERT INTO graph_types (id, name) VALUES ('type', 'Tasks')");
  db.execute(
    "INSERT INTO graphs (id, graph_type_id, name) VALUES ('g', 'type', 'one'), ('h', NULL, 'two')",
  );
  db.execute(
    "INSERT INTO nodes (id, graph_id, key) VALUES ('1', 'g', 'a'), ('2', 'g', 'b'), ('3', 'h', 'c')",
  );
  db.execute(EDGE, ["e", "g", "a->b", "a", "b"]);
});

const EDGE =
  "INSERT INTO edges (id, graph_id, key, source_node_key, target_node_key) VALUES (?, ?, ?, ?, ?)";

/** Rows of this file's own; system graph types are seeded. */
function count(table: string): number {
  const own = table === "graph_types" ? "scope <> 'system'" : "true";
  return db.rows(`SELECT count(*) FROM ${table} WHERE ${own}`)[0]?.[0] as number;
}

describe("tables: refused by the database itself", () => {
  test.each([
    ["a graph type's name twice", "INSERT INTO graph_types (id, name) VALUES ('x', 'Tasks')"],
    ["an unknown scope", "INSERT INTO graph_types (id, name, scope) VALUES ('x', 'y', 'public')"],
    ["a version below 2", "INSERT INTO graph_types (id, name, version) VALUES ('x', 'y', 1)"],
    [
      "a config that is not JSON",
      "INSERT INTO graph_types (id, name, config) VALUES ('x', 'y', '{')",
    ],
    ["a row without an id", "INSERT INTO graph_types (name) VALUES ('y')"],
    [
      "a node type of no graph type",
      "INSERT INTO node_types (id, graph_type_id, name, schema) VALUES ('x', 'none', 'n', '{}')",
    ],
    [
      "a node type without a schema",
      "INSERT INTO node_types (id, graph_type_id, name) VALUES ('x', 'type', 'n')",
    ],
    [
      "a node type's schema that is not JSON",
      "INSERT INTO node_types (id, graph_type_id, name, schema) VALUES ('x', 'type', 'n', 'no')",
    ],
    [
      "an edge type's source types that are not JSON",
      "INSERT INTO edge_types (id, graph_type_id, name, schema, allowed_source_types) VALUES ('x', 'type', 'n', '{}', 'A,B')",
    ],
    ["an unknown status", "INSERT INTO graphs (id, name, status) VALUES ('x', 'y', 'deleted')"],
    ["a null status", "INSERT INTO graphs (id, name, status) VALUES ('x', 'y', NULL)"],
    [
      "a graph of no type that exists",
      "INSERT INTO graphs (id, name, graph_type_id) VALUES ('x', 'y', 'none')",
    ],
    ["the deletion of a graph type in use", "DELETE FROM graph_types WHERE id = 'type'"],
    [
      "a node's key twice in a graph",
      "INSERT INTO nodes (id, graph_id, key) VALUES ('x', 'g', 'a')",
    ],
    ["a node of no graph", "INSERT INTO nodes (id, graph_id, key) VALUES ('x', 'none', 'a')"],
    [
      "attributes that are not JSON",
      "INSERT INTO nodes (id, graph_id, key, attributes) VALUES ('x', 'g', 'z', 'a=1')",
    ],
    ["metadata that is not JSON", "UPDATE nodes SET metadata = 'type=A' WHERE id = '1'"],
    ["the renaming of a node that has edges", "UPDATE nodes SET key = 'z' WHERE id = '1'"],
    ["moving a node with edges to another graph", "UPDATE nodes SET graph_id = 'h' WHERE id = '1'"],
    ["an edge flag that is neither 0 nor 1", "UPDATE edges SET undirected = 2"],
    ["an edge without a target", "UPDATE edges SET target_node_key = NULL"],
  ])("%s", (_what, sql) => {
    expect(() => db.execute(sql)).toThrow(expect.objectContaining({ code: "CONSTRAINT" }));
    expect([count("graph_types"), count("graphs"), count("nodes"), count("edges")]).toEqual([
      1, 2, 3, 1,
    ]);
  });

  test.each([
    ["a source that does not exist", ["x", "g", null, "none", "b"]],
    ["a target that does not exist", ["x", "g", null, "a", "none"]],
    ["a node of another graph", ["x", "g", null, "a", "c"]],
    ["an edge's key twice in a graph", ["x", "g", "a->b", "b", "a"]],
  ])("an edge with %s", (_what, values) => {
    expect(() => db.execute(EDGE, values)).toThrow(expect.objectContaining({ code: "CONSTRAINT" }));
    expect(count("edges")).toBe(1);
  });

  test("a graph type in use is named in the refusal", () => {
    expect(() => db.execute("DELETE FROM graph_types WHERE id = 'type'")).toThrow(
      /graph_types_in_use/,
    );
  });
});

describe("tables: accepted", () => {
  test("any number of edges without a key, in parallel and from a node to itself", () => {
    db.execute(EDGE, ["x", "g", null, "a", "b"]);
    db.execute(EDGE, ["y", "g", null, "a", "b"]);
    db.execute(EDGE, ["z", "g", null, "a", "a"]);
    expect(count("edges")).toBe(4);
  });

  test("equal keys in two graphs", () => {
    db.execute("INSERT INTO nodes (id, graph_id, key) VALUES ('x', 'h', 'a'), ('y', 'h', 'b')");
    db.execute(EDGE, ["z", "h", "a->b", "a", "b"]);
    expect(count("edges")).toBe(2);
  });

  test("deleting a node takes its edges along, in both directions", () => {
    db.execute(EDGE, ["x", "g", "b->a", "b", "a"]);
    db.execute("DELETE FROM nodes WHERE id = '1'");
    expect(count("edges")).toBe(0);
  });

  test("deleting a graph takes its nodes and edges along, and leaves the others", () => {
    db.execute("DELETE FROM graphs WHERE id = 'g'");
    expect(db.rows("SELECT id FROM nodes")).toEqual([["3"]]);
    expect(count("edges")).toBe(0);
  });

  test("deleting an unused graph type takes its node and edge types along", () => {
    db.execute(
      "INSERT INTO node_types (id, graph_type_id, name, schema) VALUES ('n', 'type', 'n', '{}')",
    );
    db.execute(
      "INSERT INTO edge_types (id, graph_type_id, name, schema) VALUES ('e', 'type', 'e', '{}')",
    );
    db.execute("UPDATE graphs SET graph_type_id = NULL");
    db.execute("DELETE FROM graph_types WHERE id = 'type'");
    for (const table of ["node_types", "edge_types"]) {
      expect(db.rows(`SELECT id FROM ${table} WHERE graph_type_id = 'type'`)).toEqual([]);
    }
    expect(count("graphs")).toBe(2);
  });

  test("defaults: empty JSON, draft, version 2, times in seconds", () => {
    const [row] = db.query(
      `SELECT g.status, t.version, t.scope, n.attributes, n.metadata, e.undirected,
         abs(n.created_at - unixepoch()) < 5 AS fresh, n.created_at = n.updated_at AS same
       FROM graphs g JOIN graph_types t ON t.id = g.graph_type_id
       JOIN nodes n ON n.graph_id = g.id JOIN edges e ON e.graph_id = g.id`,
    );
    expect(row).toEqual({
      status: "draft",
      version: 2,
      scope: "tenant",
      attributes: "{}",
      metadata: "{}",
      undirected: 0,
      fresh: 1,
      same: 1,
    });
  });
});

describe("tables: indexes", () => {
  test.each([
    [
      "all nodes of a type",
      "SELECT key FROM nodes WHERE json_extract(metadata, '$._metagraph.nodeType') = 'TaskNode'",
      "nodes_node_type",
    ],
    [
      "the nodes of a type in a graph",
      "SELECT key FROM nodes WHERE graph_id = 'g' AND json_extract(metadata, '$._metagraph.nodeType') = 'TaskNode'",
      "nodes_node_type",
    ],
    [
      "a node by key",
      "SELECT * FROM nodes WHERE graph_id = 'g' AND key = 'a'",
      "nodes_graph_id_key",
    ],
    [
      "edges out of a node",
      "SELECT * FROM edges WHERE graph_id = 'g' AND source_node_key = 'a'",
      "edges_source",
    ],
    [
      "edges into a node",
      "SELECT * FROM edges WHERE graph_id = 'g' AND target_node_key = 'a'",
      "edges_target",
    ],
    ["graphs of an owner", "SELECT * FROM graphs WHERE owner_id = 'o'", "graphs_owner_id"],
    ["graphs of a project", "SELECT * FROM graphs WHERE project_id = 'p'", "graphs_project_id"],
  ])("%s is an index search", (_what, sql, index) => {
    const plan = db.rows(`EXPLAIN QUERY PLAN ${sql}`).map((row) => String(row[3]));
    expect(plan.join("\n")).toMatch(new RegExp(`SEARCH .* INDEX ${index}`));
  });
});
