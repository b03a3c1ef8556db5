import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { type Database, open } from "@alkdev/honker";
import { tempFolder } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { notifications, openTables } from "./table-operations-fixture.ts";

const HOLDER = new URL("children/hold-write-lock.ts", import.meta.url);

/** Tables whose files do not wait for a lock. */
function impatientTables() {
  const folder = tempFolder();
  let files = 0;
  return openTables((): Database => {
    const db = open(join(folder, `${files++}.db`), { busyTimeoutMs: 0 });
    onTestFinished(() => db.close());
    return db;
  });
}

describe("failures of the engine (M32)", () => {
  it("answers BUSY while another process writes, without naming the file, and goes on after", async () => {
    const { system, call, failure, reported } = impatientTables();
    const holder = fork(HOLDER, [system.path], {
      execArgv: ["--conditions=@alkdev/source"],
      stdio: ["pipe", "pipe", "inherit", "ipc"],
    });
    onTestFinished(() => void holder.kill());
    await once(holder.stdout as Readable, "data");
    expect(await call("accounts.list", {})).toEqual({ items: [], cursor: null });
    const busy = await failure("accounts.create", { email: "a@x" });
    expect(busy.code).toBe("BUSY");
    expect(busy.message).not.toContain(system.path);
    expect(reported).toEqual([]);
    const exited = once(holder, "exit");
    holder.stdin?.end();
    await exited;
    expect(await call("accounts.create", { email: "a@x" })).toMatchObject({ email: "a@x" });
  });

  it("answers STORAGE_FULL where the file may not grow, and keeps nothing of the call", async () => {
    const { system, call, failure } = impatientTables();
    const [[pages]] = system.rows("PRAGMA page_count") as [[number]];
    system.rows(`PRAGMA max_page_count = ${pages + 8}`);
    const metadata = { text: "x".repeat(100_000) };
    const full = await failure("accounts.create", { email: "a@x", metadata });
    expect(full.code).toBe("STORAGE_FULL");
    expect(full.message).not.toContain(system.path);
    expect(await call("accounts.list", {})).toEqual({ items: [], cursor: null });
    expect(notifications(system)).toEqual([]);
  });
});
