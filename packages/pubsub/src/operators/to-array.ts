/** Collects a sequence that ends, for instance behind `take()`. Memory grows with what it collects. */
export function toArray<A>(): (source: AsyncIterable<A>) => Promise<A[]> {
  return async (source) => {
    const values: A[] = [];
    for await (const value of source) values.push(value);
    return values;
  };
}
