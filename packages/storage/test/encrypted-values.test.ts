import {
  defineModule,
  EncryptedDataSchema,
  encryptedValues,
  graphConfig,
  type JsonSchema,
  mayHoldEncrypted,
  moduleToDbSchema,
  nodeAttributes,
  replaceValues,
  SecretGraph,
  systemModules,
} from "@alkdev/storage/graphs";
import { type TProperties, type TSchema, Type } from "@sinclair/typebox";
import { describe, expect, it } from "vitest";

const E = Type.Ref("EncryptedData");
const secret = (keyVersion: number) => ({ keyVersion, salt: "s", iv: "i", data: "d" });

function schemaOf(
  properties: TProperties,
  more: Readonly<Record<string, TSchema>> = {},
): JsonSchema {
  const module = defineModule(
    { name: "things" },
    {
      Config: graphConfig(),
      EncryptedData: EncryptedDataSchema,
      ...more,
      ThingNode: nodeAttributes(properties, { open: true }),
    },
  );
  return moduleToDbSchema(module).nodeTypes[0]?.schema as JsonSchema;
}

describe("encrypted values are found by the stored schema (M29)", () => {
  const tree = Type.Object({
    own: Type.Optional(E),
    children: Type.Array(Type.Ref("Tree")),
  });
  it.each<[string, JsonSchema, unknown, readonly string[]]>([
    ["an attribute", schemaOf({ a: E }), { a: secret(1) }, ["/a"]],
    ["an optional one that is absent", schemaOf({ a: Type.Optional(E) }), {}, []],
    ["one written out", schemaOf({ a: EncryptedDataSchema }), { a: secret(1) }, ["/a"]],
    [
      "one inside an object, with a name to escape",
      schemaOf({ "a/b": Type.Object({ "~": E }) }),
      { "a/b": { "~": secret(1) } },
      ["/a~1b/~0"],
    ],
    [
      "lists",
      schemaOf({ a: Type.Array(Type.Object({ x: E })) }),
      { a: [{ x: secret(1) }, { x: secret(2) }] },
      ["/a/0/x", "/a/1/x"],
    ],
    ["tuples", schemaOf({ a: Type.Tuple([Type.String(), E]) }), { a: ["t", secret(1)] }, ["/a/1"]],
    [
      "records",
      schemaOf({ a: Type.Record(Type.String(), E) }),
      { a: { x: secret(1), y: secret(2) } },
      ["/a/x", "/a/y"],
    ],
    [
      "alternatives, of which only one is encrypted",
      schemaOf({ a: Type.Union([E, Type.Null(), Type.Object({ plain: Type.String() })]) }),
      { a: { plain: "text" } },
      [],
    ],
    [
      "alternatives, the encrypted one",
      schemaOf({ a: Type.Union([Type.Null(), E]) }),
      { a: secret(1) },
      ["/a"],
    ],
    [
      "intersections, each once",
      schemaOf({ a: Type.Intersect([Type.Object({ x: E }), Type.Object({ x: E })]) }),
      { a: { x: secret(1) } },
      ["/a/x"],
    ],
    [
      "recursive types",
      schemaOf({ a: Type.Ref("Tree") }, { Tree: tree }),
      { a: { own: secret(1), children: [{ children: [{ own: secret(2), children: [] }] }] } },
      ["/a/own", "/a/children/0/children/0/own"],
    ],
    ["malformed ones", schemaOf({ a: E }), { a: { keyVersion: "x" } }, ["/a"]],
    ["no look-alike that the schema does not name", schemaOf({ a: E }), { b: secret(1) }, []],
    ["nothing in a text", schemaOf({ a: E }), { a: "text" }, []],
    ["nothing in null", schemaOf({ a: E }), null, []],
  ])("%s", (_, schema, attributes, paths) => {
    expect(mayHoldEncrypted(schema)).toBe(true);
    const found = encryptedValues(schema, attributes);
    expect(found.map(({ path }) => path)).toEqual(paths);
    const marked = replaceValues(attributes, new Map(paths.map((path) => [path, "*"])));
    expect(JSON.stringify(marked).match(/"\*"/g)?.length ?? 0).toBe(paths.length);
    expect(replaceValues(marked, new Map(found.map(({ path, value }) => [path, value])))).toEqual(
      attributes,
    );
  });

  it("only in types that have them", () => {
    const holding = systemModules
      .flatMap((module) => {
        const { nodeTypes, edgeTypes } = moduleToDbSchema(module);
        return [...nodeTypes, ...edgeTypes];
      })
      .filter(({ schema }) => mayHoldEncrypted(schema));
    expect(holding.map(({ name }) => name)).toEqual(
      moduleToDbSchema(SecretGraph).nodeTypes.map(({ name }) => name),
    );
    expect(mayHoldEncrypted(schemaOf({ data: Type.String(), iv: Type.String() }))).toBe(false);
  });
});
