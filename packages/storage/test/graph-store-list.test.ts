import {
  type Condition,
  createGraphStore,
  type Graph,
  type OrderBy,
  type Scalar,
  type Where,
} from "@alkdev/storage/sqlite";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Fixture, fixture, graphOf, planOf, task } from "./graph-store-fixture.ts";

const failsWith = (code: string, details: object = {}) =>
  expect.objectContaining({ code, details: expect.objectContaining(details) });

const VALUES: readonly unknown[] = [
  ...[0, 1, -1, 1.5, 2 ** 53, 1e300, "", "0", "1", "a", "A", "é", "true", "null", '{"a":1}', "[]"],
  ...[true, false, null, [], [1], {}, { a: 1 }],
];

function things(values: readonly unknown[], attribute = "x"): Graph {
  const graph = graphOf(fixture(), "loose_graph");
  const rows = values.map((value, i) => ({
    key: `n${String(i).padStart(3, "0")}`,
    type: "thing",
    attributes: value === undefined ? {} : ({ [attribute]: value } as never),
  }));
  graph.insertNodes(rows);
  return graph;
}

const xs = (graph: Graph, where: Where): readonly unknown[] =>
  graph.listNodes({ where }).items.map(({ attributes }) => attributes.x);

describe("graph store: filters by attribute (M27)", () => {
  test.each(VALUES.filter((value) => typeof value !== "object" || value === null))(
    "equality with %j finds that value alone, of its own kind",
    (value) => {
      const graph = things([...VALUES, undefined]);
      expect(xs(graph, { x: value as Scalar })).toEqual([value]);
      expect(xs(graph, { x: { eq: value as Scalar } })).toEqual([value]);
      expect(xs(graph, { x: { in: [value as Scalar] } })).toEqual([value]);
      expect(graph.countNodes({ where: { x: value as Scalar } })).toBe(1);
    },
  );

  test.each<[string, Condition, readonly unknown[]]>([
    ["gt 0", { gt: 0 }, [1, 1.5, 2 ** 53, 1e300]],
    ["gte 0 and lt 1.5", { gte: 0, lt: 1.5 }, [0, 1]],
    ["lte -1", { lte: -1 }, [-1]],
    ["gt a text", { gt: "a" }, ["é", "true", "null", '{"a":1}']],
    ["lt a text", { lt: "1" }, ["", "0"]],
    ["in of every kind", { in: [1, "1", true, null, 7] }, [1, "1", true, null]],
    ["in of nothing", { in: [] }, []],
    ["is null", { isNull: true }, [null]],
    ["exists", { exists: true }, VALUES],
    ["exists not", { exists: false }, [undefined]],
    ["is not null", { isNull: false }, VALUES.filter((value) => value !== null)],
    ["an undefined condition beside another", { eq: undefined as never, lt: 0 }, [-1]],
  ])("%s", (_what, condition, expected) => {
    const found = xs(things([...VALUES, undefined]), { x: condition });
    const sorted = (values: readonly unknown[]) =>
      values.map((value) => JSON.stringify(value)).sort();
    expect(sorted(found)).toEqual(sorted(expected));
  });

  test.each([
    "plain",
    "a.b",
    "a/b",
    "a~b",
    "'",
    '"',
    "\\",
    '\\"',
    "$",
    "[0]",
    "#",
    "?",
    "💡",
    "\n",
    "\u0001",
    "__proto__",
    "a b",
    "') OR 1=1 --",
    '"); DROP TABLE nodes; --',
    " ",
  ])("an attribute named %j", (name) => {
    const graph = graphOf(fixture(), "loose_graph");
    const attributes = Object.fromEntries([[name, 1]]);
    const inner = Object.fromEntries([["in.ner", attributes]]);
    graph.insertNodes([
      { key: "outer", type: "thing", attributes },
      { key: "inner", type: "thing", attributes: inner },
      { key: "other", type: "thing", attributes: { x: 1 } },
    ]);
    const pointer = `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    const keys = (where: Where) => graph.listNodes({ where }).items.map(({ key }) => key);
    const path = Object.fromEntries([[pointer, 1]]);
    expect(keys(path)).toEqual(["outer"]);
    expect(keys(Object.fromEntries([[`/in.ner${pointer}`, 1]]))).toEqual(["inner"]);
    expect(
      graph.listNodes({ orderBy: { attribute: pointer, direction: "desc" } }).items[0]?.key,
    ).toBe("outer");
  });

  test.each<[string, unknown]>([
    ["where that is text", "x = 1"],
    ["where that is an array", []],
    ["an empty path", { "": 1 }],
    ["an empty name in a path", { "a..b": 1 }],
    ["a pointer to nothing", { "/": 1 }],
    ["a path without end", { [Array(20).fill("a").join(".")]: 1 }],
    ["a path with a NUL", { "a\0": 1 }],
    ["no condition", { x: {} }],
    ["an unknown condition", { x: { like: "a%" } }],
    ["an inherited condition", { x: { toString: 1 } }],
    ["a value that is an array", { x: [1] }],
    ["a value that is a date", { x: new Date() }],
    ["NaN", { x: Number.NaN }],
    ["half a surrogate pair", { x: { in: ["\ud800"] } }],
    ["a bigint", { x: 1n }],
    ["undefined", { x: undefined }],
    ["in without an array", { x: { in: "abc" } }],
    ["in with an object", { x: { in: [{}] } }],
    ["a comparison with null", { x: { gt: null } }],
    ["a comparison with a boolean", { x: { lt: true } }],
    ["exists that is a number", { x: { exists: 1 } }],
    ["isNull that is null", { x: { isNull: null } }],
  ])("%s is refused", (_what, where) => {
    const graph = things([1]);
    expect(() => graph.listNodes({ where: where as Where })).toThrow(failsWith("INVALID_ARGUMENT"));
    expect(() => graph.countNodes({ where: where as Where })).toThrow(
      failsWith("INVALID_ARGUMENT"),
    );
  });

  test.each<[string, object]>([
    ["an empty type", { type: "" }],
    ["a type that is a number", { type: 1 }],
    ["an order by nothing", { orderBy: { attribute: "" } }],
    ["an unknown direction", { orderBy: { attribute: "x", direction: "up; DROP TABLE nodes" } }],
    ["a limit of 1.5", { limit: 1.5 }],
    ["another order's cursor", { cursor: Buffer.from('["nodes key",1,2]').toString("base64url") }],
  ])("a list with %s is refused", (_what, options) => {
    expect(() => things([1]).listNodes(options)).toThrow(failsWith("INVALID_ARGUMENT"));
  });

  test("a type that holds a quote is a type, not SQL", () => {
    const graph = things([1]);
    expect(graph.listNodes({ type: "thing' OR '1'='1" }).items).toEqual([]);
  });
});

describe("graph store: pages (M27)", () => {
  const scalar = fc.oneof(
    fc.constantFrom<unknown>(undefined, null, true, false, "", "a", "b", 0, 1, 2, [1], { a: 1 }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string({ unit: "grapheme", maxLength: 3 }),
    fc.constantFrom("\ud800", "\udfff", "a\0", "\ufffd", "x\ud83d", "💡"),
  );
  const order = fc.option(
    fc.record({ attribute: fc.constant("x"), direction: fc.constantFrom("asc", "desc") }),
    { nil: undefined },
  ) as fc.Arbitrary<OrderBy | undefined>;

  test("pages of any size are together the whole list, in one order", () => {
    fc.assert(
      fc.property(
        fc.array(scalar, { maxLength: 25 }),
        order,
        fc.integer({ min: 1, max: 7 }),
        (values, orderBy, limit) => {
          const graph = things(values);
          const options = orderBy === undefined ? {} : { orderBy };
          const whole = graph.listNodes(options).items.map(({ key }) => key);
          expect([...whole].sort()).toEqual(graph.listNodes().items.map(({ key }) => key));
          const paged: string[] = [];
          let cursor: string | null = null;
          do {
            const page: ReturnType<Graph["listNodes"]> = graph.listNodes({
              ...options,
              limit,
              cursor,
            });
            expect(page.items.length).toBeLessThanOrEqual(limit);
            paged.push(...page.items.map(({ key }) => key));
            cursor = page.cursor;
          } while (cursor !== null);
          expect(paged).toEqual(whole);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("rows that come and go between pages shift nothing", () => {
    const graph = things(Array.from({ length: 10 }, (_, i) => i));
    const first = graph.listNodes({ limit: 4 });
    graph.deleteNodes(["n000", "n003"]);
    graph.insertNodes([
      { key: "n0005", type: "thing" },
      { key: "n0045", type: "thing" },
    ]);
    const second = graph.listNodes({ limit: 10, cursor: first.cursor });
    expect(second.items.map(({ key }) => key)).toEqual([
      "n004",
      "n0045",
      "n005",
      "n006",
      "n007",
      "n008",
      "n009",
    ]);
  });

  test("every row of an iteration is seen once, and others can write meanwhile", () => {
    const graph = things(Array.from({ length: 2_100 }, (_, i) => i % 3));
    let seen = 0;
    for (const { key } of graph.eachNode({ where: { x: 1 } })) {
      if (seen % 500 === 0) graph.patchNode(key, { y: seen });
      seen += 1;
    }
    expect(seen).toBe(700);
  });
});

describe("graph store: declared indexes (M27)", () => {
  test.each<[string, Where, OrderBy | undefined, string, RegExp]>([
    [
      "equality with a text",
      { state: "open" },
      undefined,
      "state",
      /\(graph_id=\? AND <expr>=\?\)/,
    ],
    ["equality with a boolean", { flag: true }, undefined, "flag", /\(graph_id=\? AND <expr>=\?\)/],
    [
      "equality below an object",
      { "size.width": 3 },
      undefined,
      "size.width",
      /\(graph_id=\? AND <expr>=\?\)/,
    ],
    [
      "one of many",
      { state: { in: ["open", "done"] } },
      { attribute: "state" },
      "state",
      /\(graph_id=\? AND <expr>=\?\)/,
    ],
    ["a null", { state: null }, undefined, "state", /\(graph_id=\? AND <expr>=\?\)/],
    [
      "a range in its order",
      { "size.width": { gt: 3 } },
      { attribute: "size.width" },
      "size.width",
      /\(graph_id=\? AND <expr>>\?\)/,
    ],
    [
      "an order alone",
      {},
      { attribute: "size.width", direction: "desc" },
      "size.width",
      /\(graph_id=\?\)/,
    ],
  ])("%s is a search of the index", (_what, where, orderBy, attribute, search) => {
    const all = fixture();
    const { client, store, graph } = all;
    graph.insertNodes(
      Array.from({ length: 300 }, (_, i) =>
        task(`n${i}`, { state: i % 2 ? "open" : "done", size: { width: i } }),
      ),
    );
    expect(store.declareIndex({ graphType: "task_graph", nodeType: "task", attribute })).toBe(true);
    const list = () => graph.listNodes({ type: "task", where, ...(orderBy && { orderBy }) });
    for (const statistics of [false, true]) {
      if (statistics) client.execute("ANALYZE");
      const fresh = fixtureOver(all);
      const plan = planOf(all, () =>
        fresh.listNodes({ type: "task", where, ...(orderBy && { orderBy }) }),
      );
      expect(plan).toMatch(/SEARCH nodes USING INDEX alk_attribute_[0-9a-f]{32}/);
      expect(plan).toMatch(search);
      if (orderBy !== undefined && !("in" in Object(where.state)))
        expect(plan).not.toMatch(/TEMP B-TREE/);
    }
    const indexed = list();
    store.dropIndex({ nodeType: "task", attribute });
    expect(list()).toEqual(indexed);
  });

  test("an index is declared once, listed, and dropped", () => {
    const { store } = fixture();
    const index = { graphType: "task_graph", nodeType: "task", attribute: "size.width" };
    expect(store.declareIndex(index)).toBe(true);
    expect(store.declareIndex({ ...index, attribute: "/size/width" })).toBe(false);
    expect(store.declareIndex({ ...index, attribute: "state" })).toBe(true);
    expect(store.declareIndex({ ...index, attribute: "State" })).toBe(true);
    expect(store.listIndexes()).toEqual([
      { nodeType: "task", attribute: "/size/width" },
      { nodeType: "task", attribute: "/state" },
      { nodeType: "task", attribute: "/State" },
    ]);
    expect(store.dropIndex(index)).toBe(true);
    expect(store.dropIndex(index)).toBe(false);
    expect(store.listIndexes()).toHaveLength(2);
  });

  test.each(["a.b", "it's", 'say "hi"', "back\\slash", "a/b~c", "') --", "*/"])(
    "an index of an attribute named %j",
    (name) => {
      const { store, graph } = fixture();
      const attribute = `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      graph.insertNodes([task("a", { [name]: 1 }), task("b")]);
      store.declareIndex({ graphType: "task_graph", nodeType: "task", attribute });
      expect(store.listIndexes()).toEqual([{ nodeType: "task", attribute }]);
      expect(graph.listNodes({ type: "task", where: { [attribute]: 1 } }).items).toHaveLength(1);
      expect(store.dropIndex({ nodeType: "task", attribute })).toBe(true);
    },
  );

  test.each<[string, object, string]>([
    ["an unknown graph type", { graphType: "none" }, "NOT_FOUND"],
    ["an unknown node type", { nodeType: "none" }, "NOT_FOUND"],
    [
      "an attribute that a closed type lacks",
      { nodeType: "person", attribute: "age" },
      "INVALID_ARGUMENT",
    ],
    ["an empty attribute", { attribute: "" }, "INVALID_ARGUMENT"],
    ["an attribute that is no text", { attribute: 3 }, "INVALID_ARGUMENT"],
  ])("an index for %s is refused", (_what, change, code) => {
    const { store } = fixture();
    const index = { graphType: "task_graph", nodeType: "task", attribute: "title" };
    expect(() => store.declareIndex({ ...index, ...change })).toThrow(failsWith(code));
    expect(store.listIndexes()).toEqual([]);
  });

  /** A handle whose statements are prepared anew. */
  function fixtureOver({ db, graph }: Fixture): Graph {
    return createGraphStore(db).graph(graph.id);
  }
});
