import { requireInteger } from "../errors.ts";
import { DONE, type Operator, stage, start } from "./stage.ts";

/**
 * The first `count` values. The source is cancelled as soon as the last of them is there, so a
 * subscription is not held until somebody asks once more.
 *
 * @throws {@link PubSubError} `INVALID_ARGUMENT`
 */
export function take<A>(count: number): Operator<A, A> {
  requireInteger(count, "take: count", 0);
  return (source) => {
    const input = start(source);
    let left = count;
    return stage({
      async next() {
        if (left === 0) return DONE;
        left -= 1;
        const result = await input.next();
        if (result.done) return DONE;
        if (left === 0) await input.cancel();
        return result;
      },
      cancel: input.cancel,
    });
  };
}
