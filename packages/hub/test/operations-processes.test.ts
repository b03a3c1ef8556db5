import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { eventually } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import type { HubData, Person } from "./hub-fixture.ts";
import { testCore } from "./operations-fixture.ts";

const CHILD = fileURLToPath(new URL("./children/second-hub.ts", import.meta.url));

const HOLDER = fileURLToPath(new URL("./children/hold-lock.ts", import.meta.url));

interface SecondHub {
  readonly process: ChildProcess;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  call(operationId: string, input: unknown, requestId?: string): Promise<any>;
}

/** A hub in another process, over the same folder. */
async function secondHub(data: HubData, person: Person, org = "acme"): Promise<SecondHub> {
  const child = spawn(
    process.execPath,
    ["--conditions=@alkdev/source", CHILD, data.dataFolder, data.keys[person], org],
    { stdio: "pipe" },
  );
  let complaints = "";
  child.stderr.on("data", (text) => {
    complaints += text;
  });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.stdin.end();
    await exited;
    expect(complaints).toBe("");
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe("ready");
  let last: Promise<unknown> = Promise.resolve();
  return {
    process: child,
    call: (operationId, input, requestId = crypto.randomUUID()) => {
      child.stdin.write(`${JSON.stringify({ operationId, input, requestId })}\n`);
      const answer = last.then(async () => JSON.parse(String((await lines.next()).value)));
      last = answer;
      return answer;
    },
  };
}

describe("M42: two hubs over one folder", () => {
  it("give one request id one effect, whichever of them is asked", async () => {
    const { as, data } = testCore();
    const owner = as("owner");
    const second = await secondHub(data, "owner");
    const ids = Array.from({ length: 50 }, (_, n) => `request-${n}`);
    const both = await Promise.all(
      ids.flatMap((id) => {
        const input = { queue: "q", payload: id };
        return [second.call("queues.enqueue", input, id), owner.call("queues.enqueue", input, id)];
      }),
    );
    for (let n = 0; n < both.length; n += 2) expect(both[n].data).toEqual(both[n + 1]);
    expect((await owner.call("queues.stats", { queue: "q" })).pending).toBe(50);
  });

  it("hear of each other's events", async () => {
    const { as, data } = testCore();
    const second = await secondHub(data, "owner");
    const tail = as("member").subscribe("streams.tail", { stream: "s" });
    const news = as("member").subscribe("channels.listen", { channel: "c" });
    const heard = Promise.all([tail.next(), news.next()]);
    await second.call("streams.publish", { stream: "s", payload: 1 });
    await second.call("channels.notify", { channel: "c", payload: 2 });
    expect((await heard).map(({ value }) => value?.data)).toMatchObject([
      { payload: 1 },
      { payload: 2 },
    ]);
    for (const answers of [tail, news]) await answers.return();
  });

  it("let nobody into a tenant that the other one suspended, nor with a key it revoked", async () => {
    const { as, data } = testCore();
    const owner = as("owner");
    expect((await owner.refused("graphs.list")).code).toBe("none");
    const second = await secondHub(data, "root", "");
    const { data: keys } = await second.call("keys.list", { ownerId: "member" });
    const member = as("member");
    expect((await member.refused("graphs.list")).code).toBe("none");
    await second.call("keys.revoke", { id: keys.items[0].id });
    expect((await member.refused("graphs.list")).code).toBe("UNAUTHENTICATED");
    await second.call("tenants.suspend", { orgId: "acme" });
    const refused = async () => (await owner.refused("graphs.list")).code === "UNAVAILABLE";
    await eventually("nobody is let in", refused);
  });

  it("say that a file is busy, and not which", async () => {
    const { core, as, errors, data } = testCore({
      tenants: { openOptions: { busyTimeoutMs: 20 } },
    });
    const owner = as("owner");
    const enqueue = { queue: "q", payload: 1 };
    await owner.call("queues.enqueue", enqueue);
    core.runtimes.enter("acme").runtime.services.journal.flush();
    const file = join(data.dataFolder, "tenants", "tenant-acme.db");
    const holder = spawn(process.execPath, ["--conditions=@alkdev/source", HOLDER, file]);
    await once(holder.stdout, "data");
    const busy = await owner.call("queues.enqueue", enqueue).catch((error: Error) => error);
    const read = as("owner").refused("graph_types.list");
    holder.stdin.end();
    await once(holder, "exit");
    expect((await read).code).toBe("none");
    expect(busy).toMatchObject({ code: "BUSY" });
    expect(String(busy.message)).not.toContain(data.dataFolder);
    expect((await owner.call("queues.enqueue", enqueue)).outcome).toBe("created");
    expect(errors).toEqual([]);
  });

  it("lose no job of a hub that is killed, and enqueue none twice", async () => {
    const { as, data } = testCore();
    const owner = as("owner");
    const second = await secondHub(data, "owner");
    const ids = Array.from({ length: 200 }, (_, n) => `request-${n}`);
    const answers = ids.map((id) => second.call("queues.enqueue", { queue: "q", payload: id }, id));
    for (const answer of answers) answer.catch(() => undefined);
    const [first] = answers;
    await first;
    second.process.kill("SIGKILL");
    await once(second.process, "exit");
    for (const id of ids) await owner.call("queues.enqueue", { queue: "q", payload: id }, id);
    expect((await owner.call("queues.stats", { queue: "q" })).pending).toBe(200);
  });
});
