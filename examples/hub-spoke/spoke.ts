// A spoke's process: answers the calls that the hub has for it, and tells its parent what it hears.
import { createPubSub } from "@alkdev/pubsub";
import type { Events } from "./events.ts";
import { configureSpoke } from "./spoke-target.ts";

const [name, path, hubUrl] = process.argv.slice(2) as [string, string, string];
const spoke = configureSpoke(name, path, hubUrl);
const pubsub = createPubSub<Events>({ eventTarget: spoke.eventTarget });

const calls = pubsub.subscribe("call.requested", name, { buffer: { overflow: "wait" } });
const news = pubsub.subscribe("graph:created", "");
const invalidations = pubsub.subscribe("cache:invalidated", "");

async function answerCalls(): Promise<void> {
  for await (const { payload } of calls) {
    pubsub.publish("call.responded", payload.requestId, {
      requestId: payload.requestId,
      by: name,
      pid: process.pid,
    });
  }
}

async function hearNews(): Promise<void> {
  for await (const { payload } of news) {
    process.send?.({ kind: "heard", by: name, graphId: payload.graphId });
    // the spoke's own topic: same call, but it stays in the spoke's file
    pubsub.publish("cache:invalidated", "", { key: payload.graphId });
  }
}

async function clearCache(): Promise<void> {
  for await (const { payload } of invalidations) {
    process.send?.({ kind: "cleared", by: name, key: payload.key });
  }
}

void answerCalls();
void hearNews();
void clearCache();
await spoke.settled();
process.send?.({ kind: "ready", by: name });
process.once("disconnect", () => process.exit());
