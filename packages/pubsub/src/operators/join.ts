import { requireInteger } from "../errors.ts";
import { DONE, type Operator, stage, start } from "./stage.ts";

/** Options of {@link join}. */
export interface JoinOptions<A, B> {
  /** Key of a value of the source. Keys are compared as in a `Map`. */
  readonly left: (value: A) => unknown;
  /** Key of a value of the other sequence. */
  readonly right: (value: B) => unknown;
  /** Keys remembered per side; then the one without news for longest is forgotten. Default 1,000. */
  readonly memory?: number;
}

type Side = "left" | "right";

/** What a side delivered, or a throw of what it failed with. */
type Arrival<A, B> = () => { readonly side: Side; readonly result: IteratorResult<A | B, unknown> };

/**
 * Pairs the values of two sequences that have the same key, such as requests with their responses.
 * Each side remembers the newest value of its last `memory` keys; every arrival whose key the other
 * side remembers gives one pair. Ends when both sequences have ended.
 *
 * @throws {@link PubSubError} `INVALID_ARGUMENT`
 */
export function join<A, B>(
  other: AsyncIterable<B>,
  { left, right, memory = 1_000 }: JoinOptions<A, B>,
): Operator<A, [A, B]> {
  requireInteger(memory, "join: memory", 1);
  return (source) => {
    const inputs = { left: start<A | B>(source), right: start<A | B>(other) };
    const lefts = new Map<unknown, A>();
    const rights = new Map<unknown, B>();
    const open = new Set<Side>(["left", "right"]);
    const asked = new Set<Side>();
    const arrivals: Arrival<A, B>[] = [];
    let wake: () => void = () => undefined;

    // no Promise.race: a side that is silent for long would collect a reaction per value of the other
    const ask = (side: Side): void => {
      if (asked.has(side)) return;
      asked.add(side);
      const arrive = (arrival: Arrival<A, B>): void => {
        asked.delete(side);
        arrivals.push(arrival);
        wake();
      };
      inputs[side].next().then(
        (result) => arrive(() => ({ side, result })),
        (error: unknown) =>
          arrive(() => {
            throw error;
          }),
      );
    };
    const pair = (side: Side, value: A | B): [A, B] | undefined => {
      if (side === "left") {
        const key = left(value as A);
        remember(lefts, key, value as A, memory);
        return rights.has(key) ? [value as A, rights.get(key) as B] : undefined;
      }
      const key = right(value as B);
      remember(rights, key, value as B, memory);
      return lefts.has(key) ? [lefts.get(key) as A, value as B] : undefined;
    };

    return stage({
      async next() {
        while (open.size > 0) {
          for (const side of open) ask(side);
          if (arrivals.length === 0) {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
          const arrival = arrivals.shift();
          if (arrival === undefined) return DONE; // cancelled while waiting
          const { side, result } = arrival();
          if (result.done) {
            open.delete(side);
            continue;
          }
          const value = pair(side, result.value);
          if (value !== undefined) return { done: false, value };
        }
        return DONE;
      },
      async cancel() {
        wake();
        await Promise.all([inputs.left.cancel(), inputs.right.cancel()]);
      },
    });
  };
}

function remember<V>(values: Map<unknown, V>, key: unknown, value: V, memory: number): void {
  values.delete(key);
  values.set(key, value);
  if (values.size > memory) values.delete(values.keys().next().value);
}
