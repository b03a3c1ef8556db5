import { type TSchema, type TUnsafe, Type } from "@sinclair/typebox";
import { validatorOf } from "../schema/validator.ts";
import type { ResponseEnvelope, ResponseMeta } from "./response-envelope.ts";

const exact = { additionalProperties: false } as const;
const AnyObject = Type.Record(Type.String(), Type.Unknown());

const Annotations = Type.Object({
  audience: Type.Optional(
    Type.Array(Type.Union([Type.Literal("user"), Type.Literal("assistant")])),
  ),
  priority: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  lastModified: Type.Optional(Type.String()),
});

const McpContentSchema = Type.Union([
  Type.Object({
    type: Type.Literal("text"),
    text: Type.String(),
    annotations: Type.Optional(Annotations),
  }),
  Type.Object({
    type: Type.Union([Type.Literal("image"), Type.Literal("audio")]),
    data: Type.String(),
    mimeType: Type.String(),
    annotations: Type.Optional(Annotations),
  }),
  Type.Object({
    type: Type.Literal("resource"),
    resource: Type.Object({
      uri: Type.String(),
      mimeType: Type.Optional(Type.String()),
      text: Type.Optional(Type.String()),
      blob: Type.Optional(Type.String()),
    }),
    annotations: Type.Optional(Annotations),
  }),
  Type.Object({
    type: Type.Literal("resource_link"),
    uri: Type.String(),
    name: Type.String(),
    description: Type.Optional(Type.String()),
    mimeType: Type.Optional(Type.String()),
    annotations: Type.Optional(Annotations),
  }),
]);

/** Where an answer came from, as a schema. */
export const ResponseMetaSchema: TUnsafe<ResponseMeta> = Type.Unsafe<ResponseMeta>(
  Type.Union([
    Type.Object(
      {
        source: Type.Literal("local"),
        operationId: Type.String(),
        timestamp: Type.Integer({ minimum: 0 }),
      },
      exact,
    ),
    Type.Object(
      {
        source: Type.Literal("http"),
        statusCode: Type.Integer({ minimum: 100, maximum: 599 }),
        headers: Type.Record(Type.String(), Type.String()),
        contentType: Type.String(),
      },
      exact,
    ),
    Type.Object(
      {
        source: Type.Literal("mcp"),
        isError: Type.Boolean(),
        content: Type.Array(McpContentSchema),
        structuredContent: Type.Optional(AnyObject),
        _meta: Type.Optional(AnyObject),
      },
      exact,
    ),
  ]),
);

/** An envelope around anything, as a schema. */
export const ResponseEnvelopeSchema: TUnsafe<ResponseEnvelope> = Type.Unsafe<ResponseEnvelope>(
  Type.Object({ data: Type.Unknown(), meta: ResponseMetaSchema }, exact),
);

/** The schema of an envelope around what `data` describes. */
export function responseEnvelopeSchema<Data extends TSchema>(
  data: Data,
): TUnsafe<ResponseEnvelope<Data["static"]>> {
  return Type.Unsafe(Type.Object({ data, meta: ResponseMetaSchema }, exact));
}

/** Whether a value is an envelope: `data` and `meta`, nothing else, and `meta` as its source promises. */
export function isResponseEnvelope(value: unknown): value is ResponseEnvelope {
  // a cheap look first: this is asked of every output
  if (typeof value !== "object" || value === null || !("meta" in value)) return false;
  return validatorOf(ResponseEnvelopeSchema).check(value);
}
