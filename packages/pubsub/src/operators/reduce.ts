/** Folds a sequence into one value, which is there when the sequence ends. */
export function reduce<A, R>(
  reducer: (accumulator: R, value: A) => R | Promise<R>,
  initial: R,
): (source: AsyncIterable<A>) => Promise<R> {
  return async (source) => {
    let accumulator = initial;
    for await (const value of source) accumulator = await reducer(accumulator, value);
    return accumulator;
  };
}
