/** Dispatch in one process: our target against a bare EventTarget, the same events. */
import { createInProcessEventTarget } from "@alkdev/pubsub";

const ROUNDS = 300_000;

function measure(target: EventTarget, listeners: number): number {
  let calls = 0;
  for (let n = 0; n < listeners; n++) target.addEventListener("t:1", () => (calls += 1));
  const samples: number[] = [];
  for (let sample = 0; sample < 7; sample++) {
    const start = performance.now();
    for (let n = 0; n < ROUNDS; n++) {
      target.dispatchEvent(new CustomEvent("t:1", { detail: { type: "t", id: "1", payload: n } }));
    }
    samples.push(((performance.now() - start) * 1e6) / ROUNDS);
  }
  return samples.sort((a, b) => a - b)[3] as number;
}

for (const listeners of [0, 1, 3]) {
  const bare = measure(new EventTarget(), listeners);
  const ours = measure(createInProcessEventTarget<CustomEvent>() as EventTarget, listeners);
  console.log(
    `${listeners} listeners: EventTarget ${bare.toFixed(0)} ns, in-process ${ours.toFixed(0)} ns, ratio ${(ours / bare).toFixed(2)}`,
  );
}
