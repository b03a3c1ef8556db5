import { execFileSync } from "node:child_process";
import { sql } from "drizzle-orm";
// what the official drivers map rows with; not published, so it may move
import * as utils from "drizzle-orm/utils";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SelectedField } from "../src/drizzle-internals.ts";
import { compileRows } from "../src/row-compiler.ts";
import { RowMapper } from "../src/row-mapper.ts";
import { planRows } from "../src/row-plan.ts";
import { modes, posts, users } from "./schema.ts";

interface Unpublished {
  mapResultRow(fields: unknown, row: unknown[], notNull: unknown): unknown;
  orderSelectedFields(fields: unknown): SelectedField[];
}
const { mapResultRow, orderSelectedFields } = utils as unknown as Unpublished;

/** Fields by name, so that a failing case can be read. */
const fields: Readonly<Record<string, unknown>> = {
  id: users.id,
  verified: users.verified,
  name: users.name,
  title: posts.name,
  seconds: modes.seconds,
  json: modes.json,
  list: modes.list,
  expression: sql`1`,
  mapped: sql`1`.mapWith(String),
  aliased: sql`1`.as("x"),
};
const leaf = fc.constantFrom(...Object.keys(fields));

function resolved(selected: unknown): unknown {
  if (typeof selected === "string") return fields[selected];
  return Object.fromEntries(
    Object.entries(selected as object).map(([name, inner]) => [name, resolved(inner)]),
  );
}

// Drizzle loses nested objects whose name every object inherits, such as "constructor"
const key = fc
  .oneof(fc.constantFrom("a", "1", "quo'te\"", "length", "then", "ü"), fc.string({ minLength: 1 }))
  .filter((name) => !(name in {}));
const object = (inner: fc.Arbitrary<unknown>) =>
  fc
    .uniqueArray(fc.tuple(key, inner), { minLength: 1, maxLength: 5, selector: ([name]) => name })
    .map((entries) => Object.fromEntries(entries));
const selection = object(
  fc.oneof(
    { weight: 3, arbitrary: leaf },
    object(fc.oneof({ weight: 3, arbitrary: leaf }, object(leaf))),
  ),
);

/** A value that every decoder of {@link leaf} takes. */
const raw = fc.constantFrom(null, "0", "1", "2");

describe("M17: the row mapper", () => {
  it("builds the same objects in both ways, and those that Drizzle builds", () => {
    fc.assert(
      fc.property(selection, fc.infiniteStream(raw), (selected, values) => {
        const flat = orderSelectedFields(resolved(selected));
        const rows = [1, 2, 3].map(() => flat.map(() => values.next().value as never));
        const mapper = new RowMapper(flat, undefined);
        const walked = rows.map((row) => mapper.row(row));
        expect(compileRows(planRows(flat, undefined))?.(rows)).toEqual(walked);
        expect(walked).toEqual(rows.map((row) => mapResultRow(flat, row, undefined)));
        expect(JSON.stringify(walked)).toBe(
          JSON.stringify(rows.map((row) => mapResultRow(flat, row, undefined))),
        );
      }),
      { numRuns: 300 },
    );
  });

  it("makes an object null when all its columns are and its table may have no row, in both ways", () => {
    const flat = orderSelectedFields({
      user: { id: users.id, name: users.name },
      post: { name: posts.name, author: posts.authorId, up: sql`1` },
      mixed: { user: users.id, post: posts.id },
      deep: { post: { id: posts.id } },
    });
    const notNull = { users: true, posts: false };
    const cases: [unknown[], unknown][] = [
      [[1, "a", null, null, null, null, null, null], null],
      [[1, "a", null, 7, null, null, null, null], { name: null, author: 7, up: null }],
      [[1, "a", null, null, 5, null, null, null], null],
    ];
    const plan = planRows(flat, notNull);
    for (const [row, post] of cases) {
      const walked = new RowMapper(flat, notNull).row(row);
      expect(compileRows(plan)?.([row])).toEqual([walked]);
      expect(walked).toEqual({
        user: { id: 1, name: "a" },
        post,
        mixed: { user: null, post: null },
        deep: { post: { id: null } },
      });
    }
  });

  it("keeps a key called __proto__ as data, in both ways", () => {
    const fields: SelectedField[] = [
      { path: ["__proto__"], field: users.id },
      { path: ["x"], field: users.name },
    ];
    for (const row of [
      new RowMapper(fields, undefined).row([5, "a"]),
      compileRows(planRows(fields, undefined))?.([[5, "a"]])[0],
    ]) {
      expect(Object.keys(row as object)).toEqual(["__proto__", "x"]);
      expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
    }
  });

  it("keeps a nested object whose name every object inherits, in both ways", () => {
    const flat = orderSelectedFields({ constructor: { toString: users.id } });
    const expected = [{ constructor: { toString: 5 } }];
    expect([new RowMapper(flat, undefined).row([5])]).toEqual(expected);
    expect(compileRows(planRows(flat, undefined))?.([[5]])).toEqual(expected);
  });

  it("puts nothing of a key into the generated code but a string", () => {
    const evil = '"] : (globalThis.hacked = true), ["';
    const fields: SelectedField[] = [{ path: [evil, "\u2028\n`$1`"], field: users.id }];
    expect(compileRows(planRows(fields, undefined))?.([[5]])).toEqual([
      { [evil]: { "\u2028\n`$1`": 5 } },
    ]);
    expect(globalThis).not.toHaveProperty("hacked");
  });

  it("goes over to generated code in a long result, with the same objects", () => {
    const flat = orderSelectedFields({ id: users.id, v: users.verified });
    const mapper = new RowMapper(flat, undefined);
    const rows = Array.from({ length: 1_000 }, (_, index) => [index, index % 2]);
    const expected = rows.map(([id, v]) => ({ id, v: v === 1 }));
    expect(mapper.rows(rows.slice(0, 10))).toEqual(expected.slice(0, 10));
    expect(mapper.rows(rows)).toEqual(expected);
    expect(mapper.rows(rows.slice(0, 10))).toEqual(expected.slice(0, 10));
    expect(mapper.rows([])).toEqual([]);
  });

  it("does without generated code where that is forbidden", () => {
    const script = new URL("./children/many-rows.ts", import.meta.url).pathname;
    const output = execFileSync(
      process.execPath,
      ["--conditions=@alkdev/source", "--disallow-code-generation-from-strings", script],
      { encoding: "utf8" },
    );
    expect(JSON.parse(output)).toEqual({
      forbidden: true,
      rows: 1_000,
      last: { i: 1_000, even: true },
    });
  });
});
