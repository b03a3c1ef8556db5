import { Validator } from "@seriousme/openapi-schema-validator";
import { Type } from "@sinclair/typebox";
import { describe, expect, it } from "vitest";
import { defineSpec } from "../src/index.ts";
import { jsonSchema } from "../src/json-schema.ts";
import { openApiDocument } from "../src/openapi.ts";
import { addSpec, code, countSpec } from "./fixtures.ts";

const options = { title: "Mathematics", version: "1.2.3" };

/** Whether every `$ref` leads somewhere, and the document is one of OpenAPI 3.1. */
async function problemsOf(document: Record<string, unknown>): Promise<unknown> {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(document));
  if (!valid) return errors;
  expect(validator.version).toBe("3.1");
  for (const [, ref = ""] of JSON.stringify(document).matchAll(/"\$ref":"#([^"]*)"/g)) {
    const steps = ref.split("/").slice(1);
    const target = steps.reduce<unknown>(
      (at, step) => (at as Record<string, unknown>)?.[step],
      document,
    );
    expect(target, ref).toBeDefined();
  }
  return null;
}

const at = (document: unknown, ...steps: string[]): unknown =>
  steps.reduce<unknown>((value, step) => (value as Record<string, unknown>)[step], document);

describe("an OpenAPI document of operations (M39, M42)", () => {
  it("is valid OpenAPI 3.1, with queries, mutations and subscriptions", async () => {
    const Tree = Type.Recursive((This) => Type.Object({ children: Type.Array(This) }));
    const plant = defineSpec({
      ...addSpec,
      namespace: "trees",
      name: "plant",
      type: "mutation",
      tags: ["garden"],
      inputSchema: Type.Object({ tree: Tree, at: Type.Tuple([Type.Number(), Type.Number()]) }),
      outputSchema: Type.Void(),
    });
    const remote = defineSpec({
      ...addSpec,
      namespace: "spoke",
      inputSchema: jsonSchema({
        $defs: { A: { type: "string" } },
        properties: { a: { $ref: "#/$defs/A" } },
      }),
    });
    const document = openApiDocument([addSpec, plant, countSpec, remote], {
      ...options,
      description: "All of it.",
      servers: ["https://hub.example.com"],
      basePath: "/api",
      headers: [{ name: "Idempotency-Key", description: "Id of the call." }],
    });
    expect(await problemsOf(document)).toBeNull();
    expect(Object.keys(document.paths as object)).toEqual([
      "/api/call/math.add",
      "/api/call/trees.plant",
      "/api/subscribe/math.count",
      "/api/call/spoke.add",
    ]);
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
  });

  it("is valid without operations", async () => {
    expect(await problemsOf(openApiDocument([], options))).toBeNull();
  });

  it("says who may call, by scopes", () => {
    const any = { requiredScopes: ["a:x"], requiredScopesAny: ["b:x", "c:x"] };
    const open = { requiredScopes: [], public: true } as const;
    const document = openApiDocument(
      [
        addSpec,
        { ...addSpec, name: "any", accessControl: any },
        { ...addSpec, name: "open", accessControl: open },
      ],
      options,
    );
    const security = (id: string) => at(document, "paths", `/call/${id}`, "post", "security");
    expect(security("math.add")).toEqual([{ key: ["math:read"] }]);
    expect(security("math.any")).toEqual([{ key: ["a:x", "b:x"] }, { key: ["a:x", "c:x"] }]);
    expect(security("math.open")).toEqual([]);
  });

  it("lists the errors an operation declares beside those of every call, by status", async () => {
    const spec = defineSpec({
      ...addSpec,
      errorSchemas: [
        {
          code: "GONE",
          description: "Gone.",
          httpStatus: 410,
          schema: Type.Object({ at: Type.Integer() }),
        },
        { code: "ODD", description: "Odd." },
        { code: "BUSY", description: "Busy.", httpStatus: 503 },
      ],
    });
    const document = openApiDocument([spec], options);
    const responses = at(document, "paths", "/call/math.add", "post", "responses");
    expect(Object.keys(responses as object)).toEqual([
      "200",
      "400",
      "401",
      "403",
      "404",
      "410",
      "413",
      "422",
      "429",
      "500",
      "502",
      "503",
      "504",
    ]);
    expect(at(responses, "410", "content", "application/json", "schema")).toMatchObject({
      properties: {
        error: {
          properties: {
            code: { const: "GONE" },
            details: { $ref: "#/components/schemas/math.add.GONE" },
          },
        },
      },
    });
    expect(at(responses, "403")).toEqual({ $ref: "#/components/responses/Failure403" });
    expect(await problemsOf(document)).toBeNull();
    expect(at(responses, "503", "description")).toMatch(/OVERLOADED.*\n.*\n.*BUSY/);
  });

  it("refuses types that JSON has no form for", () => {
    const spec = { ...addSpec, inputSchema: Type.Object({ at: Type.Date() }) };
    expect(() => openApiDocument([spec], options)).toThrow(code("INVALID_SCHEMA"));
  });
});
