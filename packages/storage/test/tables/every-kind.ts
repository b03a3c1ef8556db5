import { int64 } from "drizzle-honker";
import { eq, sql } from "drizzle-orm";
import {
  blob,
  customType,
  integer,
  numeric,
  real,
  sqliteTable,
  sqliteView,
  text,
} from "drizzle-orm/sqlite-core";

export const COLORS = ["red", "green", "blue"] as const;

/** A set of words, stored as one text. */
const words = customType<{ data: ReadonlySet<string>; driverData: string }>({
  dataType: () => "text",
  toDriver: (set) => [...set].sort().join(" "),
  fromDriver: (line) => new Set(line === "" ? [] : line.split(" ")),
});

/** A day, stored as the number of days since 1970. */
const day = customType<{ data: Date; driverData: number }>({
  dataType: () => "integer",
  toDriver: (date) => Math.floor(date.getTime() / 86_400_000),
  fromDriver: (days) => new Date(days * 86_400_000),
});

/** Three numbers, stored as 12 bytes. */
const point = customType<{ data: readonly number[]; driverData: Buffer }>({
  dataType: () => "F32_BLOB(3)",
  toDriver: (numbers) => Buffer.from(Float32Array.from(numbers).buffer),
  fromDriver: (bytes) => {
    const { buffer, byteOffset, byteLength } = new Uint8Array(bytes);
    return [...new Float32Array(buffer, byteOffset, byteLength / 4)];
  },
});

/** One column of every kind and mode that SQLite tables of Drizzle know. */
export const everyKind = sqliteTable("every_kind", {
  id: integer().primaryKey({ autoIncrement: true }),
  integer: integer().notNull(),
  integerNull: integer(),
  boolean: integer({ mode: "boolean" }).notNull(),
  booleanDefault: integer({ mode: "boolean" }).notNull().default(true),
  timestamp: integer({ mode: "timestamp" }).notNull(),
  timestampMs: integer({ mode: "timestamp_ms" }),
  onUpdate: integer({ mode: "timestamp" })
    .notNull()
    .$onUpdate(() => new Date()),
  real: real().notNull(),
  numeric: numeric(),
  numericNumber: numeric({ mode: "number" }).notNull(),
  numericBigint: numeric({ mode: "bigint" }).notNull(),
  text: text().notNull(),
  textLength: text({ length: 5 }),
  textEnum: text({ enum: COLORS }).notNull(),
  textEnumNull: text({ enum: ["only"] }),
  textTyped: text().$type<`id-${string}`>().notNull(),
  enumTyped: text({ enum: COLORS }).$type<"red">().notNull(),
  defaultFn: text()
    .notNull()
    .$defaultFn(() => "made"),
  textJson: text({ mode: "json" }),
  textJsonTyped: text({ mode: "json" })
    .$type<{ readonly a: number; readonly b?: string }>()
    .notNull(),
  blobBuffer: blob({ mode: "buffer" }).notNull(),
  blobDefaultMode: blob(),
  blobBigint: blob({ mode: "bigint" }).notNull(),
  blobJson: blob({ mode: "json" }).$type<readonly string[]>().notNull(),
  int64: int64().notNull(),
  int64Null: int64(),
  words: words().notNull(),
  day: day(),
  point: point().notNull(),
  stored: text().generatedAlwaysAs(sql`upper("text")`, { mode: "stored" }),
  virtual: integer().generatedAlwaysAs(sql`"integer" + 1`).notNull(),
});

/** The table of {@link everyKind}. */
export const CREATE_EVERY_KIND = `CREATE TABLE every_kind (
  id integer PRIMARY KEY AUTOINCREMENT NOT NULL,
  "integer" integer NOT NULL, "integerNull" integer,
  "boolean" integer NOT NULL, "booleanDefault" integer NOT NULL DEFAULT true,
  "timestamp" integer NOT NULL, "timestampMs" integer, "onUpdate" integer NOT NULL,
  "real" real NOT NULL, "numeric" numeric, "numericNumber" numeric NOT NULL,
  "numericBigint" numeric NOT NULL, "text" text NOT NULL, "textLength" text,
  "textEnum" text NOT NULL, "textEnumNull" text, "textTyped" text NOT NULL,
  "enumTyped" text NOT NULL, "defaultFn" text NOT NULL, "textJson" text,
  "textJsonTyped" text NOT NULL, "blobBuffer" blob NOT NULL, "blobDefaultMode" blob,
  "blobBigint" blob NOT NULL, "blobJson" blob NOT NULL, "int64" integer NOT NULL,
  "int64Null" integer, "words" text NOT NULL, "day" integer, "point" F32_BLOB(3) NOT NULL,
  "stored" text GENERATED ALWAYS AS (upper("text")) STORED,
  "virtual" integer GENERATED ALWAYS AS ("integer" + 1) VIRTUAL NOT NULL
)`;

/** Columns, an expression and a nested selection. */
export const everyKindView = sqliteView("every_kind_view").as((query) =>
  query
    .select({
      id: everyKind.id,
      timestampMs: everyKind.timestampMs,
      total: sql<bigint>`1 + 1`.as("total"),
      nested: { color: everyKind.textEnum, bytes: everyKind.blobBuffer },
    })
    .from(everyKind)
    .where(eq(everyKind.boolean, true)),
);

/** A view that exists, its columns declared. */
export const declaredView = sqliteView("declared_view", {
  name: text().notNull(),
  seen: integer({ mode: "timestamp" }),
}).existing();
