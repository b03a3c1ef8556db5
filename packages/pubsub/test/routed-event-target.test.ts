import { createInProcessEventTarget, createPubSub, createRoutedEventTarget } from "@alkdev/pubsub";
import { expect, it } from "vitest";

it("listens and dispatches on the target of the topic only", async () => {
  const calls = createInProcessEventTarget();
  const rest = createInProcessEventTarget();
  const eventTarget = createRoutedEventTarget((topic) =>
    topic.startsWith("call.") ? calls : rest,
  );
  const pubsub = createPubSub<{ "call.requested": number; other: number }>({ eventTarget });
  const requested = pubsub.subscribe("call.requested", "");
  const others = pubsub.subscribe("other", "1");
  const seen: string[] = [];
  for (const topic of ["call.requested:", "other:1"]) {
    calls.addEventListener(topic, () => void seen.push(`calls ${topic}`));
    rest.addEventListener(topic, () => void seen.push(`rest ${topic}`));
  }
  pubsub.publish("call.requested", "", 1);
  pubsub.publish("other", "1", 2);
  expect((await requested.next()).value?.payload).toBe(1);
  expect((await others.next()).value?.payload).toBe(2);
  expect(seen).toEqual(["calls call.requested:", "rest other:1"]);
});

it("removes listeners where they were added", () => {
  const target = createInProcessEventTarget();
  const routed = createRoutedEventTarget(() => target);
  let calls = 0;
  const listener = (): void => {
    calls += 1;
  };
  routed.addEventListener("a:1", listener);
  routed.removeEventListener("a:1", listener);
  routed.dispatchEvent(new CustomEvent("a:1", { detail: { type: "a", id: "1", payload: null } }));
  expect(calls).toBe(0);
});
