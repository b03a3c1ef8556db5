import type { Waiter } from "../wake/wake.ts";
import type { Handle } from "./handle.ts";

/** A waiter of `topic` that also ends, with `"closed"`, when the handle it was made from is closed. */
export function handleWaiter(handle: Handle, topic: string): Waiter {
  const waiter = handle.use().wake.waiter(topic);
  const ends: (() => void)[] = [];
  const close = (): void => {
    waiter.close();
    for (const end of ends.splice(0)) end();
  };
  handle.track({ close, onEnd: (callback) => ends.push(callback) });
  return { wait: (options) => waiter.wait(options), held: () => waiter.held(), close };
}
