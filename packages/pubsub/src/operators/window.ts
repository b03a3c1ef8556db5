import { PubSubError, requireInteger } from "../errors.ts";
import { DONE, type Operator, stage, start } from "./stage.ts";

/** Options of {@link window}. */
export interface WindowOptions {
  /** The most values a window holds; the oldest leave first. Default 1,000. It bounds the memory. */
  readonly size?: number;
  /** How long a value stays in the window, in milliseconds. Default: as long as `size` allows. */
  readonly durationMs?: number;
  /** A window is handed on after this many new values. Default 1: with each. */
  readonly every?: number;
  /** The clock, in milliseconds. Default `Date.now`; give another one in tests. */
  readonly now?: () => number;
}

/**
 * A sliding window: for each new value the last ones, oldest first, as a fresh array. Use it for
 * moving averages and rates; use `batch` to have each value once.
 *
 * @throws {@link PubSubError} `INVALID_ARGUMENT`
 */
export function window<A>(options: WindowOptions): Operator<A, A[]> {
  const {
    size = 1_000,
    durationMs = Number.POSITIVE_INFINITY,
    every = 1,
    now = Date.now,
  } = options;
  requireInteger(size, "window: size", 1);
  requireInteger(every, "window: every", 1);
  if (!(durationMs > 0)) {
    throw new PubSubError(
      "INVALID_ARGUMENT",
      `window: durationMs is ${durationMs}; it must be positive`,
    );
  }
  return (source) => {
    const input = start(source);
    const held: { readonly at: number; readonly value: A }[] = [];
    let fresh = 0;
    const expire = (at: number): void => {
      const keepFrom = held.findIndex((entry) => at - entry.at < durationMs);
      held.splice(0, Math.max(keepFrom, held.length - size));
    };
    return stage({
      async next() {
        for (;;) {
          const result = await input.next();
          if (result.done) return DONE;
          const at = now();
          held.push({ at, value: result.value });
          expire(at);
          fresh += 1;
          if (fresh < every) continue;
          fresh = 0;
          return { done: false, value: held.map((entry) => entry.value) };
        }
      },
      cancel: input.cancel,
    });
  };
}
