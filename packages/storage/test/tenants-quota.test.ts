import { graphs, nodes, type TenantDatabase, type TenantManager } from "@alkdev/storage/sqlite";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tenantsSetup, withCode } from "./tenants-setup.ts";

function created(): TenantManager {
  const tenants = tenantsSetup().manager();
  tenants.create("acme");
  return tenants;
}

function addGraphs(db: TenantDatabase, ...ids: string[]): void {
  for (const id of ids) db.insert(graphs).values({ id, name: id }).run();
}

describe("setting a quota (M33)", () => {
  test.each([
    [undefined],
    [7],
    ["1 GB"],
    [[1]],
    [{ maxBytes: -1 }],
    [{ maxNodes: 1.5 }],
    [{ maxGraphs: Number.NaN }],
    [{ maxNodes: 2 ** 53 }],
    [{ maxNodes: "7" }],
    [{ maxNodes: null }],
    [{ maxEdges: 7 }],
  ])("%j is refused", (quota) => {
    const tenants = created();
    expect(() => tenants.setQuota("acme", quota as never)).toThrow(withCode("INVALID_ARGUMENT"));
    expect(tenants.get("acme")?.quota).toBeNull();
  });

  test("is refused for a tenant that is not there, and inside a transaction", () => {
    const { manager, system } = tenantsSetup();
    const tenants = manager();
    expect(() => tenants.setQuota("acme", null)).toThrow(withCode("NOT_FOUND"));
    tenants.create("acme");
    expect(() => system.transaction(() => void tenants.setQuota("acme", null))).toThrow(
      withCode("TRANSACTION_STATE"),
    );
  });

  test("leaves no trigger and no table where there is no quota", () => {
    const tenants = created();
    const traces = (): unknown =>
      tenants.withTenant("acme", ({ $client }) =>
        $client.rows(
          "SELECT name FROM sqlite_master WHERE name LIKE '\\_alk\\_quota%' ESCAPE '\\'",
        ),
      );
    expect(traces()).toEqual([]);
    tenants.setQuota("acme", { maxBytes: 10_000_000 });
    expect(traces()).toEqual([]);
    tenants.setQuota("acme", { maxNodes: 3 });
    expect(traces()).toHaveLength(6);
    tenants.setQuota("acme", {});
    expect(traces()).toEqual([]);
    expect(tenants.get("acme")?.quota).toBeNull();
  });

  test("below what is there is allowed, and refuses growth and nothing else", () => {
    const tenants = created();
    tenants.withTenant("acme", (db) => addGraphs(db, "a", "b", "c"));
    expect(tenants.setQuota("acme", { maxGraphs: 1 }).quota).toEqual({ maxGraphs: 1 });
    const run = (sql: string): unknown =>
      tenants.withTenant("acme", ({ $client }) => $client.execute(sql));
    const full = withCode("QUOTA_EXCEEDED", "maxGraphs is 1, used are 3");
    expect(() => run("INSERT INTO graphs (id, name) VALUES ('d', 'd')")).toThrow(full);
    run("UPDATE graphs SET name = 'x' WHERE id = 'a'");
    run("INSERT OR REPLACE INTO graphs (id, name) VALUES ('a', 'again')");
    run("DELETE FROM graphs WHERE id IN ('b', 'c')");
    const one = withCode("QUOTA_EXCEEDED", "used are 1");
    expect(() => run("INSERT INTO graphs (id, name) VALUES ('d', 'd')")).toThrow(one);
    run("DELETE FROM graphs");
    run("INSERT INTO graphs (id, name) VALUES ('d', 'd')");
  });

  test("holds for the tenant that is opened next, also after a restart and in other managers", () => {
    const setup = tenantsSetup();
    const first = setup.manager();
    first.create("acme");
    const other = setup.manager();
    other.withTenant("acme", (db) => addGraphs(db, "a"));
    first.suspend("acme");
    first.setQuota("acme", { maxGraphs: 1 });
    first.resume("acme");
    for (const tenants of [other, first, setup.manager()]) {
      expect(() => tenants.withTenant("acme", (db) => addGraphs(db, "b"))).toThrow(
        withCode("QUOTA_EXCEEDED"),
      );
    }
  });

  test("counts also for those who go on using a suspended tenant", () => {
    const tenants = created();
    using handle = tenants.open("acme");
    tenants.suspend("acme");
    tenants.setQuota("acme", { maxGraphs: 0 });
    expect(() => addGraphs(handle.db, "a")).toThrow(/quota_exceeded: graphs/);
  });

  test("is not copied with the tenant", async () => {
    const tenants = created();
    tenants.setQuota("acme", { maxGraphs: 0 });
    await tenants.clone("acme", "globex");
    expect(tenants.get("globex")?.quota).toBeNull();
    tenants.withTenant("globex", (db) => addGraphs(db, "a"));
  });
});

