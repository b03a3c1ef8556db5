import { defineOperation } from "@alkdev/operations";
import { eventually } from "@alkdev/testkit";
import { Type } from "@sinclair/typebox";
import { describe, expect, it } from "vitest";
import type { HubOperation } from "../src/index.ts";
import { type Caller, testCore } from "./operations-fixture.ts";

const Anything = Type.Unsafe<unknown>(Type.Unknown());

/** An operation that calls another, and one that fails. */
const OPERATIONS: readonly HubOperation[] = [
  {
    operation: defineOperation({
      namespace: "demo",
      name: "fail",
      version: "1.0.0",
      type: "mutation",
      description: "Fails.",
      inputSchema: Anything,
      outputSchema: Anything,
      accessControl: { requiredScopes: [] },
      errorSchemas: [{ code: "DEMO_FAILED", description: "Always." }],
      handler: () => {
        throw Object.assign(new Error("as asked"), { code: "DEMO_FAILED" });
      },
    }),
  },
];

/** Waits until the call graph has the call. */
async function projected(who: Caller, requestId: string): Promise<Record<string, unknown>> {
  return await eventually(`call ${requestId} is projected`, async () => {
    const call = await who.call("calls.get", { requestId });
    return call?.completedAt == null ? null : call;
  });
}

describe("M42: calls over a hub", () => {
  it("are shown with who made them and how they ended", async () => {
    const { as } = testCore({ operations: { tenant: OPERATIONS } });
    const owner = as("owner");
    const member = as("member");
    await owner.call("queues.enqueue", { queue: "q", payload: 7 }, "r-1");
    await expect(owner.call("demo.fail", { a: 1 }, "r-2")).rejects.toMatchObject({
      code: "DEMO_FAILED",
    });
    expect(await projected(member, "r-1")).toMatchObject({
      operationId: "queues.enqueue",
      status: "completed",
      input: { queue: "q", payload: 7 },
      identity: { id: "owner" },
      parentRequestId: null,
      durationMs: expect.any(Number),
    });
    await projected(member, "r-2");
    const { items } = await member.call("calls.failures", { since: "2020-01-01T00:00:00Z" });
    expect(items).toMatchObject([
      { requestId: "r-2", error: { code: "DEMO_FAILED", message: "as asked" } },
    ]);
    const { counts, lag } = await member.call("calls.counts");
    expect(counts).toMatchObject({ failed: 1, running: 0 });
    expect(lag).toBeGreaterThanOrEqual(0);
    const wrong = await member.refused("calls.roots", { cursor: "nonsense" });
    expect(wrong.code).toBe("INVALID_ARGUMENT");
    const { calls } = await member.call("calls.slowest", { limit: 1 });
    expect(calls).toHaveLength(1);
    expect((await member.call("calls.roots", { limit: 1 })).items).toHaveLength(1);
  });

  it("form a tree", async () => {
    const { core, as, data } = testCore();
    const session = core.signIn({ bearer: data.keys.owner }, { org: "acme", source: "test" });
    const call = (requestId: string, parentRequestId?: string): Promise<unknown> =>
      core.execute(session, {
        operationId: "hub.whoami",
        input: {},
        requestId,
        ...(parentRequestId === undefined ? {} : { parentRequestId }),
      });
    await call("root");
    await call("child", "root");
    await call("grandchild", "child");
    const member = as("member");
    await projected(member, "grandchild");
    const ids = (calls: readonly { requestId: string }[]): string[] =>
      calls.map(({ requestId }) => requestId);
    const below = await member.call("calls.descendants", { requestId: "root" });
    expect([ids(below.calls), below.complete]).toEqual([["child", "grandchild"], true]);
    const one = await member.call("calls.descendants", { requestId: "root", limit: 1 });
    expect([ids(one.calls), one.complete]).toEqual([["child"], false]);
    const up = await member.call("calls.lineage", { requestId: "grandchild" });
    expect(ids(up.calls)).toEqual(["child", "root"]);
    const { items } = await member.call("calls.children", { requestId: "root" });
    expect(ids(items)).toEqual(["child"]);
    const graph = await member.call("calls.graph", { requestId: "root" });
    expect(ids(graph.calls)).toEqual(["root", "child", "grandchild"]);
    expect(graph.edges).toEqual([
      { type: "triggered", source: "child", target: "grandchild" },
      { type: "triggered", source: "root", target: "child" },
    ]);
  });

  it("are nothing before the first, and unknown ones are null", async () => {
    const member = testCore({ projection: false }).as("member");
    expect(await member.call("calls.get", { requestId: "nobody" })).toBeNull();
    expect(await member.call("calls.roots")).toEqual({ items: [], cursor: null });
    const graph = await member.call("calls.graph", { requestId: "nobody" });
    expect(graph).toEqual({ calls: [], edges: [], complete: true });
  });

  it("do not keep what is read of them, or they would grow with every look", async () => {
    const { as } = testCore();
    const member = as("member");
    await member.call("hub.whoami", {}, "r-1");
    await projected(member, "r-1");
    await member.call("calls.get", { requestId: "r-1" }, "look");
    const look = await projected(member, "look");
    expect([look["input"], look["output"]]).toEqual([undefined, undefined]);
  });

  it("of one organisation are unknown to others", async () => {
    const { as } = testCore();
    await as("owner").call("hub.whoami", {}, "r-1");
    await projected(as("owner"), "r-1");
    const outsider = as("outsider", "globex");
    expect(await outsider.call("calls.get", { requestId: "r-1" })).toBeNull();
  });
});
