import { CallError } from "@alkdev/operations";
import {
  type Static,
  type TArray,
  type TInteger,
  type TNull,
  type TObject,
  type TOptional,
  type TProperties,
  type TSchema,
  type TString,
  type TUnion,
  type TUnsafe,
  Type,
} from "@sinclair/typebox";

const LONGEST_NAME = 256;
const LONGEST_CURSOR = 65_536;

/** An object with these properties and no others. */
export function closed<Properties extends TProperties>(
  properties: Properties,
): TObject<Properties> {
  return Type.Object(properties, { additionalProperties: false });
}

/** Name of a queue, stream, channel, lock, schedule, consumer; or an id. */
export const Name: TString = Type.String({ minLength: 1, maxLength: LONGEST_NAME });

/** Key of a node or edge. */
export const Key: TString = Type.String({ minLength: 1, maxLength: 512 });

/** Any JSON. */
export const Json: TUnsafe<unknown> = Type.Unsafe<unknown>(Type.Unknown());

/** A JSON object. */
export const JsonObject: TUnsafe<Readonly<Record<string, unknown>>> = Type.Unsafe<
  Readonly<Record<string, unknown>>
>(Type.Record(Type.String(), Type.Unknown()));

/** A moment in UTC: ISO 8601. */
export const Moment: TString = Type.String({
  pattern: "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,3})?Z$",
  maxLength: 24,
});

/** Texts by name. */
export function textMap(): TUnsafe<Readonly<Record<string, string>>> {
  return Type.Unsafe(Type.Record(Type.String({ maxLength: LONGEST_NAME }), Type.String()));
}

/** A whole number from 0. */
export const Count: TInteger = Type.Integer({ minimum: 0 });

/** Texts, at most so many. */
export function texts(maxItems: number, maxLength: number = LONGEST_NAME): TArray<TString> {
  return Type.Array(Type.String({ minLength: 1, maxLength }), { maxItems });
}

/** That, or null. */
export function nullable<Schema extends TSchema>(schema: Schema): TUnion<[Schema, TNull]> {
  return Type.Union([schema, Type.Null()]);
}

/** One of these texts. */
export function oneOf<const Texts extends readonly string[]>(
  values: Texts,
): TUnsafe<Texts[number]> {
  return Type.Unsafe<Texts[number]>(Type.Union(values.map((value) => Type.Literal(value))));
}

/** How many items at most. */
export function limit(most: number, usual: number): TOptional<TInteger> {
  return Type.Optional(Type.Integer({ minimum: 1, maximum: most, default: usual }));
}

/** The `cursor` of the page before. */
export const Cursor: TOptional<TString> = Type.Optional(
  Type.String({ minLength: 1, maxLength: LONGEST_CURSOR }),
);

/** A page: pass its cursor to get the next one; null after the last. */
export function page<Item extends TSchema>(
  item: Item,
): TObject<{ items: TArray<Item>; cursor: TUnion<[TString, TNull]> }> {
  return closed({ items: Type.Array(item), cursor: nullable(Type.String()) });
}

/** A page of a list that is in memory, by a text that orders it. */
export function pageOf<Item>(
  all: readonly Item[],
  nameOf: (item: Item) => string,
  { limit: most, cursor = "" }: { readonly limit: number; readonly cursor?: string | undefined },
): { items: Item[]; cursor: string | null } {
  const left = all.filter((item) => nameOf(item) > cursor);
  const items = left.slice(0, most);
  const last = items.at(-1);
  return { items, cursor: left.length > most && last !== undefined ? nameOf(last) : null };
}

/** The moment a text names. @throws CallError `INVALID_ARGUMENT` */
export function dateOf(text: Static<typeof Moment>): Date {
  const date = new Date(text);
  if (!Number.isNaN(date.getTime())) return date;
  throw new CallError("INVALID_ARGUMENT", `"${text}" is no moment`);
}

/** Seconds since 1970 as a moment. */
export function momentOf(seconds: number): string {
  return new Date(seconds * 1_000).toISOString();
}

/** What is given of some optional values. */
export function given<T extends Readonly<Record<string, unknown>>>(
  values: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as never;
}
