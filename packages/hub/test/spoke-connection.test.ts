import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { addPeerKey, apiKeys, revokeApiKey } from "@alkdev/storage/sqlite";
import { eventually, tempFolder } from "@alkdev/testkit";
import { eq } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { connectHub, openSpoke } from "../src/spoke/index.ts";
import { prepareData, testHub } from "./hub-fixture.ts";
import { connected, cutConnections, demo, testClient, testSpoke } from "./spoke-fixture.ts";

/** An SSH key pair in a folder of its own. */
function sshKey(): { readonly privateKeyPath: string; readonly publicKey: string } {
  const privateKeyPath = join(tempFolder(), "id");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", privateKeyPath]);
  return { privateKeyPath, publicKey: readFileSync(`${privateKeyPath}.pub`, "utf8") };
}

describe("the connection of a spoke (M43)", () => {
  it("that the hub does not let in is said so, and not tried again", async () => {
    const { hub, data } = await testHub();
    const { spoke, errors, states } = testSpoke(hub, { key: "alk_unknown" });
    const call = spoke.call("graphs.list", {});
    await expect(spoke.ready()).rejects.toMatchObject({
      code: "REFUSED",
      message: expect.stringContaining("HTTP 401"),
      details: { status: 401, code: "UNAUTHENTICATED" },
    });
    await expect(call).rejects.toMatchObject({ code: "REFUSED" });
    await expect(spoke.call("graphs.list", {})).rejects.toMatchObject({ code: "REFUSED" });
    await expect(spoke.subscribe("x.y", {}).next()).rejects.toMatchObject({ code: "REFUSED" });
    expect([spoke.state, states, errors.length]).toEqual(["refused", ["refused"], 1]);

    const { client } = testClient(hub, { key: data.keys.outsider, org: "acme" });
    await expect(client.ready()).rejects.toMatchObject({ details: { status: 403, org: "acme" } });
  });

  it("of a member that may not register is refused by what the hub says", async () => {
    const { hub, data } = await testHub();
    const { spoke } = testSpoke(hub, { key: data.keys.member });
    await expect(spoke.ready()).rejects.toMatchObject({
      code: "REFUSED",
      details: { name: "north", code: "ACCESS_DENIED" },
    });
  });

  it("is tried again after a refusal where one wants, with the key of that moment", async () => {
    const { hub, data } = await testHub();
    const shown = ["alk_old", "alk_older", data.keys.owner];
    const key = () => Promise.resolve(shown.shift() ?? data.keys.owner);
    const { spoke, errors } = testSpoke(hub, { key, whenRefused: "retry" });
    await spoke.ready();
    expect(errors.filter((error) => (error as { code: string }).code === "REFUSED")).toHaveLength(
      2,
    );
  });

  it("ends with its key", async () => {
    const { hub, data } = await testHub({ limits: { heartbeatMs: 50 } });
    const { spoke } = testSpoke(hub, { key: data.keys.owner });
    await spoke.ready();
    const { system } = hub.core;
    const own = system.select().from(apiKeys).where(eq(apiKeys.ownerId, "owner")).get();
    revokeApiKey(system, String(own?.id));
    await eventually("it is refused", () => spoke.state === "refused");
  });

  it("is signed for with an SSH key, anew each time, for this hub alone", async () => {
    const data = prepareData();
    const namespace = "alkdev-auth@one.example";
    const { hub } = await testHub({ auth: { challengeNamespace: namespace } }, data);
    const { privateKeyPath, publicKey } = sshKey();
    addPeerKey(hub.core.system, { ownerId: "owner", publicKey });
    const ssh = { privateKeyPath, namespace };
    const { spoke } = testSpoke(hub, { ssh });
    await spoke.ready();
    cutConnections(hub);
    await eventually("it noticed", () => spoke.state !== "ready");
    await spoke.ready();

    const other = testSpoke(hub, { name: "south", ssh: { privateKeyPath } });
    await expect(other.spoke.ready()).rejects.toMatchObject({
      code: "REFUSED",
      details: { namespace, pinned: "alkdev-auth" },
    });
    const signed: unknown[] = [];
    const fingerprint = execFileSync("ssh-keygen", ["-lf", privateKeyPath], { encoding: "utf8" });
    const own = testClient(hub, {
      ssh: {
        fingerprint: String(fingerprint.split(" ")[1]),
        namespace,
        sign: (message, at) => {
          signed.push(at);
          const args = ["-Y", "sign", "-f", privateKeyPath, "-n", at, "-q"];
          return execFileSync("ssh-keygen", args, { input: message, encoding: "utf8" });
        },
      },
    });
    await own.client.ready();
    expect(signed).toEqual([namespace]);
  });

  it("waits for a hub that is not there yet, and calls wait with it", async () => {
    const first = await testHub();
    const { port } = new URL(first.hub.url);
    await first.hub.stop();
    const { spoke, errors } = testSpoke(first.hub, { key: first.data.keys.owner });
    const call = spoke.call("graphs.list", {});
    await eventually("it tried", () => errors.length > 1);
    expect(String(errors[0])).toContain("ECONNREFUSED");
    await testHub({ port: Number(port) }, first.data);
    expect(await call).toMatchObject({ data: { items: expect.any(Array) } });
    await spoke.ready();
  });

  it("waits for its name while another process has it", async () => {
    const { hub, data } = await testHub();
    const key = data.keys.owner;
    const serve = (answer: number) => ({ key, operations: () => [demo("which", () => answer)] });
    const one = testSpoke(hub, serve(1)).spoke;
    await one.ready();
    const { spoke: two, errors } = testSpoke(hub, serve(2));
    await eventually("it is told", () => errors.length > 0);
    expect(errors[0]).toMatchObject({ details: { code: "SPOKE_NAME_TAKEN" } });
    expect(two.state).toBe("open");
    expect((await two.call("demo.which", {})).data).toBe(1);
    await one.close();
    await two.ready();
    expect((await two.call("demo.which", {})).data).toBe(2);
  });

  it("waits while another spoke serves its operation, and is refused where it is the hub's", async () => {
    const { hub, data } = await testHub();
    const key = data.keys.owner;
    const operations = () => [demo("which", () => 1)];
    const one = testSpoke(hub, { key, operations }).spoke;
    await one.ready();
    const { spoke: two, errors } = testSpoke(hub, { key, operations, name: "south" });
    await eventually("it is told", () => errors.length > 0);
    expect(errors[0]).toMatchObject({ details: { code: "ALREADY_EXISTS" } });
    await expect(
      two.call("spokes.register", { name: "south", instance: "x", operations: [{}] }),
    ).rejects.toMatchObject({ code: "INVALID_SPEC" });
    await connected(hub, "north");
  });

  it("may be closed at any time, twice, and says so afterwards", async () => {
    const { hub, data } = await testHub();
    const { spoke, states } = testSpoke(hub, { key: data.keys.owner });
    const ready = expect(spoke.ready()).rejects.toMatchObject({ code: "CLOSED" });
    const call = expect(spoke.call("graphs.list", {})).rejects.toMatchObject({ code: "CLOSED" });
    await Promise.all([spoke.close(), spoke.close()]);
    await Promise.all([ready, call]);
    await expect(spoke.call("graphs.list", {})).rejects.toMatchObject({ code: "CLOSED" });
    expect(() => spoke.events.publish("a", "", 1)).toThrow(/closed/);
    expect([spoke.state, states.at(-1)]).toEqual(["closed", "closed"]);
    expect(spoke.db.$client.open).toBe(false);
  });

  it("is refused before it begins where an option is wrong", () => {
    const base = { hub: "http://127.0.0.1:1", key: "k", name: "north" };
    const file = join(tempFolder(), "spoke.db");
    const wrong = [
      { hub: "ftp://hub" },
      { hub: "" },
      { key: undefined },
      { ssh: {} },
      { name: "a:b" },
      { name: "" },
      { events: { routes: [{ type: "a:b", via: "hub" }] } },
      { events: { routes: [{ type: "a", via: "nowhere" }] } },
    ];
    for (const options of wrong) {
      expect(() => openSpoke({ ...base, file, ...options } as never)).toThrow(
        expect.objectContaining({ code: "INVALID_ARGUMENT" }),
      );
    }
    expect(() => openSpoke({ ...base, file, name: `pod-${process.pid}` })).toThrow(/process id/);
    expect(() => openSpoke({ ...base, file, operations: () => [{} as never] })).toThrow();
    expect(() => connectHub({ hub: "nowhere", key: "k" })).toThrow(/no URL/);
  });
});
