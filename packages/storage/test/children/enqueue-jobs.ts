// Enqueues a job of `graph-maintenance` in each of the files given as arguments.
import { open } from "@alkdev/honker";

for (const path of process.argv.slice(2)) {
  const client = open(path);
  client.queue("graph-maintenance").enqueue({ task: "archive-graph", graphId: "none" });
  client.close();
}
