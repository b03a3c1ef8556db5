import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openSource } from "../src/postgres/source.ts";
import { sourceSum, tableQuery } from "../src/postgres/table-query.ts";
import { RowSum } from "../src/row-sum.ts";
import { POSTGRES_URL } from "./services.ts";

const row = fc.array(fc.option(fc.string()), { minLength: 2, maxLength: 4 });

function sumOf(rows: readonly (readonly unknown[])[]) {
  const sum = new RowSum();
  for (const values of rows) sum.add(values);
  return sum.state();
}

describe("RowSum (M38)", () => {
  it("does not depend on the order, and can be kept and gone on with", () => {
    fc.assert(
      fc.property(fc.array(row), fc.nat(), (rows, cut) => {
        const at = rows.length === 0 ? 0 : cut % rows.length;
        const continued = new RowSum(sumOf(rows.slice(0, at)));
        for (const values of rows.slice(at)) continued.add(values);
        expect(continued.state()).toEqual(sumOf(rows.toReversed()));
      }),
    );
  });

  it("tells rows apart that differ in a value, in null and empty, or in where a value ends", () => {
    const sums = [
      ["a", "b"],
      ["ab", ""],
      ["a", null],
      ["a", ""],
      ["b", "a"],
    ].map((values) => sumOf([values]).sum);
    expect(new Set(sums).size).toBe(sums.length);
    expect(sumOf([["a"], ["a"]]).sum).not.toBe(sumOf([["a"]]).sum);
    expect(sumOf([[1, null]])).toEqual(sumOf([["1", null]]));
  });

  it("is what PostgreSQL computes over the same rows", async () => {
    const source = await openSource(POSTGRES_URL);
    try {
      const query = tableQuery("t", "FROM generate_series(1, 5000) i", {
        ...{ org: "NULL", id: "i::text" },
        value: "CASE WHEN i % 3 = 0 THEN NULL ELSE md5(i::text) || '🙂' END",
      });
      const read = new RowSum();
      for await (const batch of source.batches(query.select, 700)) {
        for (const values of batch) read.add(values);
      }
      expect(read.state()).toEqual(await sourceSum(source, query));
    } finally {
      await source.close();
    }
  });
});
