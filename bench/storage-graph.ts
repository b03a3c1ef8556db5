// The graph store beside better-sqlite3 by hand and graphology in memory: bulk inserts, and queries of a
// graph of a million nodes and a million edges. Each measurement has a process of its own.
// Run: npm run bench:storage [-- --nodes 1000000 --edges 1000000 --bulk 100000 --rounds 5]
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { DirectedGraph } from "graphology";
import { median, percentile } from "./harness/statistics.ts";
import { edgesOf, nodesOf, openGraph, RANKS } from "./local/graph/model.ts";
import { insertRaw, openRaw, rawQueries } from "./local/graph/raw.ts";

const { values } = parseArgs({
  options: {
    nodes: { type: "string", default: "1000000" },
    edges: { type: "string", default: "1000000" },
    bulk: { type: "string", default: "100000" },
    rounds: { type: "string", default: "5" },
    /** A file for the large graph, kept for the next run. */
    graph: { type: "string" },
    role: { type: "string" },
    file: { type: "string", default: "" },
  },
});
const [NODES, EDGES, BULK] = [values.nodes, values.edges, values.bulk].map(Number) as [
  number,
  number,
  number,
];
const ROUNDS = Number(values.rounds);
/** Calls of one query in one round. */
const CALLS = 1_000;
/** Rows of one insert while the large graph is made. */
const BATCH = 100_000;

type Result = Readonly<Record<string, number>>;

const roles: Readonly<Record<string, () => Result>> = {
  template: () => {
    openGraph(values.file).close();
    return {};
  },
  "bulk store": () => {
    const { graph, close } = openGraph(values.file);
    const [nodes, edges] = [nodesOf(BULK), edgesOf(BULK * 3, BULK)];
    const bulk = elapsed(() => {
      graph.insertNodes(nodes);
      graph.insertEdges(edges);
    });
    close();
    return { bulk };
  },
  "bulk raw": () => {
    const db = openRaw(values.file);
    const [nodes, edges] = [nodesOf(BULK), edgesOf(BULK * 3, BULK)];
    const bulk = elapsed(() => insertRaw(db, nodes, edges));
    db.close();
    return { bulk };
  },
  "bulk graphology": () => {
    const [nodes, edges] = [nodesOf(BULK), edgesOf(BULK * 3, BULK)];
    const bulk = elapsed(() => {
      const graph = new DirectedGraph();
      for (const { key, attributes } of nodes) graph.addNode(key, { ...attributes });
      for (const edge of edges) graph.addEdge(edge.source, edge.target, { ...edge.attributes });
    });
    return { bulk };
  },
  build: () => {
    const { store, graph, close } = openGraph(values.file);
    const nodes = nodesOf(NODES);
    const edges = edgesOf(EDGES, NODES);
    for (let i = 0; i < NODES; i += BATCH) graph.insertNodes(nodes.slice(i, i + BATCH));
    for (let i = 0; i < EDGES; i += BATCH) graph.insertEdges(edges.slice(i, i + BATCH));
    store.declareIndex({ graphType: "bench_graph", nodeType: "task", attribute: "rank" });
    close();
    return {};
  },
  "query store": () => {
    const { graph, close } = openGraph(values.file);
    const ordered = { type: "task", orderBy: { attribute: "rank" } } as const;
    const result = queries({
      neighbours: (key) => graph.neighbours(key).items.length,
      equal: (rank) => graph.listNodes({ type: "task", where: { rank } }).items.length,
      range: (rank) => graph.listNodes({ ...ordered, where: { rank: { gt: rank } } }).items.length,
    });
    const more = {
      get: p50((i) => graph.getNode(keyOf(i)) !== null),
      depth3: p50((i) => graph.reachable([keyOf(i)], { depth: 3 }).depths.size),
      path: p50((i) => graph.shortestPath(keyOf(i), keyOf(i * 31 + 7), { maxDepth: 6 })),
    };
    close();
    return { ...result, ...more };
  },
  "query raw": () => {
    const db = openRaw(values.file);
    const result = queries(rawQueries(db));
    db.close();
    return result;
  },
  "query graphology": () => {
    const graph = new DirectedGraph();
    for (const { key, attributes } of nodesOf(NODES)) graph.addNode(key, { ...attributes });
    for (const edge of edgesOf(EDGES, NODES)) graph.addEdge(edge.source, edge.target);
    const found = (key: string) => graph.getNodeAttributes(key);
    return queries(
      {
        neighbours: (key) => graph.outNeighbors(key).map(found).length,
        equal: (rank) => graph.filterNodes((_key, { rank: is }) => is === rank).map(found).length,
      },
      20,
    );
  },
};

