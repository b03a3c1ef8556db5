import {
  type AnyModule,
  defineModule,
  describePlan,
  edgeAttributes,
  edgeConstraints,
  graphConfig,
  nodeAttributes,
  systemModules,
} from "@alkdev/storage/graphs";
import {
  createGraphStore,
  createSystemDatabase,
  createTenantDatabase,
  type EvolutionProgress,
  type EvolveOptions,
  evolveGraphType,
  previewEvolution,
  readGraphType,
  type TenantDatabase,
} from "@alkdev/storage/sqlite";
import { tempDatabase } from "@alkdev/testkit";
import { Type } from "@sinclair/typebox";
import { describe, expect, it } from "vitest";
import {
  Count,
  countUp,
  fillTasks,
  guardsOf,
  TasksV2,
  TasksV4,
  taskModule,
  versionOf,
  wrongRows,
} from "./evolve-tasks.ts";

function tasks(nodes = 10): TenantDatabase {
  const tenant = createTenantDatabase(tempDatabase());
  fillTasks(tenant, nodes);
  return tenant;
}

const contents = ({ $client: client }: TenantDatabase) =>
  ["graph_types", "node_types", "edge_types", "nodes", "edges", "_honker_notifications"].map(
    (table) => client.rows(`SELECT * FROM ${table} ORDER BY 1`),
  );

