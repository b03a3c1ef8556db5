import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { open } from "@alkdev/honker";
import { eventually } from "@alkdev/testkit";
import { beforeAll, describe, expect, it } from "vitest";
import { cli, ended, type Running, sharedFolder } from "./cli-fixture.ts";

const folder = sharedFolder();
const { run, json, background, commandLine } = cli(folder);
let key = "";

beforeAll(async () => {
  const made = await json<{ key: { key: string } }>(["init", "--org", "acme"]);
  key = made.key.key;
  writeFileSync(join(folder, "key"), `${key}\n`);
}, 30_000);

/** A hub in a process of its own, and the options that lead to it. */
async function startHub(): Promise<{ hub: Running; to: string[] }> {
  const args = ["hub", "--port", "0", "--no-workers", "--json"];
  const hub = await background(args, '"url"');
  const { url } = JSON.parse(hub.stdout()) as { url: string };
  return { hub, to: ["--hub", url, "--key", `@${join(folder, "key")}`] };
}

describe("alkdev hub, call, operations, watch and status (M44, M42)", () => {
  it("serves calls and subscriptions of the command line, and ends with 0 on SIGTERM", async () => {
    const { hub, to } = await startHub();
    const status = await run(["status", ...to]);
    expect(status.code).toBe(0);
    expect(status.stdout).toMatch(/^state +ready$/m);
    const enqueue = ["queue", "enqueue", "graph-maintenance", "--org", "acme", "-"];
    await json(enqueue, '{"task":"prune-events"}');
    // what the command line writes into the files is there at the hub
    const counted = await run(["call", "hub.whoami", ...to]);
    expect(JSON.parse(counted.stdout)).toMatchObject({ accessLevel: "admin" });
    const envelope = await json(["call", "hub.whoami", "{}", ...to]);
    expect(envelope).toMatchObject({ meta: { operationId: "hub.whoami" } });
    const listed = await json<{ operations: { id: string }[] }>([
      ...["operations", "--search", "whoami"],
      ...to,
    ]);
    expect(listed.operations.map(({ id }) => id)).toEqual(["hub.whoami"]);

    const watching = await background(
      ["watch", "channel", "graph:created", "--org", "acme", "--json", ...to],
      "",
    );
    const called = await background(
      ["call", "streams.tail", '{"stream":"notes","from":"start"}', "--org", "acme", ...to],
      "",
    );
    const publish = ["call", "streams.publish", '{"stream":"notes","payload":{"n":1}}'];
    await json([...publish, "--org", "acme", ...to]);
    await eventually(
      "the call prints the event",
      () => called.stdout().includes('{"n":1}'),
      20_000,
    );
    const notify = ["call", "channels.notify", '{"channel":"graph:created","payload":{}}'];
    await eventually(
      "the watch prints a notification",
      async () => {
        await json([...notify, "--org", "acme", ...to]);
        return watching.stdout().includes('"sentAt"');
      },
      20_000,
    );
    expect((await watching.stop("SIGINT")).code).toBe(130);
    const { code, stderr } = await hub.stop();
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    // the subscription was not over when the hub ended
    expect((await called.stop("SIGCONT")).code).toBe(6);
  }, 120_000);

  it("has an exit status for each way in which a call or a start fails", async () => {
    const { hub, to } = await startHub();
    const of = async (...args: string[]): Promise<number | null> => (await run(args)).code;
    expect(await of("call", "no.such", ...to)).toBe(3);
    expect(await of("call", "hub.operations", '{"limit":"x"}', ...to)).toBe(2);
    expect(await of("call", "hub.whoami", "{", ...to)).toBe(2);
    expect(await of("call", "hub.whoami", ...to, "--key", "alk_wrong")).toBe(4);
    expect(await of("call", "hub.whoami", ...to, "--org", "nobody")).toBe(4);
    const { port } = new URL(to[1] as string);
    const taken = await run(["hub", "--no-workers", "--port", port]);
    expect(taken.code).toBe(1);
    expect(taken.stderr).toContain(`cannot listen on 127.0.0.1:${port}`);
    await hub.stop();
    const { code, stderr } = await run(["call", "hub.whoami", ...to, "--json"]);
    expect(code).toBe(6);
    expect(JSON.parse(stderr).error).toMatchObject({ code: "UNAVAILABLE" });
    expect(stderr).toContain("ECONNREFUSED");
  }, 60_000);

  it("starts no hub over nothing, or with options it does not know", async () => {
    const none = await cli(join(folder, "none")).run(["hub"]);
    expect(none.code).toBe(3);
    const config = join(folder, "hub.json");
    writeFileSync(config, '{"prot":4300}');
    const unknown = await run(["hub", "--config", config]);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain("has unknown options: prot");
    writeFileSync(config, '{"limits":{"maxBodyBytes":0}}');
    expect((await run(["hub", "--config", config])).stderr).toContain("limits.maxBodyBytes is 0");
  });
});

