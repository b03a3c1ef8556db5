import { createHash } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import {
  accounts,
  apiKeys,
  createGraphStore,
  edges,
  graphs,
  graphTypes,
  nodes,
  organizationMembers,
  organizations,
} from "@alkdev/storage/sqlite";
import { importPostgres, type SeededHub } from "@alkdev/transfer";
import { and, eq, like } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { opened, place, rowReports, seededHub } from "./import-fixture.ts";
import { onPostgres, POSTGRES_URL, tempSchema } from "./services.ts";

const LIMIT = 120_000;

/** The id that a seeded row or hard case has. */
function seededId(name: string): string {
  const hex = createHash("md5").update(`hub:${name}`).digest("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function caseId({ table, name }: SeededHub["hardCases"][number]): string {
  return `${table}/${seededId(`hard:${name}`)}`;
}

describe("importPostgres (M38)", () => {
  it(
    "accounts for every row of every table, on both sides",
    async () => {
      const { hub, options } = await seededHub();
      const report = await importPostgres(options);
      expect(report.ok).toBe(true);
      for (const { table, rows, read, taken, rejected, checksum } of report.source_tables) {
        if (rows === null) continue;
        expect({ table, rows: read }).toEqual({ table, rows: hub.rows[table] });
        expect(taken + rejected).toBe(rows);
        expect(checksum.read).toBe(checksum.source);
      }
      for (const { written, found, checksum } of report.written_tables) {
        expect(found).toBe(written);
        expect(checksum.found).toBe(checksum.written);
      }
      expect(report.snapshots).toBe(1);
      expect(report.tables_left).toEqual([]);
      const lines = rowReports(report.rowsPath);
      expect(lines.filter(({ taken }) => !taken)).toHaveLength(report.rows.rejected);
      expect(statSync(report.rowsPath).mode & 0o777).toBe(0o600);
    },
    LIMIT,
  );

  it(
    "takes each hard case, takes it with a change that it reports, or refuses it with the reason",
    async () => {
      const { hub, options } = await seededHub(500);
      const { rowsPath } = await importPostgres(options);
      const reports = new Map<string, string[]>();
      for (const { table, id, taken, code, row } of rowReports(rowsPath)) {
        const key = `${table}/${id}`;
        reports.set(key, [...(reports.get(key) ?? []), `${code} ${taken}`]);
        if (!taken) expect(Object.values(row ?? {})).toContain(id);
      }
      expect(hub.hardCases.length).toBeGreaterThan(30);
      for (const hard of hub.hardCases) {
        const said = reports.get(caseId(hard)) ?? [];
        const expected = hard.code === null ? [] : [`${hard.code} ${hard.taken}`];
        expect({ ...hard, said }).toEqual({ ...hard, said: expect.arrayContaining(expected) });
        if (hard.code === null) expect({ ...hard, said }).toEqual({ ...hard, said: [] });
      }
    },
    LIMIT,
  );

  it(
    "keeps ids, digits, characters and depth as they are",
    async () => {
      const { options } = await seededHub(1_000);
      await importPostgres(options);
      const { system, tenants } = opened(options);
      const account = system.query.accounts
        .findFirst({ where: eq(accounts.id, seededId("account:1")) })
        .sync();
      expect(account?.email).toBe("user1@example.org");
      expect(account?.createdAt.toISOString()).toBe("2025-12-31T23:58:59.000Z");
      const twins = system.select().from(accounts).where(like(accounts.email, "twin%")).all();
      const renamed = twins.find(({ metadata }) => metadata["_import"] !== undefined);
      const kept = twins.find(({ metadata }) => metadata["_import"] === undefined);
      expect(kept?.email.toLowerCase()).toBe("twin@example.org");
      const { email } = (renamed?.metadata["_import"] ?? {}) as { email: string };
      expect(email).not.toBe(kept?.email);
      expect(renamed?.email).toBe(email.replace("@", `+${renamed?.id}@`));
      const owner = system
        .select()
        .from(organizationMembers)
        .where(eq(organizationMembers.id, seededId("owner:1")))
        .get();
      expect(owner).toMatchObject({ orgId: seededId("org:1"), membershipLevel: "owner" });
      expect(owner?.createdAt.toISOString()).toBe("2025-12-31T23:58:59.000Z");
      expect(owner?.updatedAt.toISOString()).toBe("2025-12-31T23:59:52.000Z");
      const key = system
        .select()
        .from(apiKeys)
        .where(eq(apiKeys.id, seededId("key:11")))
        .get();
      expect(key?.keyHash).toBe(createHash("sha256").update("key11").digest("hex"));
      expect(key?.rotatedToId).toBeTypeOf("string");
      tenants.withTenant(seededId("org:1"), (db) => {
        const attributes = (name: string): unknown =>
          db.$client.rows("SELECT attributes FROM nodes WHERE id = ?", [
            seededId(`hard:${name}`),
          ])[0]?.[0];
        expect(attributes("huge-integer")).toBe('{"n": 123456789012345678901234567890}');
        expect(attributes("long-decimal")).toBe('{"n": 1234567890.12345678901234567890}');
        expect(String(attributes("deep")).match(/\{/g)).toHaveLength(900);
        expect(String(attributes("megabyte"))).toHaveLength(1_000_000 + '{"text": ""}'.length);
        const emoji = db
          .select()
          .from(nodes)
          .where(eq(nodes.id, seededId("hard:emoji")))
          .get();
        expect(emoji?.key).toBe("emoji 🧪 \\ \t \n key");
        expect(emoji?.attributes).toEqual({ text: "👩‍👩‍👧 \\u0000 \\ \n \t" });
        const ides = db
          .select()
          .from(nodes)
          .where(eq(nodes.id, seededId("hard:bc")))
          .get();
        expect(ides?.createdAt.toISOString()).toBe("-000043-03-15T12:00:00.000Z");
      });
      tenants.withTenant(seededId("org:2"), (db) => {
        const session = db
          .select()
          .from(nodes)
          .where(eq(nodes.id, seededId("hard:not-a-number")))
          .get();
        expect(session?.attributes).toMatchObject({
          tokens: "-9223372036854775808",
          cost: "NaN",
          ratio: "Infinity",
          transcript: "",
          started_at: "-infinity",
          tags: [],
          raw: null,
        });
      });
    },
    LIMIT,
  );

  it(
    "leaves tenants that the graph store and the call queries can be asked",
    async () => {
      const { options } = await seededHub(2_000);
      const report = await importPostgres(options);
      const { system, tenants } = opened(options);
      expect(report.tenants).toBe(system.$count(organizations).sync());
      for (const { orgId } of tenants.list()) {
        tenants.withTenant(orgId, (db) => {
          const names = db.select({ name: graphTypes.name }).from(graphTypes).all();
          expect(names.filter(({ name }) => name === "call_graph")).toHaveLength(1);
          expect(names.map(({ name }) => name)).toContain("task_graph");
          const roles = db.select().from(nodes).where(like(nodes.key, "roles:%")).all();
          expect(roles).toHaveLength(3);
        });
      }
      tenants.withTenant(seededId("org:1"), (db) => {
        const store = createGraphStore(db);
        const [graph] = db
          .select({ id: graphs.id })
          .from(graphs)
          .innerJoin(graphTypes, eq(graphTypes.id, graphs.graphTypeId))
          .innerJoin(nodes, eq(nodes.graphId, graphs.id))
          .where(and(eq(graphTypes.name, "task_graph"), eq(graphs.status, "active")))
          .all();
        const tasks = store.graph(graph?.id ?? "");
        expect(tasks.listNodes({ type: "task", limit: 5 }).items.length).toBeGreaterThan(0);
        tasks.insertNodes([{ type: "task", key: "new", attributes: { title: "x" } }]);
        const [edge] = db.select().from(edges).where(eq(edges.graphId, "hub-calls")).limit(1).all();
        const calls = store.graph("hub-calls");
        const child = calls.getNode(edge?.targetNodeKey ?? "");
        expect(child).toMatchObject({
          type: "call",
          attributes: { operationId: "math.add", status: "completed" },
        });
        const parents = calls.neighbours(edge?.targetNodeKey ?? "", { direction: "in" });
        expect(parents.items.map(({ key }) => key)).toEqual([edge?.sourceNodeKey]);
      });
    },
    LIMIT,
  );

  it(
    "returns the same report when it is called again, and takes nothing twice",
    async () => {
      const { options } = await seededHub(300);
      const report = await importPostgres(options);
      expect(await importPostgres(options)).toEqual(report);
      const { system, tenants } = opened(options);
      expect(system.$count(accounts).sync()).toBe(report.written_tables[0]?.written);
      expect(system.$client.stats().streams.map(({ stream }) => stream)).toEqual([
        "transfer:import",
      ]);
      tenants.withTenant(tenants.list()[0]?.orgId ?? "", (db) =>
        expect(db.$client.stats().streams).toEqual([]),
      );
    },
    LIMIT,
  );

  it(
    "dry run: reports what an import would do and leaves nothing but the report of rows",
    async () => {
      const { options } = await seededHub(300);
      const dry = await importPostgres({ ...options, dryRun: true });
      expect(readdirSync(dirname(options.out.systemPath))).toEqual(["rows.ndjson"]);
      const real = await importPostgres(options);
      const counts = ({ source_tables, rows, tenants }: typeof dry) => ({
        source_tables,
        rows,
        tenants,
      });
      expect(dry.dryRun).toBe(true);
      expect(dry.out).toEqual(real.out);
      expect(counts(dry)).toEqual(counts(real));
    },
    LIMIT,
  );

  it(
    "goes on after it was aborted, and finds out that the source changed meanwhile",
    async () => {
      const { options } = await seededHub(500);
      const controller = new AbortController();
      const reason = new Error("enough");
      const aborted = importPostgres({
        ...options,
        batchSize: 50,
        signal: controller.signal,
        onProgress: ({ item }) => {
          if (item === "nodes") controller.abort(reason);
        },
      });
      await expect(aborted).rejects.toBe(reason);
      expect(existsSync(options.rowsPath ?? "")).toBe(false);
      await onPostgres(`UPDATE ${options.schema}.accounts SET display_name = 'another'`);
      const report = await importPostgres(options);
      expect(report.snapshots).toBe(2);
      expect(report.ok).toBe(false);
      const failed = report.source_tables.filter(({ verified }) => !verified);
      expect(failed.map(({ table }) => table)).toEqual(["accounts"]);
      expect(report.advice[0]).toContain("The source changed");
    },
    LIMIT,
  );

  it(
    "goes on after PostgreSQL ended the connection in the middle of a table",
    async () => {
      const { options } = await seededHub(3_000);
      let ended: Promise<unknown> | undefined;
      const cut = importPostgres({
        ...options,
        batchSize: 20,
        onProgress: ({ item }) => {
          if (item !== "nodes") return;
          ended ??= onPostgres(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = 'alkdev-transfer' AND query LIKE '%${options.schema}%'`);
        },
      });
      // small tables may be in the buffers already: it is the next query that fails
      await expect(cut).rejects.toThrow();
      await ended;
      const report = await importPostgres(options);
      expect(report).toMatchObject({ ok: true, snapshots: 2 });
    },
    LIMIT,
  );

  it(
    "gives what belongs to nobody to the organization that is named for it",
    async () => {
      const { options } = await seededHub(300);
      const unownedTo = seededId("org:2");
      const { rowsPath } = await importPostgres({ ...options, unownedTo });
      const unowned = seededId("hard:unowned");
      expect(rowReports(rowsPath).map(({ id }) => id)).not.toContain(unowned);
      const { tenants } = opened(options);
      tenants.withTenant(unownedTo, (db) =>
        expect(db.select().from(graphs).where(eq(graphs.id, unowned)).all()).toHaveLength(1),
      );
    },
    LIMIT,
  );

  it(
    "names the tables that it did not read",
    async () => {
      const { options } = await seededHub(200);
      await onPostgres(`CREATE TABLE ${options.schema}.tasks (id uuid, org_id uuid);
        INSERT INTO ${options.schema}.tasks VALUES (gen_random_uuid(), NULL)`);
      const report = await importPostgres({ ...options, tables: [] });
      expect(report.tables_left).toContainEqual({ table: "tasks", rows: 1 });
      expect(report.tables_left).toContainEqual({ table: "roles", rows: 3 });
      expect(report.advice.at(-1)).toContain("tasks (1)");
    },
    LIMIT,
  );

  it(
    "refuses a place with other data, another source, and what is no hub",
    async () => {
      const { options } = await seededHub(200);
      const inUse = place();
      const { system } = opened(inUse);
      system.insert(accounts).values({ email: "ada@example.org" }).run();
      await expect(importPostgres({ ...options, ...inUse })).rejects.toMatchObject({
        code: "OUT_IN_USE",
      });
      await importPostgres(options);
      await expect(importPostgres({ ...options, tables: [] })).rejects.toMatchObject({
        code: "SOURCE_MISMATCH",
      });
      const schema = tempSchema();
      await onPostgres(`CREATE SCHEMA ${schema}`);
      await expect(importPostgres({ ...options, ...place(), schema })).rejects.toMatchObject({
        code: "SOURCE_SHAPE",
      });
    },
    LIMIT,
  );

  it("says where it cannot connect to, without the password", async () => {
    const url = new URL(POSTGRES_URL);
    url.password = "secret";
    url.port = "1";
    const failed = importPostgres({ url: url.href, ...place() });
    await expect(failed).rejects.toMatchObject({ code: "SOURCE_UNAVAILABLE" });
    await expect(failed).rejects.not.toThrow(/secret/);
    await expect(importPostgres({ ...place(), url: "" })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    await expect(importPostgres({ ...place(), url: "x", batchSize: 0 })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
  });
});
