import { open } from "@alkdev/honker";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTables, type Row, type Tables } from "./table-operations-fixture.ts";

interface Page {
  readonly items: readonly Row[];
  readonly cursor: string | null;
}

let tables: Tables;
let all: readonly Row[];
const list = (input: unknown) => tables.call<Page>("accounts.list", input);

/** 60 accounts with equal values in every column but `id` and `email`, and nulls. */
const ACCOUNTS = `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 59)
  INSERT INTO accounts (id, email, display_name, access_level, status, created_at)
  SELECT printf('id-%02d', i * 7 % 60), printf('%c%d@x', 97 + i % 3, i),
    CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN 'Ünïcode' WHEN 2 THEN '100%' ELSE 'a_b' END,
    CASE i % 3 WHEN 0 THEN 'admin' ELSE 'user' END, 'active', 1000 + i % 5 FROM n`;

// these tests only read, so they share their rows
beforeAll(async () => {
  tables = openTables(() => open(":memory:"));
  tables.system.execute(ACCOUNTS);
  all = (await list({ limit: 500 })).items;
});

afterAll(() => {
  tables.system.close();
  tables.tenant.$client.close();
});

async function everyPage(input: {
  readonly limit: number;
  readonly sort: unknown;
}): Promise<readonly Row[]> {
  const rows: Row[] = [];
  let cursor: string | null = null;
  do {
    const page: Page = await list({ ...input, ...(cursor === null ? {} : { cursor }) });
    expect(page.items.length).toBeLessThanOrEqual(input.limit);
    rows.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== null);
  return rows;
}

