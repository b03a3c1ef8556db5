import { readFileSync } from "node:fs";
import { OperationRegistry, type OperationSpec, operationId } from "@alkdev/operations";
import { systemTables, tenantTables } from "@alkdev/storage/sqlite";
import { Ajv } from "ajv";
import { getTableConfig, type SQLiteTable } from "drizzle-orm/sqlite-core";
import { describe, expect, it } from "vitest";
import { systemSchema, tenantSchema } from "../src/sqlite/schema.ts";

const GOLDEN = new URL("golden/operation-specs.json", import.meta.url);
const specs = [...systemTables, ...tenantTables].flatMap((table) => table.specs);

describe("specs of tables (M32)", () => {
  it("are those of the golden file: npm run golden:operations writes it anew", () => {
    expect(JSON.parse(JSON.stringify(specs))).toEqual(JSON.parse(readFileSync(GOLDEN, "utf8")));
  });

  it("cover every table of the schemas, in its own namespace", () => {
    const tables = (schema: object) =>
      Object.entries(schema)
        .filter(([name]) => !name.endsWith("Relations"))
        .map(([, table]) => getTableConfig(table as SQLiteTable).name);
    const names = new Set([...tables(systemSchema), ...tables(tenantSchema)]);
    expect(new Set(specs.map(({ namespace }) => namespace))).toEqual(names);
  });

  it("are five per table, but for the audit trail, which only grows", () => {
    for (const { name, specs: own } of [...systemTables, ...tenantTables]) {
      const expected = ["create", "find", "list"];
      if (name !== "audit_logs") expected.push("update", "delete");
      expect(own.map((spec) => spec.name)).toEqual(expected);
    }
  });

  it("ask for the scope of their table: reading for queries, writing for mutations", () => {
    for (const { namespace, type, accessControl } of specs) {
      const scope = type === "query" ? "read" : "write";
      expect(accessControl).toEqual({ requiredScopes: [`${namespace}:${scope}`] });
    }
  });

  it("are taken by a registry as they are", () => {
    const registry = new OperationRegistry();
    for (const spec of specs) registry.registerSpec(spec);
    expect(registry.list()).toHaveLength(specs.length);
  });

  it.each(specs.map((spec): [string, OperationSpec] => [operationId(spec), spec]))(
    "are JSON Schema that other validators understand: %s",
    (_id, spec) => {
      const schemas = [spec.inputSchema, spec.outputSchema];
      for (const { schema } of spec.errorSchemas ?? []) if (schema) schemas.push(schema);
      for (const schema of schemas) {
        const ajv = new Ajv({ strict: true, strictTypes: false });
        expect(() => ajv.compile(JSON.parse(JSON.stringify(schema)))).not.toThrow();
      }
    },
  );

  it("show the hash of a key nowhere but where it goes in", () => {
    const mentions = specs.filter((spec) => JSON.stringify(spec).includes("keyHash"));
    expect(mentions.map(operationId)).toEqual(["api_keys.create"]);
    expect(JSON.stringify(mentions[0]?.outputSchema)).not.toContain("keyHash");
  });

  it("let nobody set what the store keeps", () => {
    for (const { name, inputSchema } of specs.filter(({ type }) => type === "mutation")) {
      const taken = name === "update" ? inputSchema.properties.changes : inputSchema;
      for (const column of ["createdAt", "updatedAt", "version", "revision", "lastUsedAt"]) {
        expect(taken.properties).not.toHaveProperty(column);
      }
    }
  });
});
