import {
  CallGraph,
  type ChangeKind,
  classifyChange,
  decideVersion,
  defineModule,
  describePlan,
  dryRun,
  type EvolvingRow,
  edgeAttributes,
  edgeConstraints,
  graphConfig,
  type JsonSchema,
  type Migration,
  migrateAttributes,
  migrateRow,
  moduleToDbSchema,
  nodeAttributes,
  planEvolution,
  rowVersion,
  StorageError,
  schemaValidator,
  stampVersion,
  systemModules,
} from "@alkdev/storage/graphs";
import { type TProperties, type TSchema, Type } from "@sinclair/typebox";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const json = (schema: TSchema): JsonSchema => JSON.parse(JSON.stringify(schema));
const closed = (properties: TProperties) =>
  Type.Object(properties, { additionalProperties: false });
const S = Type.String();

/** Old schema, new schema, what it is, the rule, where; for breaking ones a value that proves it. */
type Row = readonly [string, TSchema, TSchema, ChangeKind, string, string, unknown?];

const CHANGES: readonly Row[] = [
  [
    "optional property added",
    closed({}),
    closed({ a: Type.Optional(S) }),
    "additive",
    "property-added",
    "/a",
  ],
  [
    "required property added",
    closed({}),
    closed({ a: S }),
    "breaking",
    "required-property-added",
    "/a",
    {},
  ],
  [
    "property removed",
    closed({ a: Type.Optional(S) }),
    closed({}),
    "breaking",
    "property-removed",
    "/a",
    { a: "x" },
  ],
  [
    "property removed from an open object",
    Type.Object({ a: S }),
    Type.Object({}),
    "additive",
    "property-removed",
    "/a",
  ],
  [
    "property added to an open object",
    Type.Object({}),
    Type.Object({ a: Type.Optional(S) }),
    "additive",
    "property-added",
    "/a",
  ],
  [
    "property became required",
    closed({ a: Type.Optional(S) }),
    closed({ a: S }),
    "breaking",
    "became-required",
    "/a",
    {},
  ],
  [
    "property became optional",
    closed({ a: S }),
    closed({ a: Type.Optional(S) }),
    "additive",
    "became-optional",
    "/a",
  ],
  ["object closed", Type.Object({}), closed({}), "breaking", "closed", "", { x: 1 }],
  ["object opened", closed({}), Type.Object({}), "additive", "opened", ""],
  [
    "type changed",
    closed({ a: S }),
    closed({ a: Type.Integer() }),
    "breaking",
    "type-changed",
    "/a",
    { a: "x" },
  ],
  [
    "type widened to a union",
    closed({ a: S }),
    closed({ a: Type.Union([S, Type.Null()]) }),
    "additive",
    "alternative-added",
    "/a",
  ],
  [
    "union narrowed",
    Type.Union([S, Type.Object({})]),
    S,
    "breaking",
    "alternative-removed",
    "",
    {},
  ],
  ["integer to number", Type.Integer(), Type.Number(), "additive", "type-widened", ""],
  ["number to integer", Type.Number(), Type.Integer(), "breaking", "type-changed", "", 1.5],
  [
    "anything allowed",
    closed({ a: S }),
    closed({ a: Type.Unknown() }),
    "additive",
    "type-widened",
    "/a",
  ],
  ["anything no longer allowed", Type.Unknown(), S, "breaking", "type-changed", "", 1],
  [
    "enum value added",
    Type.Union([Type.Literal("a"), Type.Literal("b")]),
    Type.Union([Type.Literal("a"), Type.Literal("b"), Type.Literal("c")]),
    "additive",
    "value-added",
    "",
  ],
  [
    "enum value removed",
    Type.Union([Type.Literal("a"), Type.Literal("b")]),
    Type.Literal("a"),
    "breaking",
    "value-removed",
    "",
    "b",
  ],
  ["enum opened to any text", Type.Literal("a"), S, "additive", "type-widened", ""],
  [
    "enum that a pattern refuses",
    Type.Union([Type.Literal("a"), Type.Literal("b")]),
    Type.String({ pattern: "^a$" }),
    "breaking",
    "value-removed",
    "",
    "b",
  ],
  ["boolean to true", Type.Boolean(), Type.Literal(true), "breaking", "value-removed", "", false],
  [
    "longer minimum length",
    Type.String({ minLength: 1 }),
    Type.String({ minLength: 2 }),
    "breaking",
    "constraint-tightened",
    "",
    "a",
  ],
  [
    "shorter minimum length",
    Type.String({ minLength: 2 }),
    Type.String({ minLength: 1 }),
    "additive",
    "constraint-loosened",
    "",
  ],
  [
    "maximum length added",
    S,
    Type.String({ maxLength: 2 }),
    "breaking",
    "constraint-tightened",
    "",
    "abc",
  ],
  [
    "maximum length removed",
    Type.String({ maxLength: 2 }),
    S,
    "additive",
    "constraint-loosened",
    "",
  ],
  ["pattern added", S, Type.String({ pattern: "^a" }), "breaking", "constraint-tightened", "", "b"],
  ["pattern removed", Type.String({ pattern: "^a" }), S, "additive", "constraint-loosened", ""],
  [
    "minimum raised",
    Type.Integer({ minimum: 0 }),
    Type.Integer({ minimum: 1 }),
    "breaking",
    "constraint-tightened",
    "",
    0,
  ],
  [
    "maximum raised",
    Type.Number({ maximum: 1 }),
    Type.Number({ maximum: 2 }),
    "additive",
    "constraint-loosened",
    "",
  ],
  [
    "multiples of more",
    Type.Integer({ multipleOf: 2 }),
    Type.Integer({ multipleOf: 4 }),
    "breaking",
    "constraint-tightened",
    "",
    2,
  ],
  [
    "multiples of less",
    Type.Integer({ multipleOf: 4 }),
    Type.Integer({ multipleOf: 2 }),
    "additive",
    "constraint-loosened",
    "",
  ],
  [
    "items changed",
    Type.Array(S),
    Type.Array(Type.Integer()),
    "breaking",
    "type-changed",
    "/*",
    ["a"],
  ],
  [
    "fewer items",
    Type.Array(S),
    Type.Array(S, { maxItems: 1 }),
    "breaking",
    "constraint-tightened",
    "",
    ["a", "b"],
  ],
  [
    "items became unique",
    Type.Array(S),
    Type.Array(S, { uniqueItems: true }),
    "breaking",
    "constraint-tightened",
    "",
    ["a", "a"],
  ],
  ["tuple grew", Type.Tuple([S]), Type.Tuple([S, S]), "breaking", "length-changed", "", ["a"]],
  [
    "record values changed",
    Type.Record(S, S),
    Type.Record(S, Type.Integer()),
    "breaking",
    "type-changed",
    "/*",
    { a: "x" },
  ],
  ["record to object", Type.Record(S, S), closed({}), "breaking", "type-changed", "", { a: "x" }],
  [
    "description changed",
    Type.String({ description: "a" }),
    Type.String({ description: "b" }),
    "additive",
    "annotation-changed",
    "",
  ],
  [
    "default changed",
    closed({ a: Type.String({ default: "a" }) }),
    closed({ a: Type.String({ default: "b" }) }),
    "additive",
    "annotation-changed",
    "/a",
  ],
  ["nothing", closed({ a: S }), closed({ a: S }), "none", "", ""],
];