describe("evolveGraphType refuses, and writes nothing (M30)", () => {
  const fails = [{ to: 4, nodes: { task: () => ({ count: "many" }) } }];
  const throws = [
    {
      to: 4,
      nodes: {
        task: () => {
          throw new Error("no");
        },
      },
    },
  ];
  it.each<[string, AnyModule, EvolveOptions, string, RegExp]>([
    [
      "a breaking change without a version",
      taskModule(2, { count: Type.String() }),
      {},
      "BREAKING_CHANGE",
      /breaking way.*"task" \/count was integer and is string/,
    ],
    [
      "attributes that are gone",
      taskModule(4, {}),
      {},
      "MIGRATION_FAILED",
      /10 rows.*Unexpected property/,
    ],
    [
      "a node type that is gone and has rows",
      defineModule(
        { name: "tasks", version: 4 },
        { Config: graphConfig(), WaitsEdge: edgeAttributes({ count: Count }) },
      ),
      {},
      "MIGRATION_FAILED",
      /10 rows.*type "task", which is gone/,
    ],
    [
      "rows that do not fit",
      TasksV4,
      { migrations: fails },
      "MIGRATION_FAILED",
      /node "t-0".*and 5 more/,
    ],
    ["functions that throw", TasksV4, { migrations: throws }, "MIGRATION_FAILED", /10 rows.*threw/],
    [
      "an odd migration",
      TasksV4,
      { migrations: [{ to: 3 }] },
      "INVALID_ARGUMENT",
      /no even version/,
    ],
    ["batches of nothing", TasksV4, { batchSize: 0 }, "INVALID_ARGUMENT", /batchSize is 0/],
    ["half a batch", TasksV4, { batchSize: 0.5 }, "INVALID_ARGUMENT", /batchSize is 0.5/],
    ["batches of NaN", TasksV4, { batchSize: Number.NaN }, "INVALID_ARGUMENT", /batchSize is NaN/],
    ["huge batches", TasksV4, { batchSize: 10_001 }, "INVALID_ARGUMENT", /from 1 to 10000/],
  ])("%s", async (_, module, options, code, message) => {
    const tenant = tasks();
    const before = contents(tenant);
    const error = await evolveGraphType(tenant, module, options).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(contents(tenant)).toEqual(before);
    expect(guardsOf(tenant.$client)).toBe(0);
  });

  it("a type that is not stored, in a closed file, inside a transaction", async () => {
    const tenant = createTenantDatabase(tempDatabase());
    await expect(evolveGraphType(tenant, TasksV4)).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(previewEvolution(tenant, TasksV4)).rejects.toMatchObject({ code: "NOT_FOUND" });
    fillTasks(tenant, 1);
    const tx = tenant.$client.transaction();
    const inside = evolveGraphType(tenant, TasksV4, { migrations: countUp });
    await expect(inside).rejects.toMatchObject({ code: "TRANSACTION_STATE" });
    tx.rollback();
    tenant.$client.close();
    await expect(evolveGraphType(tenant, TasksV4)).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("data of newer code", async () => {
    const tenant = tasks();
    await evolveGraphType(tenant, TasksV4, { migrations: countUp });
    const back = evolveGraphType(tenant, TasksV2);
    await expect(back).rejects.toMatchObject({ code: "MIGRATION_STATE" });
  });
});

describe("evolveGraphType (M30)", () => {
  it("does nothing, and takes no lock, where nothing changed", async () => {
    const tenant = tasks();
    const before = tenant.$client.rows("SELECT total_changes()");
    expect(await evolveGraphType(tenant, TasksV2)).toMatchObject({ plan: { action: "nothing" } });
    expect(tenant.$client.rows("SELECT total_changes()")).toEqual(before);
  });

  it("projects an additive change and leaves rows alone", async () => {
    const tenant = tasks();
    const wider = taskModule(2, { count: Count, note: Type.Optional(Type.String()) });
    const rows = tenant.$client.rows("SELECT * FROM nodes");
    expect((await evolveGraphType(tenant, wider)).plan.action).toBe("project");
    expect(tenant.$client.rows("SELECT * FROM nodes")).toEqual(rows);
    expect((await evolveGraphType(tenant, wider)).plan.action).toBe("nothing");
  });

  it("migrates every row once, in batches, with its revision, event and stamp", async () => {
    const tenant = tasks(25);
    const { $client: client } = tenant;
    const progress: EvolutionProgress[] = [];
    const { plan, migrated } = await evolveGraphType(tenant, TasksV4, {
      migrations: countUp,
      batchSize: 10,
      onProgress: (it) => progress.push(it),
    });
    expect(plan.action).toBe("migrate");
    expect(migrated).toBe(25 + 23);
    expect(wrongRows(client)).toEqual([]);
    expect([versionOf(client), guardsOf(client)]).toEqual([4, 0]);
    expect(progress.filter(({ phase }) => phase === "migrating").map(({ done }) => done)).toEqual([
      10, 20, 25, 35, 45, 48,
    ]);
    expect(progress.at(-1)).toEqual({ phase: "migrating", done: 48, total: 48, failed: 0 });
    const [row] = client.rows("SELECT metadata FROM nodes WHERE key = 't-3'");
    expect(row).toEqual([
      '{"_metagraph":{"nodeType":"task","version":4,"revision":2},"own":9007199254740993}',
    ]);
    const events = client.rows(
      "SELECT channel, json_extract(payload, '$.graphId'), json_array_length(payload, '$.keys') FROM _honker_notifications",
    );
    expect(events.filter(([channel]) => channel === "nodes:updated")).toHaveLength(6);
    expect(events.reduce((sum, [, , keys]) => sum + Number(keys), 0)).toBe(48);
    expect((await evolveGraphType(tenant, TasksV4)).plan.action).toBe("nothing");
  });

  it("stamps rows that need no change and keeps their text", async () => {
    const tenant = tasks(3);
    const spaced = '{ "count" : 7 }';
    tenant.$client.execute("UPDATE nodes SET attributes = ?", [spaced]);
    const optional = taskModule(4, { count: Count, done: Type.Optional(Type.Boolean()) });
    await evolveGraphType(tenant, optional);
    expect(tenant.$client.rows("SELECT DISTINCT attributes, metadata FROM nodes")).toEqual([
      [spaced, '{"_metagraph":{"nodeType":"task","version":4},"own":9007199254740993}'],
    ]);
    expect(tenant.$client.rows("SELECT 1 FROM _honker_notifications")).toEqual([]);
  });

  it("leaves rows without a type and graphs of other types alone", async () => {
    const tenant = tasks(2);
    const { $client: client } = tenant;
    client.execute("INSERT INTO nodes (id, graph_id, key) VALUES ('x', 'g-0', 'untyped')");
    client.execute("INSERT INTO graphs (id, name) VALUES ('other', 'other')");
    client.execute(`INSERT INTO nodes (id, graph_id, key, metadata)
      SELECT 'o-' || id, 'other', key, metadata FROM nodes WHERE graph_id <> 'other'`);
    const others = () => client.rows("SELECT * FROM nodes WHERE graph_id = 'other' OR id = 'x'");
    const before = others();
    await evolveGraphType(tenant, TasksV4, { migrations: countUp });
    expect(others()).toEqual(before);
    expect(versionOf(client)).toBe(4);
  });

  it.each([
    ['{"_metagraph":{"nodeType":5}}', 4],
    ['{"_metagraph":"task"}', 4],
    ["[]", 4],
    ['{"_metagraph":{"nodeType":"task","version":"9"}}', 4],
    ['{"_metagraph":{"nodeType":"task","version":1,"version":9}}', 3],
  ])("comes to an end whatever SQL wrote into the metadata: %s", async (metadata, version) => {
    const tenant = tasks(2);
    tenant.$client.execute(
      `INSERT INTO nodes (rowid, id, graph_id, key, attributes, metadata)
        VALUES (-7, 'x', 'g-0', 't-7', '{"count":7}', ?)`,
      [metadata],
    );
    await evolveGraphType(tenant, TasksV4, { migrations: countUp }).catch((error: unknown) => {
      expect(error).toMatchObject({ code: "MIGRATION_FAILED" });
    });
    expect(versionOf(tenant.$client)).toBe(version);
  });

  it("names at most 1,000 rows per event", async () => {
    const tenant = tasks(2_100);
    await evolveGraphType(tenant, TasksV4, { migrations: countUp, batchSize: 10_000 });
    const sizes = tenant.$client.rows(
      `SELECT json_array_length(payload, '$.keys') FROM _honker_notifications
        WHERE channel = 'nodes:updated' ORDER BY id`,
    );
    expect(sizes.flat()).toEqual([1_000, 50, 1_000, 50]);
  });

  it("lets the rows decide where an open object names what it had let through", async () => {
    const open = (kind: "any" | "text" | "number") =>
      defineModule(
        { name: "notes" },
        {
          Config: graphConfig(),
          NoteNode: nodeAttributes(
            kind === "any"
              ? {}
              : { n: Type.Optional(kind === "text" ? Type.String() : Type.Number()) },
            { open: true },
          ),
        },
      );
    const client = tempDatabase();
    const tenant = createTenantDatabase(client, { systemModules: [open("any")] });
    client.execute(`INSERT INTO graphs (id, name, graph_type_id)
      SELECT 'g', 'g', id FROM graph_types WHERE name = 'notes'`);
    client.execute(`INSERT INTO nodes (id, graph_id, key, attributes, metadata)
      VALUES ('n', 'g', 'n', '{"n":5}', '{"_metagraph":{"nodeType":"note"}}')`);
    await expect(evolveGraphType(tenant, open("text"))).rejects.toMatchObject({
      code: "MIGRATION_FAILED",
      message: expect.stringMatching(/node "n".*\/n Expected string/),
    });
    const { plan } = await evolveGraphType(tenant, open("number"));
    expect(plan.action).toBe("check-and-project");
    expect(readGraphType(client, { name: "notes" })?.nodeTypes).toEqual(plan.target.nodeTypes);
  });

  it("checks the rows again in the commit: what was written meanwhile counts", async () => {
    const tenant = createTenantDatabase(tempDatabase());
    const { $client: client } = tenant;
    fillTasks(tenant, 0);
    client.execute(
      "UPDATE node_types SET schema = json_remove(schema, '$.additionalProperties') WHERE id = 'task'",
    );
    const task = nodeAttributes(
      { count: Count, note: Type.Optional(Type.String()) },
      { open: true },
    );
    const module = taskModule(2, {}, { TaskNode: task });
    const insert = `INSERT INTO nodes (id, graph_id, key, attributes, metadata)
      VALUES (?, 'g-0', ?, ?, '{"_metagraph":{"nodeType":"task"}}')`;
    client.execute(insert, ["a", "a", '{"count":1}']);
    const evolving = evolveGraphType(tenant, module, {
      onProgress: () => client.execute(insert, ["b", "b", '{"count":1,"note":5}']),
    });
    await expect(evolving).rejects.toThrow(/node "b".*\/note Expected string/);
    expect((await previewEvolution(tenant, module)).plan.action).toBe("check-and-project");
  });

  it("evolves a system graph type, in a tenant's file and in the system file", async () => {
    for (const create of [createTenantDatabase, createSystemDatabase] as const) {
      const db = create(tempDatabase(), { systemModules: [...systemModules, TasksV2] });
      await evolveGraphType(db, TasksV4, { migrations: countUp });
      expect(readGraphType(db.$client, { name: "tasks" })).toMatchObject({
        scope: "system",
        graphType: { version: 4 },
      });
      expect(create(db.$client, { systemModules: [...systemModules, TasksV4] })).toBeDefined();
    }
  });

  it("goes all the way from an old version, and on from where older code stopped", async () => {
    const tenant = tasks(30);
    const { $client: client } = tenant;
    const controller = new AbortController();
    const first = evolveGraphType(tenant, TasksV4, {
      migrations: countUp,
      batchSize: 7,
      signal: controller.signal,
      onProgress: ({ phase, done }) => {
        if (phase === "migrating" && done >= 14) controller.abort(new Error("enough"));
      },
    });
    await expect(first).rejects.toThrow("enough");
    expect(versionOf(client)).toBe(3);
    const V6 = taskModule(6, { count: Count, done: Type.Boolean(), label: Type.String() });
    const label = (it: Readonly<Record<string, unknown>>) => ({
      ...it,
      done: it.done ?? false,
      label: `task ${it.count}`,
    });
    const migrations = [...countUp, { to: 6, nodes: { task: label } }];
    await evolveGraphType(tenant, V6, { migrations });
    const rows = client.rows(
      `SELECT count(*) FROM nodes WHERE json_extract(attributes, '$.label') = 'task ' || (substr(key, 3) + 1)
        AND json_extract(metadata, '$._metagraph.version') = 6`,
    );
    expect(rows).toEqual([[30]]);
    expect([versionOf(client), guardsOf(client)]).toEqual([6, 0]);
  });

  it("without a check first, does the rows that fit, keeps the others, and resumes", async () => {
    const tenant = tasks(10);
    const { $client: client } = tenant;
    client.execute("UPDATE nodes SET attributes = '{\"count\":\"three\"}' WHERE key = 't-3'");
    const once = evolveGraphType(tenant, TasksV4, {
      migrations: [
        {
          ...countUp[0],
          to: 4,
          nodes: { task: (it) => ({ ...it, count: (it.count as number) + 1 }) },
        },
      ],
      precheck: false,
    });
    await expect(once).rejects.toMatchObject({
      code: "MIGRATION_FAILED",
      details: {
        failed: 1,
        failures: [{ graphId: "g-1", subject: 'node "t-3"', problem: expect.any(String) }],
      },
    });
    expect([versionOf(client), guardsOf(client)]).toEqual([3, 5]);
    expect(client.rows("SELECT attributes, metadata FROM nodes WHERE key = 't-3'")).toEqual([
      ['{"count":"three"}', expect.not.stringContaining("version")],
    ]);
    // a row that was not migrated may be corrected
    client.execute("UPDATE nodes SET attributes = '{\"count\":3}' WHERE key = 't-3'");
    await evolveGraphType(tenant, TasksV4, { migrations: countUp });
    expect(wrongRows(client)).toEqual([]);
    expect([versionOf(client), guardsOf(client)]).toEqual([4, 0]);
  });
});

describe("while a migration runs (M30)", () => {
  /** Runs `work` in the middle of a migration and ends it. */
  async function halfway(work: (tenant: TenantDatabase) => void): Promise<TenantDatabase> {
    const tenant = tasks(20);
    let worked = false;
    await evolveGraphType(tenant, TasksV4, {
      migrations: countUp,
      batchSize: 5,
      onProgress: ({ phase, done }) => {
        if (worked || phase === "checking" || done < 10) return;
        worked = true;
        work(tenant);
      },
    });
    expect(worked).toBe(true);
    return tenant;
  }

  it.each([
    [
      "change the attributes of a migrated row",
      "UPDATE nodes SET attributes = '{}' WHERE key = 't-1'",
    ],
    [
      "upsert a migrated row",
      `INSERT INTO nodes (id, graph_id, key) VALUES ('x', 'g-1', 't-1')
        ON CONFLICT (graph_id, key) DO UPDATE SET attributes = excluded.attributes`,
    ],
    ["take the stamp off", "UPDATE nodes SET metadata = '{}' WHERE key = 't-1'"],
    ["move a migrated row elsewhere", "UPDATE nodes SET graph_id = 'g-0' WHERE key = 't-1'"],
    [
      "insert a row that pretends to be migrated",
      `INSERT INTO nodes (id, graph_id, key, metadata) VALUES ('x', 'g-0', 'x', '{"_metagraph":{"version":4}}')`,
    ],
    ["give a graph another type", "UPDATE graphs SET graph_type_id = NULL WHERE id = 'g-0'"],
    [
      "give another graph the type",
      "UPDATE graphs SET graph_type_id = 'tasks' WHERE graph_type_id IS NULL",
    ],
  ])("SQL may not %s", async (_, sql) => {
    const tenant = await halfway(({ $client: client }) => {
      client.execute("INSERT OR IGNORE INTO graphs (id, name) VALUES ('free', 'free')");
      expect(() => client.execute(sql)).toThrow(/graph_type_migrating/);
    });
    expect(wrongRows(tenant.$client)).toEqual([]);
  });

  it("the graph store refuses writes, and reads on", async () => {
    await halfway((tenant) => {
      const store = createGraphStore(tenant);
      const graph = store.graph("g-0");
      const node = { key: "new", type: "task", attributes: { count: 1 } };
      for (const write of [
        () => graph.insertNodes([node]),
        () => graph.patchNode("t-18", { count: 1 }),
        () => graph.deleteNodes(["t-18"]),
      ]) {
        expect(write).toThrow(expect.objectContaining({ code: "MIGRATION_STATE" }));
      }
      expect(graph.getNode("t-0")?.attributes).toEqual({ count: 1, done: false });
      expect(graph.getNode("t-18")?.attributes).toEqual({ count: 18 });
    });
  });

  it("rows that SQL inserts, replaces or changes before their turn are migrated too", async () => {
    const row = (key: number) => `'n-${key}', 'g-0', 't-${key}', '{"count":${key}}',
      '{"_metagraph":{"nodeType":"task"}}'`;
    const columns = "(id, graph_id, key, attributes, metadata)";
    const tenant = await halfway(({ $client: client }) => {
      client.execute(`INSERT INTO nodes ${columns} VALUES (${row(100)})`);
      client.execute(`INSERT INTO nodes (rowid, ${columns.slice(1)} VALUES (-5, ${row(101)})`);
      client.execute(`INSERT OR REPLACE INTO nodes ${columns} VALUES (${row(2)})`);
      client.execute("UPDATE nodes SET attributes = '{ \"count\": 18 }' WHERE key = 't-18'");
      client.execute("DELETE FROM nodes WHERE key = 't-19'");
    });
    expect(wrongRows(tenant.$client)).toEqual([]);
    expect(tenant.$client.rows("SELECT count(*) FROM nodes")).toEqual([[21]]);
  });

  it("a row of the last moment that does not fit keeps the version odd", async () => {
    const evolving = halfway(({ $client: client }) => {
      client.execute(`INSERT INTO nodes (rowid, id, graph_id, key, attributes, metadata)
        VALUES (-1, 'x', 'g-0', 'x', '{"count":"x"}', '{"_metagraph":{"nodeType":"task"}}')`);
    });
    await expect(evolving).rejects.toThrow(/node "x".*Expected integer/);
  });

  it("two at once: one works, the other waits and finds nothing to do, or is refused", async () => {
    const tenant = tasks(20);
    const options = { migrations: countUp, batchSize: 5 };
    const [first, second, third] = await Promise.allSettled([
      evolveGraphType(tenant, TasksV4, options),
      evolveGraphType(tenant, TasksV4, options),
      evolveGraphType(tenant, TasksV4, { ...options, waitMs: 0 }),
    ]);
    expect(first).toMatchObject({ status: "fulfilled", value: { migrated: 38 } });
    expect(second).toMatchObject({ status: "fulfilled", value: { plan: { action: "nothing" } } });
    expect(third).toMatchObject({ status: "rejected", reason: { code: "LOCK_HELD" } });
    expect(wrongRows(tenant.$client)).toEqual([]);
  });
});

describe("rules of the graph that become tighter (M30)", () => {
  const module = (
    version: number,
    config: Parameters<typeof graphConfig>[0],
    ends?: Parameters<typeof edgeConstraints>[0],
  ) =>
    defineModule(
      { name: "tasks", version },
      {
        Config: graphConfig(config),
        TaskNode: nodeAttributes({ count: Count }),
        OtherNode: nodeAttributes({}),
        WaitsEdge: edgeAttributes({ count: Count }),
        ...(ends === undefined ? {} : { WaitsEdgeConstraints: edgeConstraints(ends) }),
      },
    );
  const loose = { type: "mixed", multi: true, allowSelfLoops: true } as const;

  async function looseTasks(): Promise<TenantDatabase> {
    const tenant = tasks(6);
    await evolveGraphType(tenant, module(2, loose));
    const insert = `INSERT INTO edges (id, graph_id, source_node_key, target_node_key, undirected, attributes, metadata)
      VALUES (?, 'g-0', ?, ?, ?, '{"count":0}', '{"_metagraph":{"edgeType":"waits"}}')`;
    tenant.$client.execute(insert, ["loop", "t-0", "t-0", 0]);
    tenant.$client.execute(insert, ["twice", "t-0", "t-2", 0]);
    tenant.$client.execute(insert, ["both", "t-2", "t-4", 1]);
    tenant.$client.execute(`INSERT INTO nodes (id, graph_id, key, metadata)
      VALUES ('o', 'g-0', 'o', '{"_metagraph":{"nodeType":"other"}}')`);
    tenant.$client.execute(insert, ["other", "t-2", "o", 0]);
    tenant.$client.execute(insert, ["other-both", "t-4", "o", 1]);
    return tenant;
  }

  it.each([
    ["no loops", module(4, { ...loose, allowSelfLoops: false }), ["loop"]],
    ["no parallel edges", module(4, { ...loose, multi: false }), ["twice"]],
    ["directed edges only", module(4, { ...loose, type: "directed" }), ["both", "other-both"]],
    [
      "fewer sources, either way for undirected edges",
      module(4, loose, { from: ["other"], to: ["task", "other"] }),
      ["e-t-0", "e-t-1", "e-t-2", "e-t-3", "loop", "twice", "both", "other"],
    ],
    ["fewer targets", module(4, loose, { from: [], to: ["task"] }), ["other"]],
  ])(
    "%s: the edges that break it are named, and nothing is written",
    async (_, tighter, broken) => {
      const tenant = await looseTasks();
      const before = contents(tenant);
      const error = await evolveGraphType(tenant, tighter).catch((reason: unknown) => reason);
      const { details } = error as { details: { failures: { subject: string }[] } };
      const subjects = broken.map((key) => `edge "${key}"`).sort();
      expect(details.failures.map(({ subject }) => subject).sort()).toEqual(subjects);
      expect(contents(tenant)).toEqual(before);
      const { edges } = await previewEvolution(tenant, tighter);
      expect(edges.map(({ subject }) => subject).sort()).toEqual(subjects);
      for (const key of broken) tenant.$client.execute("DELETE FROM edges WHERE id = ?", [key]);
      await evolveGraphType(tenant, tighter);
      expect(versionOf(tenant.$client)).toBe(4);
    },
  );
});

describe("previewEvolution (M30)", () => {
  it("says per graph what would happen, and writes nothing", async () => {
    const tenant = tasks(5);
    tenant.$client.execute("UPDATE nodes SET attributes = '{}' WHERE key = 't-1'");
    const before = contents(tenant);
    const { plan, graphs } = await previewEvolution(tenant, TasksV4, {
      migrations: countUp,
      batchSize: 2,
    });
    expect(describePlan(plan)).toContain("tasks: breaking, migrate, version 2 to 4");
    expect(graphs).toEqual([
      { graphId: "g-0", rows: 5, changed: 5, done: 0, failed: 0, failures: [] },
      {
        graphId: "g-1",
        rows: 3,
        changed: 2,
        done: 0,
        failed: 1,
        failures: [{ subject: 'node "t-1"', problem: expect.stringContaining("/count") }],
      },
    ]);
    expect(contents(tenant)).toEqual(before);
  });

  it("is ended by its signal", async () => {
    const signal = AbortSignal.abort(new Error("no more"));
    await expect(previewEvolution(tasks(), TasksV4, { signal })).rejects.toThrow("no more");
  });
});
