import type { StoredEdge, StoredNode, Where } from "@alkdev/storage/sqlite";
import { type TOptional, type TUnsafe, Type } from "@sinclair/typebox";
import { Count, closed, JsonObject, Moment, Name, nullable, oneOf } from "./schemas.ts";

interface Dated {
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

type View<Row extends Dated> = Omit<Row, "createdAt" | "updatedAt"> & {
  readonly createdAt: string;
  readonly updatedAt: string;
};

/** A node as it travels; its times are ISO 8601. */
export type NodeView = View<StoredNode>;

/** An edge as it travels; its times are ISO 8601. */
export type EdgeView = View<StoredEdge>;

const ROW = {
  id: Type.String(),
  type: nullable(Type.String()),
  attributes: JsonObject,
  metadata: JsonObject,
  revision: Count,
  version: nullable(Type.Integer()),
  createdAt: Moment,
  updatedAt: Moment,
};

/** {@link NodeView} as a schema. */
export const NodeSchema: TUnsafe<NodeView> = Type.Unsafe<NodeView>(
  closed({ ...ROW, key: Type.String() }),
);

/** {@link EdgeView} as a schema. */
export const EdgeSchema: TUnsafe<EdgeView> = Type.Unsafe<EdgeView>(
  closed({
    ...ROW,
    key: nullable(Type.String()),
    source: Type.String(),
    target: Type.String(),
    undirected: Type.Boolean(),
  }),
);

/** A node or edge as it travels. */
export function viewOf<Row extends Dated>(row: Row): View<Row> {
  const { createdAt, updatedAt } = row;
  return { ...row, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() };
}

const Text = Type.String({ maxLength: 4_096 });
const Scalar = Type.Union([Text, Type.Number(), Type.Boolean(), Type.Null()]);
const Comparable = Type.Optional(Type.Union([Text, Type.Number()]));
const Condition = closed({
  eq: Type.Optional(Scalar),
  in: Type.Optional(Type.Array(Scalar, { minItems: 1, maxItems: 500 })),
  gt: Comparable,
  gte: Comparable,
  lt: Comparable,
  lte: Comparable,
  isNull: Type.Optional(Type.Boolean()),
  exists: Type.Optional(Type.Boolean()),
});

/** Conditions by attribute, all of which must hold: `{ "status": "open", "size.width": { "gt": 3 } }`. */
export const WhereSchema: TOptional<TUnsafe<Where>> = Type.Optional(
  Type.Unsafe<Where>(
    Type.Record(Type.String({ minLength: 1, maxLength: 512 }), Type.Union([Scalar, Condition]), {
      maxProperties: 16,
    }),
  ),
);

/** Which edges are followed, as properties of an input. */
export const FOLLOW: {
  readonly direction: TOptional<TUnsafe<"out" | "in" | "both">>;
  readonly edgeType: TOptional<typeof Name>;
} = {
  direction: Type.Optional(oneOf(["out", "in", "both"])),
  edgeType: Type.Optional(Name),
};
