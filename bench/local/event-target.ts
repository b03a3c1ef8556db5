// What the cheapest thing on this machine costs.
import { NOT_KEPT } from "../harness/durability.ts";
import type { Payload } from "../harness/payload.ts";
import type { Peer } from "../harness/peer.ts";

export const peers: readonly Peer[] = [
  {
    id: "event-target",
    settings: "Node's EventTarget and CustomEvent, in one process",
    ...NOT_KEPT,
    floor: true,
    pubsub: {
      sameProcessOnly: true,
      prepare() {},
      connect({ name }) {
        const target = new EventTarget();
        return {
          publish: (message) => target.dispatchEvent(new CustomEvent(name, { detail: message })),
          subscribe(handler) {
            target.addEventListener(name, (event) =>
              handler((event as CustomEvent<Payload>).detail),
            );
          },
          close() {},
        };
      },
    },
  },
];
