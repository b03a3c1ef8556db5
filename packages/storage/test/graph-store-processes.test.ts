import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Graph } from "@alkdev/storage/sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import { events, type Fixture, fixture, graphOf } from "./graph-store-fixture.ts";

function writer(path: string, graph: Graph, [what, name]: readonly [string, string]): ChildProcess {
  const child = fork(
    new URL("./children/graph-writer.ts", import.meta.url),
    [path, graph.id, what, name],
    {
      execArgv: ["--conditions=@alkdev/source"],
    },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

function directed(): Fixture {
  const all = fixture();
  return { ...all, graph: graphOf(all, "directed_graph") };
}

describe("graph store: several processes (M27)", () => {
  test.each([["die-writing"], ["die-before-commit"]])(
    "a process that is killed (%s) leaves no node, no edge and no event",
    async (what) => {
      const { client, graph } = directed();
      const before = events(client).length;
      const [, signal] = await once(writer(client.path, graph, [what, "x"]), "exit");
      expect(signal).toBe("SIGKILL");
      expect([graph.countNodes(), graph.countEdges()]).toEqual([0, 0]);
      expect(events(client)).toHaveLength(before);
      expect((await client.integrityCheck()).ok).toBe(true);
      graph.insertNodes([{ key: "x:0", type: "thing" }]);
    },
  );

  test("a process that is killed at any moment leaves whole batches, each with its events", async () => {
    const { client, graph } = directed();
    for (const round of ["a", "b"]) {
      const child = writer(client.path, graph, ["bulk", round]);
      await once(child, "message");
      child.kill("SIGKILL");
      await once(child, "exit");
      const nodes = graph.countNodes();
      expect(nodes % 500).toBe(0);
      expect(graph.countEdges()).toBe((nodes / 500) * 499);
      const told = events(client)
        .filter(([channel]) => channel === "nodes:created")
        .flatMap(([, payload]) => (payload as { keys: string[] }).keys);
      expect(told).toHaveLength(nodes);
    }
    expect(graph.countNodes()).toBeGreaterThanOrEqual(1_000);
  });

  test("two processes that change one node lose no update", async () => {
    const { client, graph } = directed();
    graph.insertNodes([{ key: "counter", type: "thing", attributes: { value: 0 } }]);
    const children = ["one", "two"].map((name) => writer(client.path, graph, ["count", name]));
    const exits = await Promise.all(children.map((child) => once(child, "exit")));
    expect(exits.map(([code]) => code)).toEqual([0, 0]);
    expect(graph.getNode("counter")).toMatchObject({ attributes: { value: 100 }, revision: 101 });
  });

  test("what another process changes about a graph type holds here at the next write", async () => {
    const { client, graph } = directed();
    client.execute(
      "UPDATE graph_types SET config = json_set(config, '$.allowSelfLoops', json('true')) WHERE name = 'directed_graph'",
    );
    graph.insertNodes([{ key: "a", type: "thing" }]);
    graph.insertEdges([{ type: "link", source: "a", target: "a" }]);
  });
});
