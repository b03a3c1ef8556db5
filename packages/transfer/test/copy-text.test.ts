import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { copyFields } from "../src/postgres/copy-text.ts";
import { openSource } from "../src/postgres/source.ts";
import { POSTGRES_URL } from "./services.ts";

/** Any text that PostgreSQL can hold: no null character, no lone surrogates. */
const text = fc.string({ unit: "binary" }).map((value) => value.replaceAll("\0", ""));

describe("text of COPY (M38)", () => {
  it("tells nothing, empty and a backslash with an N apart", () => {
    expect(copyFields("\\N\t\t\\\\N\ta\\tb\\\\\\n")).toEqual([null, "", "\\N", "a\tb\\\n"]);
  });

  it("gives back whatever PostgreSQL was given", async () => {
    const source = await openSource(POSTGRES_URL);
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.option(text), { minLength: 1, maxLength: 5 }), async (row) => {
          const values = row.map((value) => (value === null ? "NULL" : source.quote(value)));
          const sql = `SELECT ${values.map((value) => `${value}::text`).join(", ")}`;
          const found = [];
          for await (const batch of source.batches(sql, 10)) found.push(...batch);
          expect(found).toEqual([row]);
        }),
        { numRuns: 200 },
      );
    } finally {
      await source.close();
    }
  });

  it("reads batches of the asked size, and ends the connection when it is left in the middle", async () => {
    const source = await openSource(POSTGRES_URL);
    const sizes = [];
    const sql = "SELECT i::text, repeat('ä', i % 5000) FROM generate_series(1, 2500) i";
    for await (const batch of source.batches(sql, 1_000)) sizes.push(batch.length);
    expect(sizes).toEqual([1_000, 1_000, 500]);
    for await (const _batch of source.batches(sql, 1_000)) break;
    await expect(source.rows("SELECT 1")).rejects.toThrow();
  });
});
