import { DONE, type Operator, stage, start } from "./stage.ts";

/** A value that is a sequence itself. */
export type Flattenable<A> = Iterable<A> | AsyncIterable<A>;

/** Hands on the values of each inner sequence, one sequence after the other; one level. */
export function flat<A>(): Operator<Flattenable<A>, A> {
  return (source) => {
    const input = start(source);
    let inner: ReturnType<typeof start<A>> | undefined;
    return stage({
      async next() {
        for (;;) {
          const result = await inner?.next();
          if (result !== undefined && !result.done) return result;
          inner = undefined;
          const outer = await input.next();
          if (outer.done) return DONE;
          inner = start(asynchronous(outer.value));
        }
      },
      async cancel() {
        await Promise.all([inner?.cancel(), input.cancel()]);
      },
    });
  };
}

function asynchronous<A>(values: Flattenable<A>): AsyncIterable<A> {
  if (Symbol.asyncIterator in values) return values;
  return {
    [Symbol.asyncIterator]() {
      const iterator = values[Symbol.iterator]();
      return {
        next: async () => iterator.next(),
        return: async () => iterator.return?.() ?? DONE,
      };
    },
  };
}
