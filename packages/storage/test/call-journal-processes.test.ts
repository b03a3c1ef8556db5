import { type ChildProcess, execFile, fork } from "node:child_process";
import { once } from "node:events";
import { copyFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { open } from "@alkdev/honker";
import { createTenantDatabase } from "@alkdev/storage/sqlite";
import { eventually, tempDatabase, tempFolder } from "@alkdev/testkit";
import { describe, expect, onTestFinished, test } from "vitest";
import { callOf, codeOf, type Journal, journalFixture } from "./call-journal-fixture.ts";

const HOLDER = new URL("./children/hold-write-lock.ts", import.meta.url);
const CHILD = fileURLToPath(new URL("./children/journal-calls.ts", import.meta.url));
const CHILD_ENV = {
  ...process.env,
  NODE_COMPILE_CACHE: join(tmpdir(), "alkdev-compiled-journal"),
};
const EXEC_ARGV = ["--conditions=@alkdev/source"];

/** A closed file to copy. */
function template(): string {
  const path = join(tempFolder(), "template.db");
  using client = open(path);
  createTenantDatabase(client);
  client.execute("CREATE TABLE effects (text TEXT NOT NULL)");
  client.checkpoint("truncate");
  return path;
}

/** @returns the steps of the process, or `null` when it was killed */
function run(path: string, killAt: number): Promise<number | null> {
  const args = [...EXEC_ARGV, CHILD, path, String(killAt)];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { env: CHILD_ENV }, (error, stdout, stderr) => {
      if (error === null) resolve(Number(stdout));
      else if (error.signal === "SIGKILL") resolve(null);
      else reject(new Error(stderr));
    });
  });
}

/** What a process left, read after its lease is over. */
function openLeft(path: string): Journal {
  const client = open(path, { clock: { now: () => Date.now() + 60_000 } });
  onTestFinished(() => client.close());
  return journalFixture({ now: () => Date.now() + 60_000 }, client);
}

function eventsOf({ events }: Journal, requestId: string): string {
  return events()
    .filter((event) => event.requestId === requestId)
    .map(({ type }) => type.slice("call.".length))
    .join(" ");
}

/** Checks that each call is whole or not there, and asks for each again. @returns how far it had come */
function check(path: string): string {
  const left = openLeft(path);
  const { journal, rows, add } = left;
  const call = callOf("", { errorSchemas: [{ code: "LIST_FULL", description: "full" }] });
  const effects = (text: string): number => rows().filter((one) => one === text).length;

  const atomic = eventsOf(left, "atomic");
  expect(["", "requested responded"]).toContain(atomic);
  expect(effects("atomic")).toBe(atomic === "" ? 0 : 1);
  const again = journal.runAtomic({ ...call, requestId: "atomic" }, () => add("atomic") * 7);
  expect(again.data).toBe(7);
  expect([effects("atomic"), eventsOf(left, "atomic")]).toEqual([1, "requested responded"]);

  const refused = eventsOf(left, "refused");
  expect(["", "requested error"]).toContain(refused);
  expect(effects("refused")).toBe(0);
  const refusal = Object.assign(new Error("full"), { code: "LIST_FULL" });
  const refuse = (): never => {
    throw refusal;
  };
  const refuseAgain = () => journal.runAtomic({ ...call, requestId: "refused" }, refuse);
  expect([codeOf(refuseAgain), codeOf(refuseAgain)]).toEqual(["LIST_FULL", "LIST_FULL"]);
  expect(eventsOf(left, "refused")).toBe("requested error");

  const waits = eventsOf(left, "waits");
  const claim = journal.begin({ ...call, requestId: "waits" });
  const known =
    claim === "new" ? "" : "interrupted" in (claim as object) ? "requested" : "requested responded";
  expect(waits).toBe(known);
  expect(effects("waits")).toBeLessThanOrEqual(known === "" ? 0 : 1);
  if (known === "requested responded") expect(effects("waits")).toBe(1);

  const query = eventsOf(left, "query");
  expect(["", "requested responded"]).toContain(query);
  return [atomic, refused, waits, query].filter((one) => one !== "").length + waits;
}

describe("M40: a process that makes calls is killed", () => {
  test("at every step: a call is whole or not there, and sent again it has one effect", async () => {
    const from = template();
    const copy = (): string => {
      const path = join(tempFolder(), "calls.db");
      copyFileSync(from, path);
      return path;
    };
    const whole = copy();
    const steps = Number(await run(whole, 0));
    expect(steps).toBeGreaterThan(20);
    const seen = new Set([check(whole)]);
    const killAt = async (step: number): Promise<void> => {
      const path = copy();
      expect(await run(path, step)).toBeNull();
      seen.add(check(path));
    };
    for (let step = 1; step <= steps; step += 2) {
      await Promise.all([step, step + 1].filter((one) => one <= steps).map(killAt));
    }
    expect([...seen].sort()).toEqual([
      "0",
      "1",
      "2",
      "3requested",
      "3requested responded",
      "4requested responded",
    ]);
  }, 240_000);
});

