import { DONE, type Operator, stage, start } from "./stage.ts";

/** Replaces each value by what `mapper` makes of it. It may be asynchronous. */
export function map<A, B>(mapper: (value: A) => B | Promise<B>): Operator<A, B> {
  return (source) => {
    const input = start(source);
    return stage({
      async next() {
        const result = await input.next();
        if (result.done) return DONE;
        return { done: false, value: await mapper(result.value) };
      },
      cancel: input.cancel,
    });
  };
}
