import { Type } from "@sinclair/typebox";
import { baseProperties } from "./attributes.ts";
import { defineModule } from "./define-module.ts";

const Name = Type.String({ minLength: 1 });
/** A JSON Schema; what it may hold is checked by the schema parser, not by this type. */
const JsonSchema = Type.Record(Type.String(), Type.Unknown());
const TypeProperties = {
  name: Name,
  description: Type.String({ default: "" }),
  schema: JsonSchema,
};

/**
 * What all graph types have in common: the general `Config` with its defaults, the base of all node and
 * edge attributes, and the types of the stored definitions themselves.
 */
export const Metagraph = defineModule(
  { name: "metagraph", description: "What all graph types have in common" },
  {
    Config: Type.Object(
      {
        type: Type.Union(
          [Type.Literal("directed"), Type.Literal("undirected"), Type.Literal("mixed")],
          { default: "directed" },
        ),
        multi: Type.Boolean({ default: false }),
        allowSelfLoops: Type.Boolean({ default: false }),
      },
      { additionalProperties: false },
    ),
    BaseNode: Type.Object(baseProperties),
    BaseEdge: Type.Object(baseProperties),
    GraphStatusEnum: Type.Union([
      Type.Literal("draft"),
      Type.Literal("active"),
      Type.Literal("archived"),
    ]),
    GraphTypeScopeEnum: Type.Union([
      Type.Literal("system"),
      Type.Literal("tenant"),
      Type.Literal("user"),
    ]),
    GraphType: Type.Object({
      name: Name,
      description: Type.String({ default: "" }),
      config: Type.Ref("Config"),
      version: Type.Integer({ minimum: 2, default: 2 }),
      scope: Type.Ref("GraphTypeScopeEnum"),
    }),
    NodeType: Type.Object(TypeProperties),
    EdgeType: Type.Object({
      ...TypeProperties,
      allowedSourceTypes: Type.Array(Name, { default: [] }),
      allowedTargetTypes: Type.Array(Name, { default: [] }),
    }),
  },
);