describe("M40: several processes make the same calls", () => {
  function start(path: string, count: number): ChildProcess {
    const child = fork(CHILD, [path, "0", String(count)], { execArgv: EXEC_ARGV, env: CHILD_ENV });
    onTestFinished(() => void child.kill("SIGKILL"));
    return child;
  }

  test("each call has one effect and one pair of events, also when one of them is killed", async () => {
    const path = template();
    const children = [start(path, 400), start(path, 400), start(path, 1_000_000)] as const;
    const [first, second, killed] = children;
    const ended = [first, second].map((child) => once(child, "exit"));
    await Promise.all(children.map((child) => once(child, "message")));
    const watching = open(path);
    const count = (): number => Number(watching.rows("SELECT count(*) FROM effects")[0]?.[0]);
    await eventually("effects of the third", () => count() > 100);
    killed.kill("SIGKILL");
    expect((await Promise.all(ended)).map(([code]) => code)).toEqual([0, 0]);
    watching.close();

    const left = openLeft(path);
    const effects = left.rows() as string[];
    expect(new Set(effects).size).toBe(effects.length);
    const atomic = Array.from({ length: 400 }, (_, at) => `r-${at}`);
    expect(effects).toEqual(expect.arrayContaining(atomic));
    const ends = new Map<string, string>();
    for (const { requestId, type } of left.events()) {
      ends.set(requestId, `${ends.get(requestId) ?? ""} ${type}`);
    }
    const pairs = [...ends.values()].filter((all) => all === " call.requested call.responded");
    const begun = [...ends.values()].filter((all) => all === " call.requested");
    expect(pairs.length + begun.length).toBe(ends.size);
    // what the killed process had begun
    expect(begun.length).toBeLessThanOrEqual(1);
    expect((await left.client.integrityCheck()).ok).toBe(true);
  }, 120_000);
});

describe("M40: while another process keeps the write lock", () => {
  async function held(path: string): Promise<() => Promise<void>> {
    const holder = fork(HOLDER, [path], {
      execArgv: EXEC_ARGV,
      stdio: ["pipe", "pipe", "inherit", "ipc"],
    });
    onTestFinished(() => void holder.kill("SIGKILL"));
    await once(holder.stdout as Readable, "data");
    return async () => {
      const exited = once(holder, "exit");
      holder.stdin?.end();
      await exited;
    };
  }

  test("calls are refused with BUSY and nothing is kept of them; sent again they are run", async () => {
    const { client, journal, add, rows, events, errors } = journalFixture(
      {},
      tempDatabase({ busyTimeoutMs: 0 }),
    );
    const release = await held(client.path);
    expect(codeOf(() => journal.runAtomic(callOf("r-1"), () => add("a")))).toBe("BUSY");
    expect(codeOf(() => journal.begin(callOf("r-2")))).toBe("BUSY");
    await release();
    expect(journal.runAtomic(callOf("r-1"), () => add("a")).data).toBe(1);
    expect(journal.begin(callOf("r-2"))).toBe("new");
    expect([rows(), events().length, errors]).toEqual([["a"], 3, []]);
  });

  test("an end is told as BUSY, written by itself later, and stays the end", async () => {
    const { client, journal, events } = journalFixture({}, tempDatabase({ busyTimeoutMs: 0 }));
    const ended = { type: "failed", code: "LIST_FULL", message: "full" } as const;
    journal.begin(callOf("r-1"));
    const release = await held(client.path);
    expect(codeOf(() => journal.finish(callOf("r-1"), ended))).toBe("BUSY");
    const other = { ...ended, code: "EXECUTION_ERROR" };
    expect(codeOf(() => journal.finish(callOf("r-1"), other))).toBe("BUSY");
    expect(journal.begin(callOf("r-1"))).toBe("running");
    await release();
    await eventually("the end", () => events().length === 2);
    expect(journal.begin(callOf("r-1"))).toEqual(ended);
  });

  test("notes wait, the failure is told, and all of them come in order", async () => {
    const { client, journal, events, errors } = journalFixture(
      { flushMs: 0 },
      tempDatabase({ busyTimeoutMs: 0 }),
    );
    const release = await held(client.path);
    for (let at = 0; at < 2_000; at++) journal.note(callOf(`q-${at}`), "requested");
    await eventually("the failure", () => errors.length > 0);
    expect(errors[0]).toMatchObject({ code: "BUSY" });
    await release();
    await eventually("the events", () => events().length === 2_000);
    expect(events().map(({ requestId }) => requestId)).toEqual(
      Array.from({ length: 2_000 }, (_, at) => `q-${at}`),
    );
  });
});
