import { DONE, type Operator, stage, start } from "./stage.ts";

/**
 * The values of the source, then those of each further sequence in turn. All of them are started at
 * once, so a subscription given here misses nothing while it waits for its turn (its own buffer
 * bounds that), and all are cancelled together.
 */
export function chain<A>(...others: readonly AsyncIterable<A>[]): Operator<A, A> {
  return (source) => {
    const inputs = [source, ...others].map((each) => start(each));
    let current = 0;
    return stage({
      async next() {
        for (;;) {
          const result = await inputs[current]?.next();
          if (result === undefined) return DONE;
          if (!result.done) return result;
          current += 1;
        }
      },
      async cancel() {
        await Promise.all(inputs.map((input) => input.cancel()));
      },
    });
  };
}
