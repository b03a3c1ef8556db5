// Projects the calls of a file: `<file> <what> <number>`, where what is
// - kill: kills itself at the commit of that number, 0: never
// - inside: kills itself inside the transaction that projects the request of that number
// - rebuild: rebuilds, and kills itself at the commit of that number, 0: never
// - together: projects until it is killed; says "ready" first
import { open } from "@alkdev/honker";
import { createCallProjection, createTenantDatabase } from "@alkdev/storage/sqlite";

const [, , path, what, number] = process.argv as [string, string, string, string, string];
const client = open(path);
let requests = 0;
const projection = createCallProjection(createTenantDatabase(client), {
  consumer: "hub:a:calls",
  batchSize: 20,
  isSubscription: () => {
    requests += 1;
    if (what === "inside" && requests === Number(number)) process.kill(process.pid, "SIGKILL");
    return false;
  },
});
let commits = 0;
client.onCommit(() => {
  commits += 1;
  if (what !== "inside" && commits === Number(number)) process.kill(process.pid, "SIGKILL");
});

switch (what) {
  case "kill":
  case "inside":
    await projection.catchUp();
    break;
  case "rebuild":
    await projection.rebuild();
    break;
  case "together":
    process.send?.("ready");
    projection.start();
    await new Promise(() => undefined);
}
client.close();
process.disconnect?.();