describe("alkdev watch and workers over files (M44)", () => {
  it("prints events of another process as they come, and ends with 130 on Ctrl-C", async () => {
    const file = join(folder, "watched.db");
    using db = open(file);
    db.stream("orders").publish({ n: 1 });
    const args = ["watch", "stream", "orders", "--file", file, "--from", "start", "--json"];
    const watching = await background(args, '{"n":1}');
    db.stream("orders").publish({ n: 2 });
    await eventually("the second event is printed", () => watching.stdout().includes('{"n":2}'));
    const { code, stdout } = await watching.stop("SIGINT");
    expect(code).toBe(130);
    const offsets = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).offset as number);
    expect(offsets).toEqual([1, 2]);
  }, 60_000);

  it("lets go of a tenant that somebody archives, and says so", async () => {
    const { tenants } = await json<{ tenants: { file: string }[] }>(["tenant", "list"]);
    {
      using db = open(join(folder, "data", "tenants", tenants[0]?.file as string));
      db.stream("letters").publish({ n: 1 });
    }
    const args = ["watch", "stream", "letters", "--org", "acme", "--from", "start", "--json"];
    const watching = await background(args, '{"n":1}');
    expect((await run(["tenant", "archive", "acme", "--wait", "30s"])).code).toBe(0);
    const { code, stderr } = await watching.stop("SIGCONT");
    expect(code).toBe(1);
    expect(JSON.parse(stderr).error.message).toMatch(/^organisation "acme" is archiv(ing|ed) now$/);
    await json(["tenant", "unarchive", "acme"]);
  }, 60_000);

  it("ends without a word when whoever reads it has gone", async () => {
    const file = join(folder, "long.db");
    {
      using db = open(file);
      db.stream("long").publishMany(Array.from({ length: 20_000 }, (_, n) => ({ n })));
    }
    const read = ["stream", "read", "long", "--limit", "20000", "--file", file];
    const pipe = `"$@" | head -n 1; exit "\${PIPESTATUS[0]}"`;
    const command = [process.execPath, ...commandLine(read)];
    const { code, stderr } = await ended(spawn("bash", ["-c", pipe, "bash", ...command]));
    expect({ code, stderr }).toEqual({ code: 141, stderr: "" });
  }, 60_000);

  it("works off the queues of tenants, and ends with 0 on SIGTERM (M35)", async () => {
    const { id } = await json<{ id: number }>(
      ["queue", "enqueue", "graph-maintenance", "--org", "acme", "-"],
      '{"task":"prune-events"}',
    );
    const workers = await background(["workers"], "Working on the queues");
    await eventually(
      "the job is done",
      async () => {
        const job = ["queue", "job", "graph-maintenance", String(id), "--org", "acme"];
        const { history } = await json<{ history: { outcome: string }[] }>(job);
        return history.some(({ outcome }) => outcome === "completed");
      },
      20_000,
    );
    expect((await workers.stop()).code).toBe(0);
  }, 60_000);
});
