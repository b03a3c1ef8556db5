import { DONE, type Operator, stage, start } from "./stage.ts";

/** Keeps the values of a narrower type. */
export function filter<A, B extends A>(predicate: (value: A) => value is B): Operator<A, B>;
/**
 * Keeps the values a predicate says yes to. It may be asynchronous.
 *
 * @example
 * ```ts
 * import { filter, pipe } from "@alkdev/pubsub";
 *
 * async function* numbers() { yield 1; yield 2; yield 3; }
 * const even = pipe(numbers(), filter((n) => n % 2 === 0));
 * ```
 */
export function filter<A>(predicate: (value: A) => boolean | Promise<boolean>): Operator<A, A>;
export function filter<A>(predicate: (value: A) => boolean | Promise<boolean>): Operator<A, A> {
  return (source) => {
    const input = start(source);
    return stage({
      async next() {
        for (;;) {
          const result = await input.next();
          if (result.done) return DONE;
          if (await predicate(result.value)) return result;
        }
      },
      cancel: input.cancel,
    });
  };
}
