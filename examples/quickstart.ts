import { mkdirSync } from "node:fs";
import { open } from "@alkdev/honker";
import { createTenantDatabase, graphs, nodes } from "@alkdev/storage/sqlite";

mkdirSync("data", { recursive: true });
using client = open("data/quickstart.db");
const db = createTenantDatabase(client);
const tasks = client.queue<{ graphId: string; key: string }>("tasks");
const events = client.stream<{ type: string; key: string }>("tasks");

// Data, notification, event and job: one commit, or nothing at all.
const graph = db.transaction((tx) => {
  const created = tx.insert(graphs).values({ name: "release" }).returning().get();
  tx.insert(nodes).values({ graphId: created.id, key: "write-notes" }).run();
  tx.$honkerTx.notify("nodes:created", { graphId: created.id, keys: ["write-notes"] });
  events.publishTx(tx.$honkerTx, { type: "task.added", key: "write-notes" });
  tasks.enqueueTx(tx.$honkerTx, { graphId: created.id, key: "write-notes" });
  return created;
});

// A worker, here or in any other process. Its effect and the end of the job are one commit, too.
const worker = tasks.work((job, { complete }) => {
  complete((tx) => void events.publishTx(tx, { type: "task.done", key: job.payload.key }));
});

// A consumer goes on after its saved offset, also when it was killed in between.
const CONSUMER = "quickstart:local:printer";
for await (const { offset, payload } of events.subscribe(CONSUMER)) {
  console.log(offset, payload.type, payload.key, "in", graph.name);
  events.saveOffset(CONSUMER, offset);
  if (payload.type === "task.done") break;
}
await worker.stop();
