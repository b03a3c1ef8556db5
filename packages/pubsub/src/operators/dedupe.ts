import { requireInteger } from "../errors.ts";
import { DONE, type Operator, stage, start } from "./stage.ts";

/** Options of {@link dedupe}. */
export interface DedupeOptions<A> {
  /** What makes two values the same, compared as in a `Map`. Default: the value itself. */
  readonly key?: (value: A) => unknown;
  /** How many different keys are remembered; then the one not seen for longest is forgotten. Default 10,000. */
  readonly memory?: number;
}

/**
 * Drops values whose key was seen before, for instance those an at-least-once target delivers again.
 *
 * @throws {@link PubSubError} `INVALID_ARGUMENT`
 */
export function dedupe<A>(options: DedupeOptions<A> = {}): Operator<A, A> {
  const { key = (value: A): unknown => value, memory = 10_000 } = options;
  requireInteger(memory, "dedupe: memory", 1);
  return (source) => {
    const input = start(source);
    const seen = new Set<unknown>();
    const isNew = (identity: unknown): boolean => {
      const known = seen.delete(identity);
      seen.add(identity);
      if (seen.size > memory) seen.delete(seen.values().next().value);
      return !known;
    };
    return stage({
      async next() {
        for (;;) {
          const result = await input.next();
          if (result.done) return DONE;
          if (isNew(key(result.value))) return result;
        }
      },
      cancel: input.cancel,
    });
  };
}
