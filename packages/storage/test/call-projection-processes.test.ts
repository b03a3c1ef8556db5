import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { eventually } from "@alkdev/testkit";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  type CallEvent,
  callsFixture,
  contentOf,
  requested,
  responded,
} from "./call-projection-fixture.ts";

function child(path: string, what: string, number = 0): ChildProcess {
  const file = new URL("./children/project-calls.ts", import.meta.url);
  const process = fork(file, [path, what, String(number)], {
    execArgv: ["--conditions=@alkdev/source"],
  });
  onTestFinished(() => void process.kill("SIGKILL"));
  return process;
}

async function signalOf(process: ChildProcess): Promise<unknown> {
  const [, signal] = await once(process, "exit");
  return signal;
}

/** A tree of calls, each answered; the parent is requested after its children. */
function tree(count: number, prefix = "r"): CallEvent[] {
  return Array.from({ length: count }, (_, i) => [
    requested(
      `${prefix}-${i}`,
      i % 5 === 4 ? {} : { parentRequestId: `${prefix}-${i - (i % 5) + 4}` },
    ),
    responded(`${prefix}-${i}`, i),
  ]).flat();
}

describe("call projection: several processes (M37)", () => {
  test("killed after a commit or before one, it goes on as if nothing had happened", async () => {
    const { client, projection, project, publish } = callsFixture();
    publish(...tree(50));
    const kills = [
      ["kill", 1, 10],
      ["inside", 5, 10],
      ["inside", 15, 20],
      ["kill", 2, 40],
    ] as const;
    for (const [what, number, calls] of kills) {
      expect(await signalOf(child(client.path, what, number))).toBe("SIGKILL");
      const { nodes } = contentOf(projection) as { readonly nodes: unknown[] };
      expect(nodes).toHaveLength(calls);
    }
    expect(await signalOf(child(client.path, "kill"))).toBeNull();
    const live = contentOf(projection);
    expect((live as { edges: unknown[] }).edges).toHaveLength(40);
    await project().rebuild();
    expect(contentOf(projection)).toEqual(live);
  });

  test("a rebuild that is killed at a commit is finished by the next", async () => {
    const { client, projection, publish } = callsFixture();
    publish(...tree(50));
    await projection.catchUp();
    const [live, before] = [contentOf(projection), projection.calls.graph()?.id];
    for (const commit of [1, 1, 2]) {
      expect(await signalOf(child(client.path, "rebuild", commit))).toBe("SIGKILL");
      expect(projection.calls.graph()?.id).toBe(before);
    }
    const { events } = await projection.rebuild();
    expect(events).toBe(20);
    expect(contentOf(projection)).toEqual(live);
    expect((await client.integrityCheck()).ok).toBe(true);
  });

  test("two processes project one stream together while it grows, and one of them is killed", async () => {
    const { client, projection, project, publish } = callsFixture();
    const others = [child(client.path, "together"), child(client.path, "together")];
    await Promise.all(others.map((other) => once(other, "message")));
    for (let i = 0; i < 20; i++) publish(...tree(10, `t${i}`));
    others[0]?.kill("SIGKILL");
    for (let i = 20; i < 40; i++) publish(...tree(10, `t${i}`));
    await eventually("all is projected", () => projection.status().lag === 0, 20_000);
    expect(projection.calls.statusCounts().completed).toBe(400);
    const live = contentOf(projection);
    await project().rebuild();
    expect(contentOf(projection)).toEqual(live);
  });
});
