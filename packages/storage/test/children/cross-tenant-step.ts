// Delegates, revokes or reconciles (second argument) between the tenants below the folder given as first
// argument, carries it over, and kills itself at the step whose number is the third argument. Steps are the commits of both
// files and the looks at the clock, which happen inside their transactions too; 0: no kill.
import { join } from "node:path";
import { open } from "@alkdev/honker";
import {
  createCrossTenantDelegations,
  createSystemDatabase,
  createTenantManager,
} from "@alkdev/storage/sqlite";

const [root, operation, killAt] = process.argv.slice(2) as [string, string, string];
let steps = 0;

function step(): void {
  steps += 1;
  if (steps === Number(killAt)) process.kill(process.pid, "SIGKILL");
}

const clock = {
  now: () => {
    step();
    return Date.now();
  },
};
const system = createSystemDatabase(open(join(root, "system.db")));
const tenants = createTenantManager({ folder: join(root, "tenants"), system });
const crossTenant = createCrossTenantDelegations({ tenants, clock, baseBackoffMs: 1 });
const [acme, globex] = [tenants.open("acme"), tenants.open("globex")];
const client = acme.db.$client;
client.onCommit(step);
globex.db.$client.onCommit(step);

if (operation === "revoke") crossTenant.revoke("acme", "intent-1");
else if (operation !== "delegate") await crossTenant.reconcile("acme");
else {
  crossTenant.delegate({
    id: "intent-1",
    from: { orgId: "acme", principal: "account:ada" },
    to: { orgId: "globex", principal: "account:bob" },
    narrowedScopes: ["plans:read"],
  });
}
const queue = client.queue("_outbox:cross-tenant");
const handler = crossTenant.queues[queue.name]?.(acme.db, "acme");
if (handler === undefined) throw new Error("there is no handler");
const worker = queue.work(handler);
while (queue.stats().pending + queue.stats().running > 0) {
  await new Promise((resolve) => setTimeout(resolve, 1));
}
await worker.stop();
process.stdout.write(String(steps));
tenants.close();
system.$client.close();
