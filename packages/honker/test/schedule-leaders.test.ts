import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { type Clock, type Database, open } from "@alkdev/honker";
import { engineModes, eventually, FakeClock, tempDatabase, tempFolder } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { codeOf } from "./code-of.ts";

/** Lets everything that waits on the database look again, as a commit of another process does. */
function wake(db: Database): void {
  db.execute("DELETE FROM _honker_notifications");
}

function slots(db: Database): string[] {
  return db
    .rows("SELECT alk_headers FROM _honker_live ORDER BY id")
    .map(([headers]) => JSON.parse(String(headers)).scheduledFor as string);
}

/** Every second from the first slot to the last, each once. */
function expectGapless(fired: readonly string[]): void {
  const seconds = fired.map((slot) => Date.parse(slot) / 1_000);
  const first = Math.min(...seconds);
  expect(seconds.toSorted((a, b) => a - b)).toEqual(seconds.map((_, i) => first + i));
}

async function runner(path: string, mode: "run" | "tick", owner: string): Promise<ChildProcess> {
  const child = fork(
    new URL("./children/scheduler-runner.ts", import.meta.url),
    [path, mode, owner],
    {
      execArgv: ["--conditions=@alkdev/source"],
    },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child, "message");
  return child;
}

describe.each(engineModes)("M9: running schedules $mode", ({ extension }) => {
  it("fires at the time, and at once what is added later", async () => {
    const clock = new FakeClock();
    const db = tempDatabase({ extension, clock });
    const scheduler = db.scheduler();
    scheduler.add("a", "@every 10s", { queue: "q" });
    scheduler.start({ owner: "hub-1" });
    scheduler.start({ owner: "ignored: it runs already" });
    await eventually("it leads", () => db.lock("honker-scheduler")?.owner === "hub-1");
    clock.advance(10_000);
    wake(db);
    await eventually("the first slot fired", () => slots(db).length === 1);
    clock.advance(1_000);
    scheduler.add("b", "@every 1s", { queue: "q" });
    clock.advance(1_000);
    wake(db);
    await eventually("the new schedule fired", () => slots(db).length === 2);
    await scheduler.stop();
    await scheduler.stop();
    expect(db.lock("honker-scheduler")).toBeNull();
    clock.advance(60_000);
    wake(db);
    await new Promise((resolve) => setImmediate(resolve));
    expect(slots(db)).toHaveLength(2);
  });

  it("sleeps until the next slot by itself", { timeout: 10_000 }, async () => {
    const db = tempDatabase({ extension });
    db.scheduler().add("a", "* * * * * *", { queue: "q", missed: "once" });
    db.scheduler().start();
    await eventually("two slots fired", () => slots(db).length >= 2);
    const late = Date.now() - Date.parse(slots(db).at(-1) ?? "");
    expect(late).toBeLessThan(900);
    await db.scheduler().stop();
  });

  it("has one leader, and another one as soon as that stops", async () => {
    const clock = new FakeClock();
    const first = tempDatabase({ extension, clock });
    const second = open(first.path, { extension, clock });
    onTestFinished(() => second.close());
    first.scheduler().start({ owner: "first" });
    await eventually("first leads", () => first.lock("honker-scheduler") !== null);
    second.scheduler().start({ owner: "second" });
    wake(first);
    await new Promise((resolve) => setImmediate(resolve));
    expect(first.lock("honker-scheduler")?.owner).toBe("first");
    await first.scheduler().stop();
    await eventually("second leads", () => second.lock("honker-scheduler")?.owner === "second");
    await second.scheduler().stop();
  });

  it("leads again at once after a restart under its name, without fighting a living namesake", async () => {
    const clock = new FakeClock();
    const first = tempDatabase({ extension, clock });
    first.tryLock("honker-scheduler", "hub-1", 60);
    const stale = first.lock("honker-scheduler")?.token ?? 0;
    first.scheduler().start({ owner: "hub-1" });
    await eventually("it took over", () => (first.lock("honker-scheduler")?.token ?? 0) > stale);
    const second = open(first.path, { extension, clock });
    onTestFinished(() => second.close());
    second.scheduler().start({ owner: "hub-1" });
    await eventually(
      "the newer leads",
      () => (first.lock("honker-scheduler")?.token ?? 0) > stale + 1,
    );
    const token = first.lock("honker-scheduler")?.token;
    for (let i = 0; i < 5; i++) {
      wake(first);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(first.lock("honker-scheduler")?.token).toBe(token);
    await Promise.all([first.scheduler().stop(), second.scheduler().stop()]);
  });

  it("ends when its signal is aborted or its database is closed, and refuses no name", async () => {
    const db = tempDatabase({ extension });
    const stop = new AbortController();
    const running = db.scheduler().run("hub-1", stop.signal);
    stop.abort();
    await running;
    await db.scheduler().run("hub-1", AbortSignal.abort());
    await expect(db.scheduler().run("")).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(codeOf(() => db.scheduler().start({ owner: "" }))).toBe("INVALID_ARGUMENT");
    const closing = db.scheduler().run("hub-1");
    db.close();
    await closing;
  });

  it("waits while a transaction is open", async () => {
    const clock = new FakeClock();
    const db = tempDatabase({ extension, clock });
    db.scheduler().add("a", "@every 10s", { queue: "q" });
    db.scheduler().start();
    await eventually("it leads", () => db.lock("honker-scheduler") !== null);
    const tx = db.transaction();
    clock.advance(10_000);
    wake(db);
    await new Promise((resolve) => setImmediate(resolve));
    tx.rollback();
    await eventually("the slot fired", () => slots(db).length === 1);
    await db.scheduler().stop();
  });
});

describe("M9: schedules of several processes", () => {
  it("fire each slot once although two tick all the time", { timeout: 20_000 }, async () => {
    const db = tempDatabase();
    db.scheduler().add("a", "* * * * * *", { queue: "q" });
    await Promise.all(["one", "two"].map((owner) => runner(db.path, "tick", owner)));
    await eventually("four slots fired", () => slots(db).length >= 4, 10_000);
    expectGapless(slots(db));
  });

  it("go on in another process when the leader is killed", { timeout: 20_000 }, async () => {
    const path = `${tempFolder()}/leader.db`;
    let ahead = 0;
    const clock: Clock = { now: () => Date.now() + ahead };
    const db = open(path, { clock });
    onTestFinished(() => db.close());
    db.scheduler().add("a", "* * * * * *", { queue: "q" });
    const child = await runner(path, "run", "child");
    await eventually("the child leads", () => db.lock("honker-scheduler")?.owner === "child");
    db.scheduler().start({ owner: "parent" });
    await eventually("the child fired", () => slots(db).length >= 2);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(db.lock("honker-scheduler")?.owner).toBe("child");
    const before = slots(db).length;
    ahead = 40_000; // its time is not over: it was renewed within the last 20 s
    wake(db);
    await new Promise((resolve) => setImmediate(resolve));
    expect(slots(db)).toHaveLength(before);
    ahead = 61_000;
    wake(db);
    await eventually("the parent leads", () => db.lock("honker-scheduler")?.owner === "parent");
    await eventually("the parent made up for the gap", () => slots(db).length >= before + 60);
    await db.scheduler().stop();
    expectGapless(slots(db));
  });

  it("are handed over at once by a leader that stops", { timeout: 20_000 }, async () => {
    const db = tempDatabase();
    db.scheduler().add("a", "* * * * * *", { queue: "q" });
    const child = await runner(db.path, "run", "child");
    await eventually("the child leads", () => db.lock("honker-scheduler")?.owner === "child");
    db.scheduler().start({ owner: "parent" });
    child.send("stop");
    await eventually("the parent leads", () => db.lock("honker-scheduler")?.owner === "parent");
    await once(child, "exit");
    const before = slots(db).length;
    await eventually("the parent fires", () => slots(db).length > before);
    await db.scheduler().stop();
    expectGapless(slots(db));
  });
});
