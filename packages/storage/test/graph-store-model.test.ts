import type { Graph } from "@alkdev/storage/sqlite";
import fc from "fast-check";
import { DirectedGraph } from "graphology";
import { describe, expect, test } from "vitest";
import { events, fixture, graphOf } from "./graph-store-fixture.ts";

type Attributes = Record<string, unknown>;

/** What was written, as graphology has it, and what must have been told. */
class Model {
  memory = new DirectedGraph();
  revisions = new Map<string, number>();
  told: [string, string[]][] = [];

  copy(): Model {
    const copy = new Model();
    copy.memory = this.memory.copy() as DirectedGraph;
    copy.revisions = new Map(this.revisions);
    copy.told = [...this.told];
    return copy;
  }
}

interface World {
  model: Model;
  readonly graph: Graph;
}

type Step = (world: World) => void;

const key = fc.constantFrom("a", "b", "c", "d", "e");
const attributes: fc.Arbitrary<Attributes> = fc.dictionary(
  fc.constantFrom("x", "y"),
  fc.constantFrom<unknown>(0, 1, "one", true, { deep: [1] }),
);

const code = (call: () => unknown): string | null => {
  try {
    call();
    return null;
  } catch (error) {
    return (error as { code: string }).code;
  }
};

function tell(model: Model, channel: string, keys: readonly string[]): void {
  if (keys.length > 0) model.told.push([channel, [...keys].sort()]);
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const insertNodes = fc.array(fc.tuple(key, attributes), { maxLength: 3 }).map(
  (rows): Step =>
    ({ model, graph }) => {
      const nodes = rows.map(([name, value]) => ({ key: name, type: "thing", attributes: value }));
      const keys = nodes.map((node) => node.key);
      const twice = new Set(keys).size < keys.length;
      const taken = keys.some((name) => model.memory.hasNode(name));
      const expected = twice ? "INVALID_ATTRIBUTES" : taken ? "ALREADY_EXISTS" : null;
      expect(code(() => graph.insertNodes(nodes))).toBe(expected);
      if (expected !== null) return;
      for (const node of nodes) {
        model.memory.addNode(node.key, node.attributes);
        model.revisions.set(node.key, 1);
      }
      tell(model, "nodes:created", keys);
    },
);

const upsertNodes = fc
  .uniqueArray(fc.tuple(key, attributes), { maxLength: 3, selector: ([name]) => name })
  .map(
    (rows): Step =>
      ({ model, graph }) => {
        const created: string[] = [];
        const updated: string[] = [];
        for (const [name, value] of rows) {
          if (!model.memory.hasNode(name)) created.push(name);
          else if (!same(model.memory.getNodeAttributes(name), value)) updated.push(name);
          model.memory.mergeNode(name);
          model.memory.replaceNodeAttributes(name, value);
        }
        for (const name of [...created, ...updated]) {
          model.revisions.set(
            name,
            created.includes(name) ? 1 : (model.revisions.get(name) ?? 0) + 1,
          );
        }
        const result = graph.upsertNodes(
          rows.map(([name, value]) => ({ key: name, type: "thing", attributes: value })),
        );
        const counts = { created: created.length, updated: updated.length };
        expect(result).toEqual({
          ...counts,
          unchanged: rows.length - created.length - updated.length,
        });
        tell(model, "nodes:created", created);
        tell(model, "nodes:updated", updated);
      },
  );

const patchNode = fc.tuple(key, attributes, fc.option(fc.integer({ min: 1, max: 3 }))).map(
  ([name, patch, ifRevision]): Step =>
    ({ model, graph }) => {
      const found = model.revisions.get(name);
      const conflict = ifRevision !== null && ifRevision !== found;
      const expected = found === undefined ? "NOT_FOUND" : conflict ? "CONFLICT" : null;
      const options = ifRevision === null ? {} : { ifRevision };
      expect(code(() => graph.patchNode(name, { x: null, ...patch }, options))).toBe(expected);
      if (expected !== null) return;
      const before = model.memory.getNodeAttributes(name);
      const { x: _x, ...kept } = before;
      const after = { ...("x" in patch ? before : kept), ...patch };
      if (same(after, before)) return;
      model.memory.replaceNodeAttributes(name, after);
      model.revisions.set(name, (found as number) + 1);
      tell(model, "nodes:updated", [name]);
    },
);

const deleteNodes = fc.array(key, { maxLength: 2 }).map(
  (names): Step =>
    ({ model, graph }) => {
      const there = [...new Set(names)].filter((name) => model.memory.hasNode(name));
      const gone = new Set(there.flatMap((name) => model.memory.edges(name)));
      expect(graph.deleteNodes(names)).toBe(there.length);
      for (const name of there) {
        model.memory.dropNode(name);
        model.revisions.delete(name);
      }
      tell(model, "edges:deleted", [...gone]);
      tell(model, "nodes:deleted", there);
    },
);

const edgeRow = fc.tuple(key, key, attributes).map(([source, target]) => ({
  key: `${source}${target}`,
  type: "link",
  source,
  target,
}));

const insertEdges = fc.array(edgeRow, { maxLength: 3 }).map(
  (edges): Step =>
    ({ model, graph }) => {
      const keys = edges.map((edge) => edge.key);
      const twice = new Set(keys).size < keys.length;
      const notAllowed = edges.some(
        ({ source, target }) =>
          source === target ||
          !model.memory.hasNode(source) ||
          !model.memory.hasNode(target) ||
          model.memory.hasEdge(source, target),
      );
      const expected = twice ? "INVALID_ATTRIBUTES" : notAllowed ? "EDGE_NOT_ALLOWED" : null;
      expect(code(() => graph.insertEdges(edges))).toBe(expected);
      if (expected !== null) return;
      for (const edge of edges) model.memory.addEdgeWithKey(edge.key, edge.source, edge.target);
      tell(model, "edges:created", keys);
    },
);

const deleteEdges = fc.array(edgeRow, { maxLength: 2 }).map(
  (edges): Step =>
    ({ model, graph }) => {
      const there = [...new Set(edges.map((edge) => edge.key))].filter((name) =>
        model.memory.hasEdge(name),
      );
      expect(graph.deleteEdges(edges.map((edge) => edge.key))).toBe(there.length);
      for (const name of there) model.memory.dropEdge(name);
      tell(model, "edges:deleted", there);
    },
);

const simple = fc.oneof(insertNodes, upsertNodes, patchNode, deleteNodes, insertEdges, deleteEdges);

/** Several steps in one transaction, which commits or is rolled back. */
const transaction = fc.tuple(fc.array(simple, { maxLength: 4 }), fc.boolean()).map(
  ([steps, commits]): Step =>
    (world) => {
      const before = world.model.copy();
      try {
        world.graph.transaction(() => {
          for (const step of steps) step(world);
          if (!commits) throw new Error("roll back");
        });
      } catch (error) {
        if ((error as Error).message !== "roll back") throw error;
        world.model = before;
      }
    },
);

function compare({ model, graph }: World): void {
  const nodes = graph.listNodes().items.map((node) => [node.key, node.attributes, node.revision]);
  const expected = model.memory
    .nodes()
    .sort()
    .map((name) => [name, model.memory.getNodeAttributes(name), model.revisions.get(name)]);
  expect(nodes).toEqual(expected);
  const edges = graph.listEdges().items.map((edge) => edge.key);
  expect([...edges].sort()).toEqual(model.memory.edges().sort());
}

describe("graph store: against a model (M27)", () => {
  test("any sequence of writes, cascades and rollbacks leaves what graphology holds, and its events", () => {
    const all = fixture();
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 3, arbitrary: simple }, transaction), { maxLength: 20 }),
        (steps) => {
          const graph = graphOf(all, "directed_graph");
          const world: World = { model: new Model(), graph };
          for (const step of steps) {
            step(world);
            compare(world);
          }
          const told = events(all.client)
            .filter(([, payload]) => (payload as { graphId: string }).graphId === graph.id)
            .slice(1)
            .map(([channel, payload]) => [channel, (payload as { keys: string[] }).keys.sort()]);
          expect(told).toEqual(world.model.told);
          all.store.deleteGraph(graph.id);
        },
      ),
      { numRuns: 150 },
    );
  });
});