interface Queries {
  readonly neighbours: (key: string) => number;
  readonly equal: (rank: number) => number;
  readonly range?: (rank: number) => number;
}

/** Milliseconds of each query; `scans` is how often one that reads everything is run. */
function queries({ neighbours, equal, range }: Queries, scans: number = CALLS): Result {
  return {
    neighbours: p50((i) => neighbours(keyOf(i))),
    neighboursP99: p50((i) => neighbours(keyOf(i * 3 + 1)), CALLS, 99),
    equal: p50((i) => equal((i * 7) % RANKS), scans),
    ...(range === undefined ? {} : { range: p50((i) => range((i * 7) % (RANKS - 2))) }),
  };
}

const keyOf = (i: number): string => `task-${(i * 7_907) % NODES}`;

function p50(call: (i: number) => unknown, calls: number = CALLS, percent = 50): number {
  const samples: number[] = [];
  for (let i = 0; i < calls; i++) samples.push(elapsed(() => call(i)));
  return percentile(samples, percent);
}

function elapsed(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function inProcess(role: string, file: string): Result {
  const size = ["--nodes", values.nodes, "--edges", values.edges, "--bulk", values.bulk];
  const script = fileURLToPath(import.meta.url);
  const flags = ["--conditions=@alkdev/source", "--max-old-space-size=8192"];
  const args = [...flags, script, "--role", role, "--file", file, ...size];
  return JSON.parse(
    execFileSync(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] }).toString(),
  );
}

/** Every contender once per round, each round beginning with another; results by contender. */
function rounds(
  contenders: readonly string[],
  run: (role: string) => Result,
): Map<string, Result[]> {
  const results = new Map(contenders.map((role): [string, Result[]] => [role, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < contenders.length; i++) {
      const role = contenders[(round + i) % contenders.length] as string;
      results.get(role)?.push(run(role));
    }
  }
  return results;
}

function report(what: string, metric: string, results: ReadonlyMap<string, Result[]>): void {
  const samples = [...results.values()].map((all) => all.map((one) => one[metric] ?? Number.NaN));
  const cells = samples.map((all) => (Number.isNaN(all[0]) ? "–" : milliseconds(median(all))));
  const [store = [], raw = []] = samples;
  const ratio = median(store.map((ms, round) => ms / (raw[round] ?? Number.NaN)));
  console.log(`| ${[what, ...cells, Number.isNaN(ratio) ? "–" : ratio.toFixed(2)].join(" | ")} |`);
}

const milliseconds = (ms: number): string =>
  ms >= 100 ? `${Math.round(ms)} ms` : `${ms.toFixed(3)} ms`;

function main(): void {
  const folder = mkdtempSync(join(tmpdir(), "bench-graph-"));
  try {
    console.log(
      "| what | graph store | better-sqlite3 by hand | graphology in memory | store ÷ by hand |",
    );
    console.log("| --- | ---: | ---: | ---: | ---: |");
    const template = join(folder, "template.db");
    inProcess("template", template);
    const bulk = rounds(["bulk store", "bulk raw", "bulk graphology"], (role) => {
      const file = join(folder, "bulk.db");
      copyFileSync(template, file);
      const result = inProcess(role, file);
      for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
      return result;
    });
    report(`insert ${BULK} nodes and ${BULK * 3} edges`, "bulk", bulk);
    const large = values.graph ?? join(folder, "large.db");
    if (!existsSync(large)) inProcess("build", large);
    const query = rounds(["query store", "query raw", "query graphology"], (role) =>
      inProcess(role, large),
    );
    report("neighbours of a node, p50", "neighbours", query);
    report("the same, p99", "neighboursP99", query);
    report("100 nodes of a type with `rank` = n, p50", "equal", query);
    report("100 nodes with `rank` > n in its order, p50", "range", query);
    report("a node by its key, p50", "get", query);
    report("what is within 3 edges, p50", "depth3", query);
    report("a path of at most 6 edges between two nodes, p50", "path", query);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const role = values.role === undefined ? undefined : roles[values.role];
if (role === undefined) main();
else console.log(JSON.stringify(role()));
