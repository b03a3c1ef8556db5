import {
  type TArray,
  type TLiteral,
  type TObject,
  type TOptional,
  type TProperties,
  type TRecord,
  type TString,
  type TUnknown,
  Type,
} from "@sinclair/typebox";

/** Attributes every node and edge may have. Not an interface: that would need an index signature. */
export type BaseProperties = {
  readonly metadata: TOptional<TRecord<TString, TUnknown>>;
};

/** Free-form notes of whoever writes the node or edge; keys of the form `subsystem.key`. */
export const baseProperties: BaseProperties = {
  metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
};

/** What a Module entry says about itself. */
export interface EntryOptions {
  /** One sentence for people; it becomes the stored type's description. */
  readonly description?: string;
  /** True lets attributes through that the schema does not name; false by default, so that a typo is refused. */
  readonly open?: boolean;
}

/**
 * Attributes of a node type: the base attributes and `properties`, and no others.
 *
 * It is an object type, not `Type.Composite([Metagraph.Import("BaseNode"), …])`: that form loses the
 * imported properties in TypeBox 0.34 without a word (ADR-060).
 */
export function nodeAttributes<Properties extends TProperties>(
  properties: Properties,
  options: EntryOptions = {},
): TObject<BaseProperties & Properties> {
  return withBase(properties, options);
}

/** Attributes of an edge type: the base attributes and `properties`, and no others. */
export function edgeAttributes<Properties extends TProperties>(
  properties: Properties,
  options: EntryOptions = {},
): TObject<BaseProperties & Properties> {
  return withBase(properties, options);
}

function withBase<Properties extends TProperties>(
  properties: Properties,
  { description, open = false }: EntryOptions,
): TObject<BaseProperties & Properties> {
  const all: BaseProperties & Properties = { ...baseProperties, ...properties };
  return Type.Object(all, {
    ...(open ? {} : { additionalProperties: false }),
    ...(description === undefined ? {} : { description }),
  });
}

/** Which edges a graph may hold, as graphology means it. */
export type GraphDirection = "directed" | "undirected" | "mixed";

/** How graphs of a type are built; every field may be left out. */
export interface GraphConfigOptions<Direction extends GraphDirection, Multi, Loops> {
  /** Whether edges have a direction. Default `directed`. */
  readonly type?: Direction;
  /** Whether two nodes may be joined by several edges of one direction. Default false. */
  readonly multi?: Multi;
  /** Whether an edge may lead back to its own node. Default false. */
  readonly allowSelfLoops?: Loops;
}

/** The entry `Config` of a Module: how its graphs are built, frozen to one value each. */
export function graphConfig<
  const Direction extends GraphDirection = "directed",
  const Multi extends boolean = false,
  const Loops extends boolean = false,
>(
  options: GraphConfigOptions<Direction, Multi, Loops> = {},
): TObject<{
  type: TLiteral<Direction>;
  multi: TLiteral<Multi>;
  allowSelfLoops: TLiteral<Loops>;
}> {
  return Type.Object(
    {
      type: Type.Literal((options.type ?? "directed") as Direction),
      multi: Type.Literal((options.multi ?? false) as Multi),
      allowSelfLoops: Type.Literal((options.allowSelfLoops ?? false) as Loops),
    },
    { additionalProperties: false },
  );
}

/** The node types an edge may join, by type name (`call`, not `CallNode`). */
export interface EdgeEnds {
  /** Where it may start; left out, anywhere. */
  readonly from?: readonly string[];
  /** Where it may lead; left out, anywhere. */
  readonly to?: readonly string[];
}

/** The entry `<Edge>Constraints` of a Module. An edge type without such an entry joins any two nodes. */
export function edgeConstraints({ from = [], to = [] }: EdgeEnds): TObject<{
  allowedSourceTypes: TArray<TString>;
  allowedTargetTypes: TArray<TString>;
}> {
  return Type.Object({
    allowedSourceTypes: Type.Array(Type.String(), { default: [...from] }),
    allowedTargetTypes: Type.Array(Type.String(), { default: [...to] }),
  });
}
