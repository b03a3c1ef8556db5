// Writes to a graph: `<file> <graph id> <what> <name>`, where what is
// - die-writing: dies while the last of 5,000 nodes is being inserted
// - die-before-commit: dies after nodes and edges, before the transaction ends
// - bulk: inserts batches of 500 nodes and their edges until it is killed
// - count: adds 50 to the node "counter", reading and writing one revision at a time
import { open } from "@alkdev/honker";
import { createGraphStore, createTenantDatabase, type Graph } from "@alkdev/storage/sqlite";

const [, , path, id, what, name] = process.argv as [string, string, string, string, string, string];
const graph = createGraphStore(createTenantDatabase(open(path))).graph(id);

switch (what) {
  case "die-writing":
    graph.insertNodes([...batch(name, 4_999), dying()]);
    break;
  case "die-before-commit":
    graph.transaction(() => {
      insertBatch(graph, name);
      die();
    });
    break;
  case "bulk":
    for (let i = 0; ; i++) {
      insertBatch(graph, `${name}-${i}`);
      process.send?.(i);
    }
  case "count":
    for (let i = 0; i < 50; ) if (increment(graph)) i += 1;
    process.disconnect?.();
    break;
}

function batch(prefix: string, count: number) {
  return Array.from({ length: count }, (_, i) => ({ key: `${prefix}:${i}`, type: "thing" }));
}

function insertBatch(target: Graph, prefix: string): void {
  target.transaction(() => {
    const nodes = batch(prefix, 500);
    target.insertNodes(nodes);
    target.insertEdges(
      nodes.slice(1).map(({ key }, i) => ({ type: "link", source: `${prefix}:${i}`, target: key })),
    );
  });
}

/** A node whose attributes kill the process when they are read after the others were inserted. */
function dying() {
  const attributes = {
    get last(): number {
      if (graph.countNodes() > 0) die();
      return 1;
    },
  };
  return { key: `${name}:last`, type: "thing", attributes };
}

function die(): void {
  process.kill(process.pid, "SIGKILL");
}

function increment(target: Graph): boolean {
  const counter = target.getNode("counter");
  if (counter === null) throw new Error("there is no counter");
  try {
    const value = Number(counter.attributes.value) + 1;
    target.patchNode("counter", { value }, { ifRevision: counter.revision });
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === "CONFLICT") return false;
    throw error;
  }
}