describe("classification of schema changes (M30)", () => {
  it.each(CHANGES)("%s", (...row) => {
    const [, before, after, kind, rule, path, witness] = row as unknown as Row;
    const result = classifyChange(json(before), json(after));
    expect(result.kind).toBe(kind);
    if (kind === "none") return expect(result).toEqual({ kind, changes: [], edits: [] });
    expect(result.changes).toContainEqual(expect.objectContaining({ kind, rule, path }));
    expect(result.edits.length).toBeGreaterThan(0);
    if (kind !== "breaking") return;
    expect(schemaValidator(json(before)).check(witness)).toBe(true);
    expect(schemaValidator(json(after)).check(witness)).toBe(false);
  });

  it("follows references, also of recursive types", () => {
    const tree = (leaf: JsonSchema): JsonSchema => ({
      type: "object",
      required: ["value"],
      properties: { value: { $ref: "#/$defs/Leaf" }, next: { $ref: "#" } },
      additionalProperties: false,
      $defs: { Leaf: leaf },
    });
    const [a, b, c] = [tree({ const: "a" }), tree({ enum: ["a", "b"] }), tree({ enum: ["b"] })];
    expect(classifyChange(a, b)).toMatchObject({ kind: "additive", changes: [{ path: "/value" }] });
    expect(classifyChange(b, c)).toMatchObject({ kind: "breaking", changes: [{ path: "/value" }] });
    expect(classifyChange(a, tree({ enum: ["a"] }))).toMatchObject({ kind: "additive" });
  });

  it("sees definitions swapped behind equal references", () => {
    const swapped = (x: JsonSchema, y: JsonSchema): JsonSchema => ({
      type: "array",
      contains: { $ref: "#/$defs/X" },
      items: { $ref: "#/$defs/X" },
      $defs: { X: x, Y: y },
    });
    const [text, whole] = [{ type: "string" }, { type: "integer" }];
    expect(classifyChange(swapped(text, whole), swapped(whole, text)).kind).toBe("breaking");
  });

  it("says where stored data must decide", () => {
    const { changes } = classifyChange(
      json(Type.Object({})),
      json(Type.Object({ a: Type.Optional(S) })),
    );
    expect(changes).toEqual([expect.objectContaining({ path: "/a", dependsOnData: true })]);
  });

  it("refuses schemas that cannot be stored", () => {
    expect(() => classifyChange({ oneOf: [] }, {})).toThrow(StorageError);
  });

  const leaf = fc.oneof(
    fc
      .record({ minLength: fc.nat(2), maxLength: fc.integer({ min: 2, max: 3 }) })
      .map((limits): TSchema => Type.String(limits)),
    fc
      .record({ minimum: fc.integer({ min: -2, max: 0 }), maximum: fc.integer({ min: 0, max: 2 }) })
      .map((limits): TSchema => Type.Integer(limits)),
    fc.constantFrom<TSchema>(Type.Number(), Type.Boolean(), Type.Null(), Type.Unknown(), S),
    fc
      .subarray(["a", "bb", "ccc"], { minLength: 1 })
      .map((values): TSchema => Type.Union(values.map((value) => Type.Literal(value)))),
  );
  const { schema } = fc.letrec<{ schema: TSchema }>((tie) => ({
    schema: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      leaf,
      fc
        .tuple(tie("schema"), fc.nat(2))
        .map(([items, minItems]): TSchema => Type.Array(items, { minItems })),
      fc.tuple(tie("schema"), tie("schema")).map((any): TSchema => Type.Union(any)),
      tie("schema").map((value): TSchema => Type.Record(S, value)),
      fc
        .record({
          properties: fc.dictionary(
            fc.constantFrom("a", "b", "c"),
            fc.tuple(tie("schema"), fc.boolean()),
            { noNullPrototype: true },
          ),
          rest: fc.oneof(fc.boolean(), tie("schema")),
        })
        .map(({ properties, rest }): TSchema => {
          const all = Object.entries(properties).map(([name, [type, optional]]) => [
            name,
            optional ? Type.Optional(type) : type,
          ]);
          return Type.Object(Object.fromEntries(all), { additionalProperties: rest });
        }),
    ),
  }));
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom<unknown>("", "a", "bb", "ccc", "dddd", -3, -1, 0, 1, 2.5, true, false, null),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom("a", "b", "c", "d"), tie("value"), { noNullPrototype: true }),
    ),
  }));

  it("never calls a change additive that refuses a value that was valid", () => {
    const seen = { additive: 0, breaking: 0, none: 0, checked: 0, refuted: 0 };
    fc.assert(
      fc.property(
        schema,
        schema,
        fc.boolean(),
        fc.array(value, { minLength: 30, maxLength: 60 }),
        (a, b, same, values) => {
          // half of the time a change of one part only, so that additive ones are not rare
          const [before, after] = same ? [a, Type.Union([a, b])] : [a, b];
          const { kind, changes } = classifyChange(json(before), json(after));
          seen[kind] += 1;
          const [was, is] = [schemaValidator(json(before)), schemaValidator(json(after))];
          const valid = values.filter((it) => was.check(it));
          const refused = valid.filter((it) => !is.check(it));
          if (kind === "breaking") {
            seen.refuted += Math.min(refused.length, 1);
            return;
          }
          if (changes.some(({ dependsOnData }) => dependsOnData)) return;
          seen.checked += valid.length;
          expect(refused).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
    expect(seen.checked).toBeGreaterThan(200);
    expect(seen.refuted).toBeGreaterThan(15);
  });
});

const Config = graphConfig();
const TaskNode = nodeAttributes({ title: S });
const WaitsEdge = edgeAttributes({});
const v2 = defineModule({ name: "tasks" }, { Config, TaskNode, WaitsEdge });
const stored = moduleToDbSchema(v2);
const planTo = (entries: TProperties, version = 2) =>
  planEvolution(
    stored,
    defineModule({ name: "tasks", version }, { Config, TaskNode, WaitsEdge, ...entries }),
  );

describe("plans (M30)", () => {
  it("does nothing for what is stored already, also after a round through the database", () => {
    for (const module of systemModules) {
      const rows = JSON.parse(JSON.stringify(moduleToDbSchema(module)));
      expect(planEvolution(rows, module)).toMatchObject({ kind: "none", action: "nothing" });
    }
  });

  it.each<[string, TProperties, ChangeKind, string]>([
    ["a new type", { NoteNode: TaskNode }, "additive", "project"],
    [
      "an optional attribute",
      { TaskNode: nodeAttributes({ title: S, due: Type.Optional(S) }) },
      "additive",
      "project",
    ],
    [
      "a description",
      { TaskNode: nodeAttributes({ title: S }, { description: "A task" }) },
      "additive",
      "project",
    ],
    [
      "several edges between two nodes",
      { Config: graphConfig({ multi: true }) },
      "additive",
      "project",
    ],
    [
      "edges without direction",
      { Config: graphConfig({ type: "undirected" }) },
      "breaking",
      "refuse",
    ],
    [
      "a required attribute",
      { TaskNode: nodeAttributes({ title: S, due: S }) },
      "breaking",
      "refuse",
    ],
    [
      "a constraint on ends",
      { WaitsEdgeConstraints: edgeConstraints({ from: ["task"] }) },
      "breaking",
      "refuse",
    ],
  ])("%s", (_, entries, kind, action) => {
    expect(planTo(entries)).toMatchObject({ kind, action });
  });

  it("takes constraints off, and calls their narrowing breaking", () => {
    const constrained = (from: string[], version = 2) =>
      defineModule(
        { name: "tasks", version },
        {
          Config,
          TaskNode,
          NoteNode: TaskNode,
          WaitsEdge,
          WaitsEdgeConstraints: edgeConstraints({ from }),
        },
      );
    const both = moduleToDbSchema(constrained(["task", "note"]));
    expect(planEvolution(both, constrained(["note", "task"])).kind).toBe("none");
    expect(planEvolution(both, constrained(["task"])).kind).toBe("breaking");
    expect(
      planEvolution(moduleToDbSchema(constrained(["task"])), constrained(["note", "task"])).kind,
    ).toBe("additive");
  });

  it("calls the removal of a type breaking", () => {
    const plan = planEvolution(stored, defineModule({ name: "tasks" }, { Config, TaskNode }));
    expect(plan).toMatchObject({ kind: "breaking", action: "refuse" });
    expect(plan.types.find(({ name }) => name === "waits")).toMatchObject({ status: "removed" });
  });

  it("asks the data where an open object gets a new property", () => {
    const open = (properties: TProperties) =>
      defineModule(
        { name: "tasks" },
        { Config, TaskNode: nodeAttributes(properties, { open: true }) },
      );
    const plan = planEvolution(
      moduleToDbSchema(open({ title: S })),
      open({ title: S, due: Type.Optional(S) }),
    );
    expect(plan.action).toBe("check-and-project");
    const rows: EvolvingRow[] = [
      {
        graphId: "g",
        of: "node",
        type: "task",
        key: "fits",
        attributes: { title: "t", due: "now" },
      },
      {
        graphId: "g",
        of: "node",
        type: "task",
        key: "does not",
        attributes: { title: "t", due: 5 },
      },
    ];
    expect(dryRun(plan, rows)).toMatchObject([
      { rows: 2, failed: 1, failures: [{ subject: 'node "does not"' }] },
    ]);
  });

  it("refuses without a higher version, saying why; with one it migrates", () => {
    const entries = {
      TaskNode: nodeAttributes({ title: S, done: Type.Boolean({ default: false }) }),
    };
    expect(planTo(entries).refusal).toMatch(
      /"tasks" changed in a breaking way and its version is still 2: node "task" \/done is new and required/,
    );
    expect(planTo(entries, 4)).toMatchObject({
      kind: "breaking",
      action: "migrate",
      version: { action: "start", from: 2, running: 3, to: 4 },
    });
  });

  it("refuses data of newer code and of another type", () => {
    const newer = { ...stored, graphType: { ...stored.graphType, version: 4 } };
    expect(planEvolution(newer, v2)).toMatchObject({
      action: "refuse",
      refusal: expect.stringMatching(/version 4/),
    });
    expect(planEvolution(stored, CallGraph)).toMatchObject({
      action: "refuse",
      refusal: expect.stringMatching(/"tasks"/),
    });
  });

  it("prints what would change", () => {
    const plan = planTo(
      {
        TaskNode: nodeAttributes({ title: Type.String({ maxLength: 9 }), due: Type.Optional(S) }),
        NoteNode: TaskNode,
      },
      4,
    );
    expect(describePlan(plan)).toBe(
      [
        "tasks: breaking, migrate, version 2 to 4",
        '  node "task": breaking',
        '    ! /title "maxLength" was not there and is 9',
        "    + /due is new and optional",
        '  node "note": additive',
        "    + / is new",
      ].join("\n"),
    );
  });
});

describe("migration of attributes (M30)", () => {
  const schema = json(
    closed({
      title: Type.String(),
      done: Type.Boolean({ default: false }),
      kind: Type.Literal("task"),
      tags: Type.Array(S, { default: [], minItems: 0 }),
    }),
  );

  it("fills in defaults and the only possible values", () => {
    expect(migrateAttributes({ title: "t" }, { schema, subject: "node" })).toEqual({
      title: "t",
      done: false,
      kind: "task",
      tags: [],
    });
  });

  it("leaves what fits as it is", () => {
    const attributes = { title: "t", done: true, kind: "task", tags: ["a"] };
    expect(migrateAttributes(attributes, { schema, subject: "node" })).toBe(attributes);
  });

  const strict = json(
    closed({ a: Type.String(), b: Type.Optional(Type.Array(S, { minItems: 1 })) }),
  );
  it.each<[string, JsonSchema, Record<string, unknown>, RegExp]>([
    ["make up a text", strict, {}, /\/a Expected required property/],
    ["overwrite a wrong type", strict, { a: 1 }, /\/a Expected string/],
    ["drop an unknown attribute", strict, { a: "a", old: 1 }, /\/old Unexpected property/],
    ["make up an item", strict, { a: "a", b: [] }, /\/b Expected array length/],
    [
      "replace a value outside the enum",
      json(closed({ a: Type.Union([Type.Literal("x"), Type.Literal("y")]) })),
      { a: "z" },
      /\/a Expected one of/,
    ],
  ])("does not %s", (_, target, attributes, message) => {
    const work = () => migrateAttributes(attributes, { schema: target, subject: 'node "n"' });
    expect(work).toThrow(message);
    expect(work).toThrow(expect.objectContaining({ code: "MIGRATION_FAILED" }));
  });

  it.each<[string, (it: object) => unknown, RegExp]>([
    [
      "throws",
      () => {
        throw new Error("no");
      },
      /migration of node "n" threw/,
    ],
    ["returns nothing", () => undefined, /returned no attributes/],
    ["is asynchronous", async () => ({}), /returned no attributes/],
    ["does not reach the schema", () => ({ a: 1 }), /Correct the migration's function/],
  ])("refuses a function that %s", (_, migrate, message) => {
    const options = { schema: strict, migrations: [migrate as never], subject: 'node "n"' };
    expect(() => migrateAttributes({ a: "a" }, options)).toThrow(message);
  });

  it("cannot be made to change the stored row", () => {
    const attributes = Object.freeze({ a: "a", b: Object.freeze(["x"]) });
    const grow = (it: { b?: string[] }) => {
      it.b?.push("y");
      return it;
    };
    const result = migrateAttributes(attributes, {
      schema: strict,
      migrations: [grow as never],
      subject: "n",
    });
    expect([attributes.b, result.b]).toEqual([["x"], ["x", "y"]]);
  });
});

describe("versions (M30)", () => {
  it.each([
    [2, 2, { action: "ready", version: 2 }],
    [2, 4, { action: "start", from: 2, running: 3, to: 4 }],
    [2, 8, { action: "start", from: 2, running: 3, to: 8 }],
    [3, 4, { action: "resume", from: 2, running: 3, to: 4 }],
    [3, 8, { action: "resume", from: 2, running: 3, to: 8 }],
    [3, 2, { action: "code-is-older", version: 3, target: 2 }],
    [4, 2, { action: "code-is-older", version: 4, target: 2 }],
    [5, 4, { action: "code-is-older", version: 5, target: 4 }],
  ])("stored %d, expected %d", (from, target, decision) => {
    expect(decideVersion(from, target)).toEqual(decision);
  });

  it.each([
    [2, 3],
    [-1, 2],
    [1.5, 2],
    [2, Number.NaN],
    [Number.POSITIVE_INFINITY, 2],
  ])("refuses stored %d, expected %d", (from, target) => {
    expect(() => decideVersion(from, target)).toThrow(
      expect.objectContaining({ code: "MIGRATION_STATE" }),
    );
  });

  it("keeps the rest of the metadata when it stamps a row", () => {
    const metadata = { "hub.x": 1, _metagraph: { nodeType: "task" } };
    expect(stampVersion(metadata, 4)).toEqual({
      "hub.x": 1,
      _metagraph: { nodeType: "task", version: 4 },
    });
    expect([
      rowVersion(metadata, 2),
      rowVersion(stampVersion(metadata, 4), 2),
      rowVersion(stampVersion({}, 2), 4),
    ]).toEqual([2, 4, 4]);
    expect(rowVersion({ _metagraph: "odd" }, 2)).toBe(2);
  });

  const count: Migration[] = [
    { to: 6, nodes: { task: (it) => ({ ...it, steps: `${String(it.steps)}6` }) } },
    { to: 4, nodes: { task: (it) => ({ ...it, steps: "4" }) } },
  ];
  const target = (version: number) =>
    defineModule(
      { name: "tasks", version },
      { Config, TaskNode: nodeAttributes({ title: S, steps: S }), WaitsEdge },
    );
  const at = (version: number) => ({ ...stored, graphType: { ...stored.graphType, version } });

  it("refuses migrations to the same version and to an odd one", () => {
    const plan = planEvolution(stored, target(4));
    for (const migrations of [[{ to: 4 }, { to: 4 }], [{ to: 3 }], [{ to: Number.NaN }]]) {
      expect(() => dryRun(plan, [], migrations)).toThrow(
        expect.objectContaining({ code: "INVALID_ARGUMENT" }),
      );
    }
  });

  it("applies every step exactly once to every row, wherever it is killed and with whatever code it goes on", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.nat(6), { maxLength: 6 }),
        fc.boolean(),
        (size, kills, late) => {
          const rows: EvolvingRow[] = Array.from({ length: size }, (_, i) => ({
            graphId: `g-${i % 2}`,
            of: "node",
            type: "task",
            key: `n-${i}`,
            attributes: { title: "t" },
            metadata: {},
          }));
          let version = 2;
          // the first runs may have been of code that knew version 4 only
          const runs = [...kills, Number.POSITIVE_INFINITY];
          for (const [i, writes] of runs.entries()) {
            const module = target(late && i < runs.length - 1 ? 4 : 6);
            const plan = planEvolution(at(version), module);
            if (plan.version.action === "ready" || plan.version.action === "code-is-older")
              continue;
            version = plan.version.running;
            const { from, to } = plan.version;
            let written = 0;
            for (const [index, row] of rows.entries()) {
              if (rowVersion(row.metadata ?? {}, from) >= to) continue;
              if (written === writes) break;
              written += 1;
              const attributes = migrateRow(plan, row, count);
              rows[index] = { ...row, attributes, metadata: stampVersion(row.metadata ?? {}, to) };
            }
            if (rows.every((row) => rowVersion(row.metadata ?? {}, from) >= to)) version = to;
          }
          expect(version).toBe(6);
          for (const { attributes } of rows)
            expect(attributes).toEqual({ title: "t", steps: "46" });
        },
      ),
      { numRuns: 200 },
    );
  });

  it("tells per graph what a migration would do, what is done and what would fail", () => {
    const plan = planEvolution(at(3), target(4));
    const row = (graphId: string, key: string, more: Partial<EvolvingRow> = {}): EvolvingRow => ({
      graphId,
      of: "node",
      type: "task",
      key,
      attributes: { title: "t" },
      ...more,
    });
    const rows = [
      row("a", "1"),
      row("a", "2", { attributes: { title: "t", steps: "4" }, metadata: stampVersion({}, 4) }),
      row("b", "3", { type: "gone" }),
      row("b", "4", { attributes: { title: 5 } }),
      row("b", "5", { of: "edge", type: "waits", attributes: {} }),
    ];
    expect(dryRun(plan, rows, count)).toEqual([
      { graphId: "a", rows: 2, changed: 1, done: 1, failed: 0, failures: [] },
      {
        graphId: "b",
        rows: 3,
        changed: 0,
        done: 0,
        failed: 2,
        failures: [
          { subject: 'node "3"', problem: expect.stringMatching(/type "gone", which is gone/) },
          { subject: 'node "4"', problem: expect.stringMatching(/\/title Expected string/) },
        ],
      },
    ]);
    expect(dryRun(plan, rows)[0]).toMatchObject({ failed: 1 });
  });
});