describe("a quota of rows (M33)", () => {
  test("refuses through Drizzle, raw SQL, promises and handles", async () => {
    const tenants = created();
    tenants.setQuota("acme", { maxGraphs: 1, maxNodes: 2 });
    tenants.withTenant("acme", (db) => addGraphs(db, "a"));
    const refused = {
      code: "QUOTA_EXCEEDED",
      details: { orgId: "acme", limit: "maxGraphs", maximum: 1, used: 1 },
    };
    expect(() => tenants.withTenant("acme", (db) => addGraphs(db, "b"))).toThrow(
      expect.objectContaining(refused),
    );
    await expect(tenants.withTenant("acme", async (db) => addGraphs(db, "b"))).rejects.toThrow(
      expect.objectContaining(refused),
    );
    using handle = tenants.open("acme");
    try {
      addGraphs(handle.db, "b");
      expect.unreachable();
    } catch (error) {
      expect(tenants.quotaErrorOf(error, handle)).toMatchObject(refused);
    }
    expect(tenants.quotaErrorOf(new Error("quota_exceeded: graphs"), handle)).toBeNull();
    expect(tenants.quotaErrorOf(null, handle)).toBeNull();
  });

  test("takes a bulk insert whole or not at all", () => {
    const tenants = created();
    tenants.setQuota("acme", { maxNodes: 10 });
    tenants.withTenant("acme", (db) => {
      addGraphs(db, "g");
      const rows = (n: number, from: string) =>
        Array.from({ length: n }, (_, i) => ({ graphId: "g", key: `${from}${i}` }));
      db.insert(nodes).values(rows(8, "a")).run();
      expect(() => db.insert(nodes).values(rows(3, "b")).run()).toThrow(/quota_exceeded: nodes/);
      expect(db.$client.rows("SELECT count(*) FROM nodes")).toEqual([[8]]);
      db.insert(nodes).values(rows(2, "b")).run();
    });
  });

  test.each(["OFF", "ON"])(
    "counts exactly, whatever writes, with recursive triggers %s: as counting afresh says",
    (recursive) => {
      const tenants = created();
      tenants.setQuota("acme", { maxGraphs: 3, maxNodes: 3 });
      const graph = fc.constantFrom("g1", "g2", "g3", "g4", "g5");
      const id = fc.constantFrom("n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8");
      const key = fc.constantFrom("a", "b", "c");
      const conflict = fc.constantFrom("", "OR REPLACE", "OR IGNORE", "OR FAIL", "OR ABORT");
      const statement = fc.oneof(
        fc
          .tuple(conflict, graph)
          .map(([or, g]) => `INSERT ${or} INTO graphs (id, name) VALUES ('${g}', 'x')`),
        fc
          .tuple(conflict, fc.array(fc.tuple(id, graph, key), { minLength: 1, maxLength: 4 }))
          .map(
            ([or, rows]) =>
              `INSERT ${or} INTO nodes (id, graph_id, key) VALUES ${rows.map((row) => `('${row.join("', '")}')`).join(", ")}`,
          ),
        fc.tuple(id, graph, key, fc.constantFrom("(id)", "(graph_id, key)")).map(
          ([i, g, k, target]) =>
            `INSERT INTO nodes (id, graph_id, key) VALUES ('${i}', '${g}', '${k}')
             ON CONFLICT ${target} DO UPDATE SET attributes = '{"n":1}'`,
        ),
        fc
          .tuple(conflict, id, graph, key)
          .map(
            ([or, i, g, k]) =>
              `UPDATE ${or} nodes SET graph_id = '${g}', key = '${k}' WHERE id = '${i}'`,
          ),
        fc
          .tuple(conflict, id, id)
          .map(([or, i, j]) => `UPDATE ${or} nodes SET id = '${j}' WHERE id = '${i}'`),
        fc
          .tuple(conflict, graph, graph)
          .map(([or, g, h]) => `UPDATE ${or} graphs SET id = '${h}' WHERE id = '${g}'`),
        graph.map((g) => `DELETE FROM graphs WHERE id = '${g}'`),
        id.map((i) => `DELETE FROM nodes WHERE id = '${i}'`),
        fc.constantFrom("SAVEPOINT", "ROLLBACK", "SAVEPOINT", "DELETE FROM nodes"),
      );
      using handle = tenants.open("acme");
      const { $client } = handle.db;
      $client.execute(`PRAGMA recursive_triggers = ${recursive}`);
      const counted = (): unknown =>
        $client.rows("SELECT (SELECT count(*) FROM graphs), (SELECT count(*) FROM nodes)")[0];
      const kept = (): unknown =>
        $client.rows("SELECT used FROM _alk_quota ORDER BY resource").map(([used]) => used);
      let refused = 0;
      const attempt = (sql: string): void => {
        try {
          $client.execute(sql);
        } catch (error) {
          if (/quota_exceeded/.test(String(error))) refused += 1;
        }
      };
      fc.assert(
        fc.property(fc.array(statement, { minLength: 20, maxLength: 60 }), (statements) => {
          let tx = $client.transaction();
          for (const sql of statements) {
            if (sql === "ROLLBACK") {
              tx.rollback();
              tx = $client.transaction();
            } else if (sql === "SAVEPOINT") {
              const inner = $client.transaction();
              attempt("INSERT OR REPLACE INTO graphs (id, name) VALUES ('g1', 'y')");
              inner.rollback();
            } else {
              attempt(sql);
            }
            expect(kept()).toEqual(counted());
          }
          tx.commit();
        }),
        { numRuns: 300 },
      );
      expect(refused).toBeGreaterThan(50);
    },
  );
});

