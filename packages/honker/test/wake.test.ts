import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { open } from "@alkdev/honker";
import { eventually, tempDatabase, tempFolder } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { WakeBus } from "../src/wake/wake.ts";

/** A bus whose host can be made busy, and a record of what it told the host. */
function testBus(): { bus: WakeBus; waiting: boolean[]; host: { busy: boolean } } {
  const waiting: boolean[] = [];
  const host = { busy: false };
  const bus = new WakeBus({
    busy: () => host.busy,
    onWaiting: (value) => waiting.push(value),
  });
  return { bus, waiting, host };
}

describe("the wake bus (M11)", () => {
  it("wakes those who wait for the topic and nobody else", async () => {
    const { bus } = testBus();
    const a = bus.waiter("a");
    const b = bus.waiter("b");
    const waiting = a.wait();
    const other = b.wait({ timeoutMs: 20 });
    bus.wake("a");
    expect(await waiting).toBe("wake");
    expect(await other).toBe("timeout");
  });

  it("remembers a wake that comes before the wait, once", async () => {
    const { bus } = testBus();
    const waiter = bus.waiter("a");
    bus.wake("a");
    bus.wake("a");
    expect(await waiter.wait()).toBe("wake");
    expect(await waiter.wait({ timeoutMs: 1 })).toBe("timeout");
  });

  it("ends waits on abort and on close, also those that start later", async () => {
    const { bus } = testBus();
    const controller = new AbortController();
    const waiter = bus.waiter("a");
    const aborted = waiter.wait({ signal: controller.signal });
    controller.abort();
    expect(await aborted).toBe("aborted");
    expect(await waiter.wait({ signal: controller.signal })).toBe("aborted");
    const closed = waiter.wait();
    bus.close();
    bus.close();
    expect(await closed).toBe("closed");
    expect(await waiter.wait()).toBe("closed");
    expect(await bus.waiter("b").wait()).toBe("closed");
  });

  it("keeps no listener on a signal after a wait has ended", async () => {
    const { bus } = testBus();
    const waiter = bus.waiter("a");
    let listeners = 0;
    const signal = new AbortController().signal;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      listeners += 1;
      addEventListener.apply(signal, args);
    };
    signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      listeners -= 1;
      removeEventListener.apply(signal, args);
    };
    for (let i = 0; i < 100; i++) {
      bus.wake("a");
      await waiter.wait({ signal });
      await waiter.wait({ signal, timeoutMs: 0 });
      const waiting = waiter.wait({ signal });
      bus.wake("a");
      await waiting;
    }
    expect(listeners).toBe(0);
  });

  it("tells when the first waiter comes and the last one goes", () => {
    const { bus, waiting } = testBus();
    const a = bus.waiter("a");
    const b = bus.waiter("a");
    a.close();
    a.close();
    expect(waiting).toEqual([true]);
    b.close();
    bus.waiter("c").close();
    expect(waiting).toEqual([true, false, true, false]);
  });

  it("takes a wait of more than 2^31 milliseconds for a long one, not for a short one", async () => {
    const { bus } = testBus();
    const waiter = bus.waiter("a");
    const long = waiter.wait({ timeoutMs: 1e15 });
    const first = await Promise.race([long, new Promise((resolve) => setTimeout(resolve, 20))]);
    expect(first).toBeUndefined();
    waiter.close();
    expect(await long).toBe("closed");
  });

  it("wakes who was held back by a transaction when it ends", async () => {
    const { bus, host } = testBus();
    const waiter = bus.waiter("a");
    host.busy = true;
    expect(waiter.held()).toBe(true);
    host.busy = false;
    bus.release();
    expect(await waiter.wait()).toBe("wake");
    expect(waiter.held()).toBe(false);
  });
});

describe("wakes across processes (M11)", () => {
  it("come for every commit, in bursts and one by one, and none is lost", async () => {
    const db = tempDatabase();
    const listener = db.listen("c");
    const script = `
      import { open } from "@alkdev/honker";
      const db = open(process.argv[1]);
      for (let i = 0; i < 600; i++) {
        db.notify("c", i);
        if (i % 3 === 0) await new Promise((r) => setTimeout(r, i % 7));
      }
      db.close();
    `;
    const child = spawn(
      process.execPath,
      ["--conditions=@alkdev/source", "--input-type=module", "-e", script, db.path],
      { cwd: import.meta.dirname, stdio: ["ignore", "inherit", "ignore"] },
    );
    const exited = once(child, "exit");
    for (let i = 0; i < 600; i++) expect((await listener.next()).value?.payload).toBe(i);
    expect((await exited)[0]).toBe(0);
  });

  it("come from the sqlite3 of other programs too", async () => {
    const db = tempDatabase();
    const listener = db.listen("c");
    const sql = `INSERT INTO _honker_notifications (channel, payload) VALUES ('c', '"plain"');`;
    const other = spawn("sqlite3", [db.path, sql]);
    expect((await listener.next()).value?.payload).toBe("plain");
    other.kill();
  });
});

describe("idle databases (M11)", () => {
  it("cost no timer and no watcher, and with listeners one watcher for all of a folder", async () => {
    const folder = tempFolder();
    const databases = Array.from({ length: 50 }, (_, i) => open(join(folder, `${i}.db`)));
    onTestFinished(() => {
      for (const db of databases) db.close();
    });
    // a watcher closed by an earlier test is released in a later turn of the event loop
    await eventually("no watcher is left", () => activeResources()["FSEventWrap"] === undefined);
    const before = activeResources();
    const threads = threadCount();
    const listeners = databases.map((db) => db.listen("c"));
    const during = activeResources();
    expect(during["FSEventWrap"]).toBe(1);
    expect((during["Timeout"] ?? 0) - (before["Timeout"] ?? 0)).toBe(1);
    expect(threadCount()).toBe(threads);
    for (const listener of listeners) listener.close();
    expect(activeResources()["Timeout"] ?? 0).toBe(before["Timeout"] ?? 0);
    await eventually("the watcher is gone", () => activeResources()["FSEventWrap"] === undefined);
  });
});

function activeResources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Threads of this process; 0 where the system does not tell. */
function threadCount(): number {
  if (process.platform !== "linux") return 0;
  return Number(/^Threads:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
}
