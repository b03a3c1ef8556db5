import {
  AclGraph,
  CallGraph,
  defineModule,
  edgeAttributes,
  edgeConstraints,
  graphConfig,
  Metagraph,
  moduleToDbSchema,
  nodeAttributes,
  SecretGraph,
  StorageError,
  systemModules,
  typeNameOf,
} from "@alkdev/storage/graphs";
import { type TProperties, type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { describe, expect, it } from "vitest";

const Config = graphConfig();
const CallNode = nodeAttributes({ id: Type.String() });

function refusal(work: () => unknown): StorageError {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(StorageError);
    return error as StorageError;
  }
  throw new Error("nothing was refused");
}

describe("Modules that break a rule (M25)", () => {
  const cases: readonly [rule: string, entries: TProperties, entry: string, message: RegExp][] = [
    ["no Config", { CallNode }, "Config", /Config" is missing/],
    ["a plural suffix", { Config, CallNodes: CallNode }, "CallNodes", /"Node" is the one/],
    ["a plural edge", { Config, CallsEdges: CallNode }, "CallsEdges", /"Edge" is the one/],
    ["a transposed suffix", { Config, CallNoed: CallNode }, "CallNoed", /"Node"/],
    ["capitals", { Config, CallNODE: CallNode }, "CallNODE", /"Node"/],
    [
      "a singular constraint",
      { Config, CallEdgeConstraint: CallNode },
      "CallEdgeConstraint",
      /"EdgeConstraints"/,
    ],
    [
      "a constraint without Edge",
      { Config, CallConstraints: CallNode },
      "CallConstraints",
      /"EdgeConstraints"/,
    ],
    ["a misspelt Config", { Config, Configs: Config }, "Configs", /"Config"/],
    ["a plural enum", { Config, StatusEnums: Type.Null() }, "StatusEnums", /"Enum"/],
    ["a bare suffix", { Config, Node: CallNode }, "Node", /only the suffix/],
    ["snake case", { Config, call_node: CallNode }, "call_node", /PascalCase/],
    ["a first letter in lower case", { Config, callNode: CallNode }, "callNode", /PascalCase/],
    [
      "two equal stored names",
      { Config, HttpCallNode: CallNode, HTTPCallNode: CallNode },
      "HTTPCallNode",
      /"http_call"/,
    ],
    [
      "a Config that is open",
      { Config: Type.Object({ type: Type.String() }) },
      "Config",
      /leaves "type" open/,
    ],
    [
      "a Config of a wrong kind",
      { Config: Type.Object({ type: Type.Literal("circular") }) },
      "Config",
      /"type"/,
    ],
    [
      "a Config with more",
      { Config: Type.Object({ ...Config.properties, weighted: Type.Literal(true) }) },
      "Config",
      /"weighted"/,
    ],
    [
      "a constraint for an unknown edge type",
      { Config, CallNode, TriggerdEdgeConstraints: edgeConstraints({ from: ["call"] }) },
      "TriggerdEdgeConstraints",
      /no entry "TriggerdEdge"/,
    ],
    [
      "an empty constraint",
      { Config, CallNode, AEdge: edgeAttributes({}), AEdgeConstraints: edgeConstraints({}) },
      "AEdgeConstraints",
      /constrains nothing/,
    ],
    [
      "a constraint that names no node type",
      {
        Config,
        CallNode,
        AEdge: edgeAttributes({}),
        AEdgeConstraints: edgeConstraints({ to: ["CallNode"] }),
      },
      "AEdgeConstraints",
      /"CallNode" in "allowedTargetTypes", which is no node type; "call" is meant/,
    ],
    [
      "a constraint without defaults of the right kind",
      {
        Config,
        CallNode,
        AEdge: edgeAttributes({}),
        AEdgeConstraints: Type.Object({ allowedSourceTypes: Type.String({ default: "call" }) }),
      },
      "AEdgeConstraints",
      /no array of type names/,
    ],
    [
      "a constraint with a misspelt end",
      {
        Config,
        CallNode,
        AEdge: edgeAttributes({}),
        AEdgeConstraints: Type.Object({
          allowedSources: Type.Array(Type.String(), { default: ["call"] }),
        }),
      },
      "AEdgeConstraints",
      /"allowedSources"; known are/,
    ],
  ];

  it.each(cases)("refuses %s, naming Module, entry and rule", (_, entries, entry, message) => {
    const defined = refusal(() => defineModule({ name: "broken" }, entries));
    expect(defined.code).toBe("INVALID_MODULE");
    expect(defined.message).toContain('Module "broken"');
    expect(defined.message).toMatch(message);
    expect(defined.details.problems).toContainEqual({ entry, rule: expect.stringMatching(/./) });
    const plain = refusal(() => moduleToDbSchema(Type.Module(entries), { name: "broken" }));
    expect(plain.message).toBe(defined.message);
  });

  it("lists all broken rules at once", () => {
    const error = refusal(() =>
      defineModule({ name: "broken" }, { AsNodes: CallNode, b: CallNode }),
    );
    expect(error.details.problems).toHaveLength(3);
  });

  it.each(["", "CallGraph", "call-graph", "call__graph", "_call", "1call", "call graph"])(
    "refuses the name %j",
    (name) => {
      expect(refusal(() => defineModule({ name }, { Config })).code).toBe("INVALID_MODULE");
    },
  );

  it.each([0, 1, 3, -2, 2.5, Number.NaN, 2 ** 53])("refuses version %d", (version) => {
    expect(refusal(() => defineModule({ name: "a", version }, { Config })).message).toMatch(
      /version/,
    );
  });

  it("refuses a Module without a name and what is no Module", () => {
    expect(refusal(() => moduleToDbSchema(Type.Module({ Config }))).message).toMatch(/no name/);
    expect(refusal(() => moduleToDbSchema({} as never, { name: "a" })).message).toMatch(
      /TypeBox Module/,
    );
  });
});

describe("Modules (M25)", () => {
  it("takes bare names and *Enum as shared types, also those that end like a suffix by chance", () => {
    const module = defineModule(
      { name: "a" },
      {
        Config,
        Knowledge: CallNode,
        ErrorCode: CallNode,
        StateEnum: Type.Null(),
        CallNodeOptions: CallNode,
      },
    );
    expect(moduleToDbSchema(module).nodeTypes).toEqual([]);
  });

  it("skips BaseNode and BaseEdge", () => {
    const { nodeTypes, edgeTypes } = moduleToDbSchema(Metagraph);
    expect([...nodeTypes, ...edgeTypes]).toEqual([]);
  });

  it.each([
    ["CallNode", "call"],
    ["DependsOnEdge", "depends_on"],
    ["HTTPRequestNode", "http_request"],
    ["Oauth2TokenNode", "oauth2_token"],
    ["ANode", "a"],
  ])("stores %s as %s", (entry, name) => {
    expect(typeNameOf(entry)).toBe(name);
  });

  it("freezes the configuration of the system's graph types: directed, one edge, no loops", () => {
    expect(systemModules.map(({ name }) => name)).toEqual([
      "call_graph",
      "secret_graph",
      "acl_graph",
    ]);
    for (const module of systemModules) {
      expect(moduleToDbSchema(module).graphType.config).toEqual({
        type: "directed",
        multi: false,
        allowSelfLoops: false,
      });
    }
  });

  it("has the node and edge types of the design", () => {
    const names = (module: (typeof systemModules)[number]) => {
      const { nodeTypes, edgeTypes } = moduleToDbSchema(module);
      return [nodeTypes.map(({ name }) => name), edgeTypes.map(({ name }) => name)];
    };
    expect(names(CallGraph)).toEqual([["call"], ["triggered", "depends_on"]]);
    expect(names(SecretGraph)).toEqual([["secret"], []]);
    expect(names(AclGraph)).toEqual([
      ["principal", "resource"],
      ["delegates", "scopes", "belongs_to"],
    ]);
  });

  it("carries edge constraints by type name", () => {
    const scopes = moduleToDbSchema(AclGraph).edgeTypes.find(({ name }) => name === "scopes");
    expect(scopes).toMatchObject({
      allowedSourceTypes: ["principal"],
      allowedTargetTypes: ["resource"],
    });
  });

  it("fills in the Metagraph's Config", () => {
    const config = Metagraph.Import("Config") as unknown as TSchema;
    expect(Value.Create(config)).toEqual({
      type: "directed",
      multi: false,
      allowSelfLoops: false,
    });
  });
});
