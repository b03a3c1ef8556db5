import { requireInteger } from "../errors.ts";
import { DONE, type Operator, stage, start } from "./stage.ts";

/** Options of {@link batch}. */
export interface BatchOptions {
  /** Values per batch. A batch that reaches it is handed on at once. */
  readonly size: number;
  /** How long a batch waits for more after its first value, in milliseconds. Default: until it is full. */
  readonly maxWaitMs?: number;
}

/**
 * Groups values into arrays, to write many at once. Holds at most `size` values; what is there when
 * the source ends or fails is handed on first.
 *
 * @throws {@link PubSubError} `INVALID_ARGUMENT`
 */
export function batch<A>({ size, maxWaitMs }: BatchOptions): Operator<A, A[]> {
  requireInteger(size, "batch: size", 1);
  if (maxWaitMs !== undefined) requireInteger(maxWaitMs, "batch: maxWaitMs", 0);
  return (source) => {
    const input = start(source);
    let pending: Promise<IteratorResult<A, unknown>> | undefined;
    let failure: { readonly error: unknown } | undefined;

    const collect = async (
      values: A[],
      deadline: Promise<"late"> | undefined,
    ): Promise<boolean> => {
      pending ??= input.next();
      const outcome = await (deadline === undefined ? pending : Promise.race([pending, deadline]));
      if (outcome === "late") return false;
      pending = undefined;
      if (outcome.done) return false;
      values.push(outcome.value);
      return values.length < size;
    };

    return stage({
      async next() {
        if (failure !== undefined) throw failure.error;
        const values: A[] = [];
        let timer: NodeJS.Timeout | undefined;
        try {
          let more = await collect(values, undefined);
          const deadline =
            maxWaitMs === undefined || !more
              ? undefined
              : new Promise<"late">((resolve) => {
                  timer = setTimeout(resolve, maxWaitMs, "late");
                });
          while (more) more = await collect(values, deadline);
        } catch (error) {
          if (values.length === 0) throw error;
          failure = { error };
        } finally {
          clearTimeout(timer);
        }
        return values.length === 0 ? DONE : { done: false, value: values };
      },
      cancel: input.cancel,
    });
  };
}
