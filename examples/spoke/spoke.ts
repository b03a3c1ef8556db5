// A spoke: serves one operation, keeps what it did in its own file, and tells the organisation.
import { openSpoke } from "@alkdev/hub/spoke";
import { defineOperation } from "@alkdev/operations";
import { Type } from "@sinclair/typebox";
import type { Events } from "./events.ts";

const [name = "", file = "", hub = "", key = ""] = process.argv.slice(2);
const spoke = openSpoke<Events>({
  hub,
  key,
  name,
  file,
  reconnect: { baseMs: 50, maxMs: 500 },
  events: {
    routes: [
      { type: "cache.*", via: "file" },
      { type: "*", via: "hub" },
    ],
  },
  operations: ({ $client }) => [
    {
      // the entry, the answer and the memory of the call are one commit: a call that is sent again has one effect
      atomic: true,
      operation: defineOperation({
        namespace: name,
        name: "order",
        version: "1.0.0",
        type: "mutation",
        description: "Takes an order.",
        inputSchema: Type.Object({ article: Type.String() }),
        outputSchema: Type.Object({ orders: Type.Integer(), by: Type.String() }),
        accessControl: { requiredScopes: ["nodes:write"] },
        handler: ({ article }) => {
          const orders = $client.stream("orders").publish({ article });
          return { orders, by: `${name}, process ${process.pid}` };
        },
      }),
    },
  ],
});
const news = spoke.events.subscribe("price.changed", "");
await spoke.ready();
process.send?.({ kind: "ready", by: name });
process.once("disconnect", () => void spoke.close().then(() => process.exit()));
for await (const { payload } of news) {
  // its own topic: the same call, but it stays in the spoke's file
  spoke.events.publish("cache.cleared", "", { key: payload.article });
  process.send?.({ kind: "heard", by: name, article: payload.article });
}
