import { mkdirSync } from "node:fs";
import { open } from "@alkdev/honker";
import { defineModule, edgeAttributes, graphConfig, nodeAttributes } from "@alkdev/storage/graphs";
import { createGraphStore, createTenantDatabase, registerGraphType } from "@alkdev/storage/sqlite";
import { Type } from "@sinclair/typebox";

const TaskNode = nodeAttributes({ title: Type.String(), done: Type.Boolean() });
const WaitsForEdge = edgeAttributes({});
const Tasks = defineModule({ name: "tasks" }, { Config: graphConfig(), TaskNode, WaitsForEdge });

mkdirSync("data", { recursive: true });
using client = open("data/quickstart.db");
const db = createTenantDatabase(client);
registerGraphType(db, Tasks);
const store = createGraphStore(db);
const jobs = client.queue<{ key: string }>("tasks");
const events = client.stream<{ type: string; key: string }>("tasks");

// Graph, nodes, edge and job: one commit, or nothing at all.
const release = db.transaction((tx) => {
  const graph = store.graph(store.createGraph({ type: "tasks", name: "release" }).id);
  graph.insertNodes([
    { key: "notes", type: "task", attributes: { title: "Write the notes", done: false } },
    { key: "publish", type: "task", attributes: { title: "Publish", done: false } },
  ]);
  graph.insertEdges([{ type: "waits_for", source: "publish", target: "notes" }]);
  jobs.enqueueTx(tx.$honkerTx, { key: "notes" });
  return graph;
});

// A worker, here or in any other process: its effect, its event and the end of the job are one commit, too.
const worker = jobs.work(({ payload: { key } }, { complete }) => {
  complete((tx) => {
    release.patchNode(key, { done: true });
    events.publishTx(tx, { type: "task.done", key });
  });
});

// A consumer goes on after its saved offset, also when it was killed in between.
const CONSUMER = "quickstart:local:printer";
for await (const { offset, payload } of events.subscribe(CONSUMER)) {
  console.log(offset, payload.type, payload.key);
  events.saveOffset(CONSUMER, offset);
  break;
}
await worker.stop();
const waiting = release.neighbours("notes", { direction: "in", edgeType: "waits_for" });
console.log("waited for it:", waiting.items.map(({ key }) => key).join(", "));
