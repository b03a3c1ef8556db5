import { eq, getTableColumns, sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { ours, same, shareDatabases } from "./drivers.ts";
import { modes, users } from "./schema.ts";

type Mode = Exclude<keyof typeof modes.$inferInsert, "id">;

const big = 2n ** 63n - 1n;
const bytes = Buffer.from([0, 1, 255, 0]);

/** A value of every mode, and what is stored for it. */
const values: readonly { mode: Mode; value: unknown; stored: string; type: string }[] = [
  { mode: "number", value: 42, stored: "42", type: "integer" },
  { mode: "number", value: -(2 ** 53) + 1, stored: "-9007199254740991", type: "integer" },
  { mode: "number", value: 0, stored: "0", type: "integer" },
  { mode: "boolean", value: true, stored: "1", type: "integer" },
  { mode: "boolean", value: false, stored: "0", type: "integer" },
  { mode: "seconds", value: new Date(1_700_000_000_000), stored: "1700000000", type: "integer" },
  { mode: "millis", value: new Date(1_700_000_000_123), stored: "1700000000123", type: "integer" },
  { mode: "millis", value: new Date(-1), stored: "-1", type: "integer" },
  { mode: "string", value: "", stored: "", type: "text" },
  {
    mode: "string",
    value: 'quo\'te "double" \u0000 ünï 🦄',
    stored: 'quo\'te "double" \u0000 ünï 🦄',
    type: "text",
  },
  { mode: "choice", value: "b", stored: "b", type: "text" },
  {
    mode: "json",
    value: { a: [1, null, { b: "ü" }] },
    stored: '{"a":[1,null,{"b":"ü"}]}',
    type: "text",
  },
  { mode: "json", value: [], stored: "[]", type: "text" },
  { mode: "json", value: "text", stored: '"text"', type: "text" },
  { mode: "json", value: 0, stored: "0", type: "text" },
  { mode: "json", value: false, stored: "false", type: "text" },
  { mode: "bytes", value: bytes, stored: "0001FF00", type: "blob" },
  { mode: "bytes", value: Buffer.alloc(0), stored: "", type: "blob" },
  { mode: "blobJson", value: { a: 1 }, stored: "7B2261223A317D", type: "blob" },
  {
    mode: "blobBig",
    value: 2n ** 100n,
    stored: Buffer.from(`${2n ** 100n}`).toString("hex"),
    type: "blob",
  },
  { mode: "float", value: 0.1 + 0.2, stored: "0.30000000000000004", type: "real" },
  { mode: "float", value: -1e300, stored: "-1.0e+300", type: "real" },
  { mode: "float", value: Number.POSITIVE_INFINITY, stored: "Inf", type: "real" },
  { mode: "decimal", value: "12.5", stored: "12.5", type: "real" },
  { mode: "decimal", value: "12", stored: "12", type: "integer" },
  { mode: "decimal", value: "not a number", stored: "not a number", type: "text" },
  { mode: "decimalNumber", value: 12.25, stored: "12.25", type: "real" },
  { mode: "decimalBig", value: big, stored: `${big}`, type: "integer" },
  { mode: "list", value: ["a", "b"], stored: "a,b", type: "text" },
  { mode: "custom", value: "abc", stored: "636261", type: "blob" },
];

shareDatabases();

describe("M15: every column mode", () => {
  for (const { mode, value, stored, type } of values) {
    const shown = typeof value === "bigint" ? `${value}n` : JSON.stringify(value);
    same(
      `reads back a ${mode} of ${shown}, alone, joined and through returning`,
      (db) => {
        const row = { id: 1, [mode]: value } as typeof modes.$inferInsert;
        const column = modes[mode];
        db.insert(users).values({ id: 7, name: "u" }).run();
        const returned = db.insert(modes).values(row).returning({ value: column }).get();
        const all = db.select().from(modes).get();
        const joined = db
          .select({ value: column, name: users.name })
          .from(modes)
          .innerJoin(users, sql`true`)
          .get();
        const raw = db.get<{ type: string; stored: string }>(
          sql`select typeof(${column}) as type,
            iif(typeof(${column}) = 'blob', hex(${column}), cast(${column} as text)) as stored
            from ${modes}`,
        );
        return {
          returned: returned?.value,
          all: all?.[mode],
          joined: joined?.value,
          type: raw.type,
          stored: raw.stored?.toLowerCase(),
        };
      },
      { returned: value, all: value, joined: value, type, stored: stored.toLowerCase() },
    );
  }

  for (const mode of Object.keys(getTableColumns(modes)).filter((key) => key !== "id") as Mode[]) {
    same(
      `keeps null in ${mode}, written and left out`,
      (db) => {
        db.insert(modes)
          .values([{ id: 1, [mode]: null }, { id: 2 }] as never)
          .run();
        return db.select({ value: modes[mode] }).from(modes).all();
      },
      [{ value: null }, { value: null }],
    );
    same(
      `finds by ${mode} in a where clause`,
      (db) => {
        const { value } = values.find((entry) => entry.mode === mode) ?? { value: 7n };
        if (mode === "userId") return 1;
        db.insert(modes)
          .values({ id: 1, [mode]: value } as never)
          .run();
        return db
          .select({ id: modes.id })
          .from(modes)
          .where(eq(modes[mode], value as never))
          .all().length;
      },
      1,
    );
  }

  same(
    "maps a whole row in one go, with keys in the order of the table",
    (db) => {
      db.insert(modes)
        .values({ id: 1, number: 1, json: { a: 1 }, bytes, list: ["x"] })
        .run();
      return db.select().from(modes).all();
    },
    [
      {
        id: 1,
        number: 1,
        boolean: null,
        seconds: null,
        millis: null,
        string: null,
        choice: null,
        json: { a: 1 },
        bytes,
        blobJson: null,
        blobBig: null,
        float: null,
        decimal: null,
        decimalNumber: null,
        decimalBig: null,
        list: ["x"],
        custom: null,
        exact: null,
        userId: null,
      },
    ],
  );

  same(
    "keeps 10 MB of text and of bytes",
    (db) => {
      const text = "x".repeat(10_000_000);
      const blob = Buffer.alloc(10_000_000, 7);
      db.insert(modes).values({ id: 1, string: text, bytes: blob }).run();
      const row = db.select({ string: modes.string, bytes: modes.bytes }).from(modes).get();
      return [row?.string === text, row?.bytes?.equals(blob)];
    },
    [true, true],
  );
});

describe("M15: integers beyond 2^53", () => {
  const extremes = [-(2n ** 63n), -(2n ** 53n) - 1n, -1n, 0n, 2n ** 53n + 1n, 2n ** 63n - 1n];

  it("are exact in an int64 column: select, join, returning, where, order, aggregate", () => {
    const db = ours();
    const rows = extremes.map((exact, index) => ({ id: index + 1, exact }));
    const returned = db.insert(modes).values(rows).returning({ exact: modes.exact }).all();
    expect(returned.map(({ exact }) => exact)).toEqual(extremes);
    const found = db.select({ exact: modes.exact }).from(modes).orderBy(modes.exact).all();
    expect(found.map(({ exact }) => exact)).toEqual(extremes);
    expect(
      db
        .select()
        .from(modes)
        .where(eq(modes.exact, extremes[4] as bigint))
        .get()?.id,
    ).toBe(5);
    const max = db
      .select({ max: sql`max(${modes.exact})`.mapWith(modes.exact) })
      .from(modes)
      .get();
    expect(max?.max).toBe(2n ** 63n - 1n);
  });

  it("are exact next to plain integers, which stay numbers", () => {
    const db = ours();
    db.insert(modes)
      .values({ id: 1, exact: big, number: 5, seconds: new Date(1000), boolean: true })
      .run();
    expect(db.select().from(modes).get()).toMatchObject({
      id: 1,
      exact: big,
      number: 5,
      seconds: new Date(1000),
      boolean: true,
    });
    expect(db.select({ exact: modes.exact, sum: sql<number>`1 + 1` }).from(modes).get()).toEqual({
      exact: big,
      sum: 2,
    });
  });

  it("are exact in a nested relation", () => {
    const db = ours();
    db.insert(users).values({ id: 1, name: "u" }).run();
    db.insert(modes).values({ id: 1, exact: big, userId: 1 }).run();
    const found = db.query.users.findFirst({ with: { modes: true } }).sync();
    expect(found?.modes[0]?.exact).toBe(big);
    expect(db.query.modes.findFirst({ with: { user: true } }).sync()).toMatchObject({
      exact: big,
      id: 1,
      user: { id: 1, verified: false },
    });
  });

  it("are exact in a numeric column of mode bigint and in one of strings", () => {
    const db = ours();
    db.insert(modes)
      .values({ id: 1, decimalBig: big, decimal: `${big}`, userId: null })
      .run();
    expect(db.select().from(modes).get()).toMatchObject({ decimalBig: big, decimal: `${big}` });
    expect(db.query.modes.findFirst().sync()).toMatchObject({ decimalBig: big, decimal: `${big}` });
  });

  it.each(["get", "all"] as const)(
    "throw in a plain column rather than be rounded: %s",
    (method) => {
      const db = ours();
      db.insert(modes).values({ id: 1, exact: big }).run();
      db.run(sql`update modes set number = exact`);
      const plain = db.select({ number: modes.number }).from(modes);
      const mixed = db.select({ number: modes.number, exact: modes.exact }).from(modes);
      const relational = db.query.modes.findMany({ columns: { number: true } });
      for (const run of [() => plain[method](), () => mixed[method](), () => relational.sync()]) {
        expect(run).toThrow(expect.objectContaining({ code: "UNSAFE_INTEGER" }));
        expect(run).toThrow(/"number".*int64\(\)/s);
      }
    },
  );

  it("throw in a nested relation too", () => {
    const db = ours();
    db.insert(users).values({ id: 1, name: "u" }).run();
    db.insert(modes).values({ id: 1, exact: big, userId: 1 }).run();
    db.run(sql`update modes set number = exact`);
    const query = db.query.users.findFirst({ with: { modes: { columns: { number: true } } } });
    expect(() => query.sync()).toThrow(expect.objectContaining({ code: "UNSAFE_INTEGER" }));
  });

  it("are refused when they are written as something else than a bigint of 64 bits", () => {
    const db = ours();
    for (const exact of [2n ** 63n, -(2n ** 63n) - 1n, 5 as unknown as bigint]) {
      expect(() => db.insert(modes).values({ id: 1, exact }).run()).toThrow(
        expect.objectContaining({ code: "INVALID_PARAMETER" }),
      );
    }
  });
});

describe("M15: values SQLite cannot keep", () => {
  const refused: readonly [string, Partial<typeof modes.$inferInsert>, string][] = [
    ["NaN, which would become NULL", { float: Number.NaN }, "INVALID_PARAMETER"],
    ["an object in a text column", { string: {} as string }, "INVALID_PARAMETER"],
    [
      "a Date in a plain integer column",
      { number: new Date() as unknown as number },
      "INVALID_PARAMETER",
    ],
    [
      "a bigint over 64 bits in a plain integer column",
      { number: (2n ** 64n) as unknown as number },
      "",
    ],
  ];
  it.each(refused)("are refused: %s", (_name, row, code) => {
    const db = ours();
    const run = () =>
      db
        .insert(modes)
        .values({ id: 1, ...row })
        .run();
    if (code === "") expect(run).toThrow();
    else expect(run).toThrow(expect.objectContaining({ code }));
    expect(db.$count(modes).sync()).toBe(0);
  });

  it("are refused as undefined placeholders, where the official driver binds NULL", () => {
    const db = ours();
    const query = db
      .insert(modes)
      .values({ string: sql.placeholder("string") })
      .prepare();
    expect(() => query.run({ string: undefined })).toThrow(
      expect.objectContaining({ code: "INVALID_PARAMETER" }),
    );
    expect(() => query.run({})).toThrow('No value for placeholder "string" was provided');
  });
});