describe("list (M32)", () => {
  it.each<[string, unknown]>([
    ["no rows", { limit: 0 }],
    ["more than 500 rows", { limit: 501 }],
    ["half a row", { limit: 1.5 }],
    ["NaN rows", { limit: Number.NaN }],
    ["an empty cursor", { cursor: "" }],
    ["a number as cursor", { cursor: 1 }],
    ["an unknown column", { filter: { nothing: { eq: "x" } } }],
    ["an inherited name", { filter: { constructor: { eq: "x" } } }],
    ["JSON columns", { filter: { metadata: { eq: "{}" } } }],
    ["no condition", { filter: { email: {} } }],
    ["an unknown operator", { filter: { email: { regexp: "x" } } }],
    ["a value of another type", { filter: { email: { eq: 1 } } }],
    ["null as a value", { filter: { displayName: { eq: null } } }],
    ["a value that is none of the enum", { filter: { status: { eq: "gone" } } }],
    ["nothing in a list", { filter: { email: { in: [] } } }],
    ["too much in a list", { filter: { email: { in: Array(501).fill("x") } } }],
    ["a pattern that is too long", { filter: { email: { like: "%".repeat(257) } } }],
    ["null of a column that has none", { filter: { email: { isNull: true } } }],
    ["a moment without time zone", { filter: { createdAt: { gt: "2026-01-01T00:00:00" } } }],
    ["a moment as a number", { filter: { createdAt: { gt: 1000 } } }],
    ["an order by nothing", { sort: [] }],
    ["an order by an unknown column", { sort: [{ column: "x" }] }],
    ["an order by JSON", { sort: [{ column: "metadata" }] }],
    ["an unknown direction", { sort: [{ column: "email", direction: "up" }] }],
    ["an order by four columns", { sort: Array(4).fill({ column: "email" }) }],
    ["an offset", { offset: 10 }],
  ])("refuses %s", async (_name, input) => {
    expect((await tables.failure("accounts.list", input)).code).toBe("VALIDATION_ERROR");
  });

  it.each<[string, (cursor: string) => unknown]>([
    ["of another order", (cursor) => ({ cursor, sort: [{ column: "email" }] })],
    ["of another direction", (cursor) => ({ cursor, sort: [{ column: "id", direction: "desc" }] })],
    ["that is no base64", () => ({ cursor: "!" })],
    ["that is no list", () => ({ cursor: Buffer.from("{}").toString("base64url") })],
    [
      "with too few values",
      () => ({ cursor: Buffer.from('["accounts id"]').toString("base64url") }),
    ],
    [
      "with other values than texts and numbers",
      () => ({ cursor: Buffer.from('["accounts id",{}]').toString("base64url") }),
    ],
  ])("refuses a cursor %s", async (_name, make) => {
    const { cursor } = await list({ limit: 1 });
    expect((await tables.failure("accounts.list", make(cursor ?? ""))).code).toBe(
      "INVALID_ARGUMENT",
    );
  });

  it("refuses a cursor of another table", async () => {
    const { cursor } = await list({ limit: 1 });
    expect((await tables.failure("api_keys.list", { cursor })).code).toBe("INVALID_ARGUMENT");
  });

  it("refuses a day that does not exist", async () => {
    const input = { filter: { createdAt: { gt: "2026-02-30T00:00:00Z" } } };
    expect((await tables.failure("accounts.list", input)).code).toBe("INVALID_ARGUMENT");
  });

  it("gives 50 rows by id where nothing is said", async () => {
    const page = await list({});
    expect(page.items.map(({ id }) => id)).toEqual(
      Array.from({ length: 50 }, (_, i) => `id-${String(i).padStart(2, "0")}`),
    );
    expect(page.cursor).toMatch(/^[\w-]+$/);
  });

  const at = (seconds: number) => new Date(seconds * 1_000).toISOString();
  it.each<[string, object, (row: Row) => boolean]>([
    ["eq", { accessLevel: { eq: "admin" } }, (row) => row.accessLevel === "admin"],
    ["eq, ignoring case in emails", { email: { eq: "A0@X" } }, (row) => row.email === "a0@x"],
    [
      "ne, also where there is null",
      { displayName: { ne: "a_b" } },
      (row) => row.displayName !== "a_b",
    ],
    [
      "in",
      { email: { in: ["a0@x", "b1@x", "no"] } },
      (row) => ["a0@x", "b1@x"].includes(String(row.email)),
    ],
    ["isNull", { displayName: { isNull: true } }, (row) => row.displayName === null],
    ["not isNull", { displayName: { isNull: false } }, (row) => row.displayName !== null],
    ["like", { email: { like: "B%" } }, (row) => String(row.email).startsWith("b")],
    [
      "like with an escaped %",
      { displayName: { like: "100\\%" } },
      (row) => row.displayName === "100%",
    ],
    [
      "like with an escaped _",
      { displayName: { like: "a\\_b" } },
      (row) => row.displayName === "a_b",
    ],
    ["like of nothing", { displayName: { like: "" } }, () => false],
    ["lt", { createdAt: { lt: at(1002) } }, (row) => String(row.createdAt) < at(1002)],
    [
      "lt, half a second later",
      { createdAt: { lt: at(1002.5) } },
      (row) => String(row.createdAt) <= at(1002),
    ],
    ["lte", { createdAt: { lte: at(1002) } }, (row) => String(row.createdAt) <= at(1002)],
    [
      "gt, half a second later",
      { createdAt: { gt: at(1002.5) } },
      (row) => String(row.createdAt) > at(1002),
    ],
    [
      "gte, half a second later",
      { createdAt: { gte: at(1002.5) } },
      (row) => String(row.createdAt) > at(1002),
    ],
    ["eq, half a second later", { createdAt: { eq: at(1002.5) } }, () => false],
    ["a range", { id: { gte: "id-10", lt: "id-20" } }, ({ id }) => id >= "id-10" && id < "id-20"],
    [
      "several columns",
      { accessLevel: { eq: "admin" }, displayName: { isNull: true } },
      (row) => row.accessLevel === "admin" && row.displayName === null,
    ],
    ["SQL in a value", { email: { eq: "' OR 1=1 --" } }, () => false],
  ])("filters by %s", async (_name, filter, holds) => {
    const { items } = await list({ filter, limit: 500 });
    expect(items).toEqual(all.filter(holds));
  });

  it("pages through everything once, in order, whatever the order and the size of a page", async () => {
    const column = fc.constantFrom("displayName", "accessLevel", "createdAt", "status", "id");
    const direction = fc.constantFrom("asc" as const, "desc" as const);
    const sort = fc.uniqueArray(fc.record({ column, direction }), {
      minLength: 1,
      maxLength: 3,
      selector: (part) => part.column,
    });
    await fc.assert(
      fc.asyncProperty(sort, fc.integer({ min: 1, max: 70 }), async (order, limit) => {
        const rows = await everyPage({ sort: order, limit });
        const last = order.at(-1)?.direction ?? "asc";
        const expected = all.toSorted((a, b) =>
          compare(a, b, [...order, { column: "id", direction: last }]),
        );
        expect(rows).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it("shifts nothing when rows come and go between two pages", async () => {
    const fresh = openTables();
    fresh.system.execute(ACCOUNTS);
    const sort = [{ column: "createdAt", direction: "desc" }];
    const first = await fresh.call<Page>("accounts.list", { sort, limit: 20 });
    fresh.system.execute("DELETE FROM accounts WHERE id = ?", [first.items[3]?.id as string]);
    fresh.system.execute(
      "INSERT INTO accounts (id, email, created_at) VALUES ('new', 'n@x', 9999)",
    );
    const rest = await fresh.call<Page>("accounts.list", {
      sort,
      limit: 500,
      cursor: first.cursor,
    });
    const ids = [...first.items, ...rest.items].map(({ id }) => id);
    expect(new Set(ids).size).toBe(60);
    expect(ids).toHaveLength(60);
  });
});

/** As SQLite sorts: null first, texts by their bytes. */
function compare(a: Row, b: Row, order: readonly { column: string; direction: string }[]): number {
  for (const { column, direction } of order) {
    const [left, right] = [a[column], b[column]] as [string | null, string | null];
    if (left === right) continue;
    const less =
      left === null ||
      (right !== null && Buffer.compare(Buffer.from(left), Buffer.from(right)) < 0);
    return (less ? -1 : 1) * (direction === "asc" ? 1 : -1);
  }
  return 0;
}
