type Step<A, B> = (value: A) => B;

/**
 * Applies operators one after the other.
 *
 * @example
 * ```ts
 * import { createPubSub, filter, map, pipe, take, toArray } from "@alkdev/pubsub";
 *
 * const pubsub = createPubSub<{ tick: number }>();
 * const firstEven = pipe(
 *   pubsub.subscribe("tick", ""),
 *   map((event) => event.payload),
 *   filter((n) => n % 2 === 0),
 *   take(3),
 *   toArray(),
 * );
 * ```
 */
export function pipe<A>(source: A): A;
export function pipe<A, B>(source: A, ab: Step<A, B>): B;
export function pipe<A, B, C>(source: A, ab: Step<A, B>, bc: Step<B, C>): C;
export function pipe<A, B, C, D>(source: A, ab: Step<A, B>, bc: Step<B, C>, cd: Step<C, D>): D;
export function pipe<A, B, C, D, E>(
  source: A,
  ab: Step<A, B>,
  bc: Step<B, C>,
  cd: Step<C, D>,
  de: Step<D, E>,
): E;
export function pipe<A, B, C, D, E, F>(
  source: A,
  ab: Step<A, B>,
  bc: Step<B, C>,
  cd: Step<C, D>,
  de: Step<D, E>,
  ef: Step<E, F>,
): F;
export function pipe<A, B, C, D, E, F, G>(
  source: A,
  ab: Step<A, B>,
  bc: Step<B, C>,
  cd: Step<C, D>,
  de: Step<D, E>,
  ef: Step<E, F>,
  fg: Step<F, G>,
): G;
export function pipe<A, B, C, D, E, F, G, H>(
  source: A,
  ab: Step<A, B>,
  bc: Step<B, C>,
  cd: Step<C, D>,
  de: Step<D, E>,
  ef: Step<E, F>,
  fg: Step<F, G>,
  gh: Step<G, H>,
): H;
export function pipe(source: unknown, ...steps: Step<unknown, unknown>[]): unknown {
  return steps.reduce((value, step) => step(value), source);
}
