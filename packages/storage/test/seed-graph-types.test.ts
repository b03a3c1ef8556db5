import { open } from "@alkdev/honker";
import {
  defineModule,
  edgeAttributes,
  graphConfig,
  moduleToDbSchema,
  nodeAttributes,
  systemModules,
} from "@alkdev/storage/graphs";
import {
  createSystemDatabase,
  createTenantDatabase,
  graphTypes,
  readGraphType,
} from "@alkdev/storage/sqlite";
import { tempDatabase, tempFolder } from "@alkdev/testkit";
import { type TProperties, Type } from "@sinclair/typebox";
import { eq } from "drizzle-orm";
import { describe, expect, it } from "vitest";

const Config = graphConfig({});

function taskModule(properties: TProperties, version = 2) {
  return defineModule(
    { name: "task_graph", version },
    { Config, TaskNode: nodeAttributes(properties), WaitsEdge: edgeAttributes({}) },
  );
}

const Tasks = taskModule({ title: Type.String() });

describe("system graph types in a file (M28)", () => {
  it.each([
    ["system", createSystemDatabase],
    ["tenant", createTenantDatabase],
  ])("a %s database has all of them, as their Modules say", (_, create) => {
    const db = tempDatabase();
    create(db);
    for (const module of systemModules) {
      const stored = readGraphType(db, { name: module.name });
      expect(stored).toMatchObject({ scope: "system", graphType: { name: module.name } });
      const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
      const { nodeTypes, edgeTypes } = moduleToDbSchema(module);
      expect(stored?.nodeTypes).toEqual([...nodeTypes].sort(byName));
      expect(stored?.edgeTypes).toEqual([...edgeTypes].sort(byName));
    }
  });

  it("have the same id in every file, which is a UUID", () => {
    const [system, tenant] = [tempDatabase(), tempDatabase()];
    createSystemDatabase(system);
    createTenantDatabase(tenant);
    for (const table of ["graph_types", "node_types", "edge_types"]) {
      const ids = system.rows(`SELECT id FROM ${table} ORDER BY id`);
      expect(ids).toEqual(tenant.rows(`SELECT id FROM ${table} ORDER BY id`));
      for (const [id] of ids) {
        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      }
    }
  });

  it("are written once: opening again takes no write lock", () => {
    const path = `${tempFolder()}/t.db`;
    using first = open(path);
    createTenantDatabase(first);
    const version = first.rows("PRAGMA data_version");
    const before = first.rows("SELECT total_changes()");
    createTenantDatabase(first);
    expect(first.rows("SELECT total_changes()")).toEqual(before);
    expect(first.rows("PRAGMA data_version")).toEqual(version);
  });

  it("include a product's own, and an additive change of it is projected", () => {
    const db = tempDatabase();
    createTenantDatabase(db, { systemModules: [...systemModules, Tasks] });
    const before = readGraphType(db, { name: "task_graph" });
    const wider = taskModule({ title: Type.String(), note: Type.Optional(Type.String()) });
    createTenantDatabase(db, { systemModules: [...systemModules, wider] });
    const after = readGraphType(db, { name: "task_graph" });
    expect(after?.id).toBe(before?.id);
    expect(after?.nodeTypes).toEqual(moduleToDbSchema(wider).nodeTypes);
  });

  it.each([
    ["a breaking change without a version", taskModule({ title: Type.Number() })],
    ["a breaking change with a version", taskModule({ title: Type.Number() }, 4)],
  ])("%s leaves the stored type in use", (_, changed) => {
    const db = tempDatabase();
    createTenantDatabase(db, { systemModules: [Tasks] });
    createTenantDatabase(db, { systemModules: [changed] });
    expect(readGraphType(db, { name: "task_graph" })).toMatchObject({
      ...moduleToDbSchema(Tasks),
      scope: "system",
    });
  });

  it("never replace a tenant's own graph type of the same name", () => {
    const db = tempDatabase();
    createTenantDatabase(db);
    db.execute("INSERT INTO graph_types (id, name) VALUES ('own', 'task_graph')");
    createTenantDatabase(db, { systemModules: [...systemModules, Tasks] });
    expect(readGraphType(db, { name: "task_graph" })).toMatchObject({ id: "own", nodeTypes: [] });
  });

  it("is null for one that is not there", () => {
    const db = tempDatabase();
    createTenantDatabase(db);
    expect(readGraphType(db, { name: "" })).toBeNull();
    expect(readGraphType(db, { id: "call_graph" })).toBeNull();
  });
});

describe("system graph types of a tenant are read-only (M28)", () => {
  const CALLS = "(SELECT id FROM graph_types WHERE name = 'call_graph')";
  const NODE = `(SELECT id FROM node_types WHERE graph_type_id = ${CALLS} LIMIT 1)`;
  it.each([
    "UPDATE graph_types SET description = 'x' WHERE name = 'call_graph'",
    "UPDATE graph_types SET scope = 'tenant' WHERE name = 'call_graph'",
    "UPDATE graph_types SET scope = 'system' WHERE id = 'own'",
    "DELETE FROM graph_types WHERE name = 'call_graph'",
    "INSERT INTO graph_types (id, name, scope) VALUES ('x', 'x', 'system')",
    "INSERT OR REPLACE INTO graph_types (id, name) VALUES ('x', 'call_graph')",
    `INSERT OR REPLACE INTO graph_types (id, name) VALUES (${CALLS}, 'x')`,
    "UPDATE OR REPLACE graph_types SET name = 'call_graph' WHERE id = 'own'",
    `INSERT INTO node_types (id, graph_type_id, name, schema) VALUES ('x', ${CALLS}, 'x', '{}')`,
    `INSERT OR REPLACE INTO node_types (id, graph_type_id, name, schema) VALUES (${NODE}, 'own', 'x', '{}')`,
    `UPDATE OR REPLACE node_types SET id = ${NODE} WHERE id = 'own-node'`,
    `UPDATE node_types SET schema = '{}' WHERE graph_type_id = ${CALLS}`,
    "UPDATE node_types SET graph_type_id = 'own'",
    `UPDATE node_types SET graph_type_id = ${CALLS} WHERE id = 'own-node'`,
    `DELETE FROM node_types WHERE graph_type_id = ${CALLS}`,
    `UPDATE edge_types SET allowed_source_types = '[]' WHERE graph_type_id = ${CALLS}`,
    `DELETE FROM edge_types WHERE graph_type_id = ${CALLS}`,
    `INSERT INTO edge_types (id, graph_type_id, name, schema) VALUES ('x', ${CALLS}, 'x', '{}')`,
  ])("%s", (sql) => {
    const db = tempDatabase();
    createTenantDatabase(db);
    db.execute("INSERT INTO graph_types (id, name) VALUES ('own', 'own')");
    db.execute(
      "INSERT INTO node_types (id, graph_type_id, name, schema) VALUES ('own-node', 'own', 'n', '{}')",
    );
    const all = () =>
      ["graph_types", "node_types", "edge_types"].map((t) => db.rows(`SELECT * FROM ${t}`));
    const before = all();
    expect(() => db.execute(sql)).toThrow(/system_graph_types_read_only/);
    expect(all()).toEqual(before);
  });

  it("while a tenant's own can be changed and deleted", () => {
    const tenant = createTenantDatabase(tempDatabase());
    const { id } = tenant.insert(graphTypes).values({ name: "own" }).returning().get();
    tenant.update(graphTypes).set({ description: "mine" }).where(eq(graphTypes.id, id)).run();
    expect(tenant.delete(graphTypes).where(eq(graphTypes.id, id)).run().changes).toBe(1);
  });
});
