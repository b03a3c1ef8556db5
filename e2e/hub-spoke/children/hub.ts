// A hub with one operation: an entry of the ledger and its durable event are one commit.
import { type HubOperation, startHub, tenantOf } from "@alkdev/hub";
import { createPubSub } from "@alkdev/pubsub";
import { ledgerOperation } from "../ledger-operation.ts";

const [dataFolder, port, limits = "{}"] = process.argv.slice(2) as [string, string, string?];

const add: HubOperation = {
  operation: ledgerOperation("ledger.add", (entry, context) => {
    tenantOf(context).$client.stream("ledger").publish(entry);
    events.publish("session.added", "", { entry });
    return entry;
  }),
  atomic: true,
};
const hub = await startHub({
  dataFolder,
  port: Number(port),
  workers: false,
  // a machine that has much to do may take long to start a spoke
  limits: { heartbeatMs: 1_000, callTimeoutMs: 60_000, spokeWaitMs: 60_000, ...JSON.parse(limits) },
  auth: { keyLimit: null },
  operations: { tenant: [add] },
  onError: (error, context) => console.error(context, error),
});
const lease = hub.core.runtimes.enter("acme");
const events = createPubSub<{ "session.added": { entry: string } }>({
  eventTarget: lease.runtime.services.events.target,
});
console.log(`listening ${hub.url}`);
process.once("SIGTERM", () => void hub.stop().then(() => process.exit()));