describe("a quota of bytes (M33)", () => {
  test("refuses what would grow the file beyond it, and takes it after a deletion", () => {
    const tenants = created();
    const { bytes } = tenants.stats("acme");
    const maxBytes = (bytes ?? 0) + 200_000;
    tenants.setQuota("acme", { maxBytes });
    const attributes = { text: "x".repeat(10_000) };
    const add = (key: string): unknown =>
      tenants.withTenant("acme", (db) =>
        db.insert(nodes).values({ graphId: "g", key, attributes }).run(),
      );
    tenants.withTenant("acme", (db) => addGraphs(db, "g"));
    let added = 0;
    expect(() => {
      for (; added < 100; added++) add(`n${added}`);
    }).toThrow(withCode("QUOTA_EXCEEDED", `maxBytes is ${maxBytes}`));
    expect(added).toBeGreaterThan(10);
    expect(tenants.stats("acme").bytes).toBeLessThanOrEqual(maxBytes);
    tenants.withTenant("acme", (db) => db.delete(nodes).run());
    add("again");
    tenants.setQuota("acme", null);
    for (let i = 0; i < 40; i++) add(`more${i}`);
    expect(tenants.stats("acme").bytes).toBeGreaterThan(maxBytes);
  });

  test("below the size of the file refuses growth, and reading and small changes go on", () => {
    const tenants = created();
    tenants.withTenant("acme", (db) => addGraphs(db, "g"));
    tenants.setQuota("acme", { maxBytes: 1 });
    tenants.withTenant("acme", (db) => db.update(graphs).set({ name: "h" }).run());
    const attributes = { text: "x".repeat(10_000_000) };
    expect(() =>
      tenants.withTenant("acme", (db) =>
        db.transaction((tx) => {
          tx.insert(nodes).values({ graphId: "g", key: "big", attributes }).run();
        }),
      ),
    ).toThrow(withCode("QUOTA_EXCEEDED", "maxBytes is 1"));
    expect(tenants.withTenant("acme", (db) => db.select().from(nodes).all())).toEqual([]);
  });
});
