import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Database, open } from "@alkdev/honker";
import {
  accounts,
  apiKeys,
  createGraphStore,
  createSystemDatabase,
  createTenantDatabase,
} from "@alkdev/storage/sqlite";
import { tempDatabase, tempFolder } from "@alkdev/testkit";
import { type ExportManifest, exportDatabase } from "@alkdev/transfer";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";

type Line = Record<string, unknown>;

function lines(out: string, table: string): Line[] {
  const text = readFileSync(join(out, `${table}.ndjson`), "utf8");
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/** Checks counts, hashes and every line against the schema of its table. */
function verify(out: string, manifest: ExportManifest): void {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  expect(JSON.parse(readFileSync(join(out, "manifest.json"), "utf8"))).toEqual(manifest);
  for (const { table, file, schema, rows, bytes, sha256 } of manifest.tables) {
    const content = readFileSync(join(out, file));
    expect(content.length).toBe(bytes);
    expect(createHash("sha256").update(content).digest("hex")).toBe(sha256);
    const check = ajv.compile(JSON.parse(readFileSync(join(out, schema), "utf8")));
    const found = lines(out, table);
    expect(found).toHaveLength(rows);
    for (const line of found)
      expect({ table, ok: check(line), errors: check.errors }).toMatchObject({ ok: true });
  }
}

function exportable(): { db: Database; out: string } {
  return { db: tempDatabase(), out: join(tempFolder(), "export") };
}

describe("exportDatabase (M38)", () => {
  it("writes every table of a tenant with a schema that every line fits", async () => {
    const { db, out } = exportable();
    const tenant = createTenantDatabase(db);
    const store = createGraphStore(tenant);
    const graph = store.graph(store.createGraph({ type: "call_graph", name: "Calls" }).id);
    graph.insertNodes(
      ["a", "b 🙂\n"].map((key) => ({
        type: "call",
        key,
        attributes: { requestId: key, operationId: "x", status: "completed" },
      })),
    );
    graph.insertEdges([{ type: "triggered", source: "a", target: "b 🙂\n" }]);
    const manifest = await exportDatabase({ db, out });
    verify(out, manifest);
    expect(lines(out, "nodes").map(({ key }) => key)).toEqual(["a", "b 🙂\n"]);
    expect(lines(out, "edges")[0]).toMatchObject({ sourceNodeKey: "a", undirected: false });
    expect(lines(out, "graph_types").length).toBeGreaterThan(2);
    expect(readdirSync(out).filter((name) => name.startsWith("copy"))).toEqual([]);
  });

  it("writes identity, streams, jobs and dead letters, and no secret of the installation", async () => {
    const { db, out } = exportable();
    const system = createSystemDatabase(db);
    const ada = system.insert(accounts).values({ email: "ada@example.org" }).returning().get();
    const expiresAt = new Date("2030-01-02T03:04:05Z");
    system
      .insert(apiKeys)
      .values({ ownerId: ada.id, keyHash: "0".repeat(64), expiresAt })
      .run();
    db.stream("audit").publish({ n: 1 }, { key: "ada", headers: { trace: "x" } });
    db.queue("mails").enqueue({ to: "ada" });
    db.queue("mails").offerDead({ to: "bob" }, { error: "no" });
    const manifest = await exportDatabase({ db, out });
    verify(out, manifest);
    expect(lines(out, "accounts")).toEqual([
      {
        ...{ id: ada.id, email: "ada@example.org", displayName: null, metadata: {} },
        ...{ accessLevel: "user", status: "active" },
        createdAt: ada.createdAt.toISOString(),
        updatedAt: ada.updatedAt.toISOString(),
      },
    ]);
    expect(lines(out, "api_keys")[0]).toMatchObject({
      expiresAt: expiresAt.toISOString(),
      enabled: true,
    });
    expect(lines(out, "_honker_stream").at(-1)).toMatchObject({
      ...{ topic: "audit", key: "ada", payload: { n: 1 }, alk_headers: { trace: "x" } },
    });
    expect(lines(out, "_honker_live")[0]).toMatchObject({ queue: "mails", payload: { to: "ada" } });
    expect(lines(out, "_honker_dead")[0]).toMatchObject({ last_error: "no" });
    expect(manifest.left.map(({ table }) => table)).toContain("_alk_storage_state");
    expect(existsSync(join(out, "_alk_storage_state.ndjson"))).toBe(false);
  });

  it("keeps digits, bytes and line breaks of JSON", async () => {
    const { db, out } = exportable();
    createTenantDatabase(db);
    db.execute("INSERT INTO graphs (id, name, metadata) VALUES ('g', 'g', ?)", [
      '{\n  "n": 123456789012345678901234567890,\r\n "text": "a\\nb"}',
    ]);
    db.execute("CREATE TABLE mine (id INTEGER PRIMARY KEY, big INTEGER, raw BLOB)");
    db.execute("INSERT INTO mine VALUES (1, 9223372036854775807, x'ff00')");
    verify(out, await exportDatabase({ db, out }));
    const text = readFileSync(join(out, "graphs.ndjson"), "utf8");
    expect(text).toContain('"n": 123456789012345678901234567890');
    expect(lines(out, "graphs")[0]?.["metadata"]).toMatchObject({ text: "a\nb" });
    expect(lines(out, "mine")).toEqual([{ id: 1, big: "9223372036854775807", raw: "/wA=" }]);
  });

  it("is of one moment, while the file is written to", async () => {
    const { db, out } = exportable();
    const stream = db.stream("s");
    stream.publishMany(Array.from({ length: 20_000 }, (_, n) => ({ n, text: "x".repeat(100) })));
    let written = 0;
    const manifest = await exportDatabase({
      ...{ db, out },
      onProgress: () => {
        stream.publish({ late: true });
        written += 1;
      },
    });
    expect(written).toBeGreaterThan(1);
    expect(manifest.tables.find(({ table }) => table === "_honker_stream")?.rows).toBe(20_000);
  });

  it("takes the tables that are named, by a path, and says which were left", async () => {
    const { db, out } = exportable();
    createTenantDatabase(db);
    const manifest = await exportDatabase({ path: db.path, out, tables: ["graphs"] });
    expect(manifest.tables.map(({ table }) => table)).toEqual(["graphs"]);
    expect(manifest.left).toContainEqual({ table: "nodes", reason: "not asked for" });
  });

  it("leaves nothing behind when it fails or is aborted, and takes over what a killed one left", async () => {
    const { db, out } = exportable();
    db.stream("s").publish(1);
    const controller = new AbortController();
    controller.abort(new Error("enough"));
    await expect(exportDatabase({ db, out, signal: controller.signal })).rejects.toThrow();
    await expect(exportDatabase({ db, out, tables: ["nope"] })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    expect(readdirSync(join(out, ".."))).toEqual([]);
    const manifest = await exportDatabase({ db, out });
    await expect(exportDatabase({ db, out })).rejects.toMatchObject({ code: "OUT_IN_USE" });
    verify(out, manifest);
  });

  it("refuses a path that is not there, and what is no database, and makes neither", async () => {
    const out = join(tempFolder(), "export");
    const missing = join(tempFolder(), "missing.db");
    await expect(exportDatabase({ path: missing, out })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    expect(existsSync(missing)).toBe(false);
    const text = join(tempFolder(), "text.db");
    writeFileSync(text, "not a database at all, and long enough to be looked at".repeat(100));
    await expect(exportDatabase({ path: text, out })).rejects.toMatchObject({
      code: "NOT_A_DATABASE",
    });
    await expect(exportDatabase({ out })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    using db = open(join(tempFolder(), "a.db"));
    await expect(exportDatabase({ db, path: db.path, out })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
  });
});
