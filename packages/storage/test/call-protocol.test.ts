import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Database } from "@alkdev/honker";
import { createCaller } from "@alkdev/operations";
import { tempDatabase } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { callTarget, type TargetKind } from "./call-targets.ts";

/** A process that serves calls over the file. */
async function serve(db: Database, kind: TargetKind): Promise<ChildProcess> {
  const child = fork(
    new URL("./children/serve-calls.ts", import.meta.url),
    [db.path, kind, "test:server:calls"],
    { execArgv: ["--conditions=@alkdev/source"] },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  const died = once(child, "exit").then(([code]) => Promise.reject(new Error(`exit code ${code}`)));
  await Promise.race([once(child, "message"), died]);
  died.catch(() => {}); // later it is killed on purpose
  return child;
}

function callerOn(db: Database, kind: TargetKind, options: { replyTo?: string } = {}) {
  const eventTarget = callTarget(db, kind, "test:client:calls");
  const caller = createCaller({ eventTarget, ...options });
  const close = (): void => {
    caller.close();
    eventTarget.close();
  };
  onTestFinished(close);
  return { caller, close };
}

describe.each<TargetKind>([
  "ephemeral",
  "ephemeral with a prefix",
  "durable",
  "composite",
  "durable composite",
])("calls of another process over a file, %s (M40)", (kind) => {
  it("are answered, and reach the running handler when they are taken back", async () => {
    const db = tempDatabase();
    const child = await serve(db, kind);
    // topics of their own, then one set of topics for all
    for (const options of [{}, { replyTo: "client" }]) {
      const { caller, close } = callerOn(db, kind, options);
      const numbers = Array.from({ length: 50 }, (_, n) => n + 1);
      const echoes = await Promise.all(numbers.map((n) => caller.call("test.echo", { n })));
      expect(echoes.map(({ data }) => data)).toEqual(numbers.map((n) => ({ n })));
      const seen: unknown[] = [];
      for await (const { data } of caller.subscribe("test.count", 50, { window: 4 })) {
        seen.push(data);
      }
      expect(seen).toEqual(numbers);
      const controller = new AbortController();
      const running = once(child, "message");
      const call = caller.call("test.stuck", null, { signal: controller.signal });
      expect(await running).toContain("running");
      const aborted = once(child, "message");
      controller.abort();
      await expect(call).rejects.toMatchObject({ code: "ABORTED" });
      expect(await aborted).toContain("aborted");
      expect(caller.stats()).toMatchObject({ pending: 0, malformed: 0 });
      close();
    }
  });

  it("end soon after the process that serves them is killed", async () => {
    const db = tempDatabase();
    const child = await serve(db, kind);
    const { caller } = callerOn(db, kind);
    const running = once(child, "message");
    const call = caller.call("test.stuck", null, { timeoutMs: 60_000, idleTimeoutMs: 300 });
    const answers = caller.subscribe("test.count", 1e9, { window: 4, idleTimeoutMs: 300 });
    expect(await answers.next()).toMatchObject({ value: { data: 1 } });
    await running;
    child.kill("SIGKILL");
    const silence = { code: "TIMEOUT", details: { reason: "silence" } };
    await expect(call).rejects.toMatchObject(silence);
    const drain = async (): Promise<void> => {
      for await (const { data } of answers) expect(data).toBeGreaterThan(0);
    };
    await expect(drain()).rejects.toMatchObject(silence);
    expect(caller.getPendingCount()).toBe(0);
  });
});

describe("a call on a durable stream (M40)", () => {
  it("waits for a process that is away, and is not run when it is too late", async () => {
    const db = tempDatabase();
    const { caller } = callerOn(db, "durable");
    const late = caller.call("test.stuck", null, { timeoutMs: 1 });
    await expect(late).rejects.toMatchObject({ code: "TIMEOUT" });
    const waiting = caller.call("test.echo", "hello", { idleTimeoutMs: null });
    const child = await serve(db, "durable");
    const messages: unknown[] = [];
    child.on("message", (message) => messages.push(message));
    expect((await waiting).data).toBe("hello");
    expect(messages).toEqual([]);
  });

  it("goes out with the commit of the transaction it is made in, or not at all", async () => {
    const db = tempDatabase();
    await serve(db, "durable");
    const { caller } = callerOn(db, "durable");
    let call: Promise<unknown> | undefined;
    expect(() =>
      db.transaction(() => {
        call = caller.call("test.echo", 1, { timeoutMs: 200 });
        throw new Error("undo");
      }),
    ).toThrow("undo");
    await expect(call).rejects.toMatchObject({ code: "TIMEOUT" });
    db.transaction(() => {
      call = caller.call("test.echo", 2);
    });
    expect(await call).toMatchObject({ data: 2 });
  });
});
