import type { CallOptions, OperationContext } from "../operation-context.ts";

/**
 * Calls that `buildEnv` makes, by identity of their options object. Trust is no property, so nothing that
 * is parsed, spread or cloned can have it, and handlers never get hold of an object that has.
 */
const trusted = new WeakMap<object, number>();
const depths = new WeakMap<object, number>();

/** How deep operations may call each other; deeper is a circle. */
const DEEPEST = 64;

/** The options of a call that is not checked again, since the caller's call was. */
export function trustedCall(options: CallOptions, depth: number): CallOptions {
  const call = Object.freeze({ ...options });
  trusted.set(call, depth);
  return call;
}

/** Whether `buildEnv` made the call. */
export function isTrusted(call: CallOptions): boolean {
  return trusted.has(call);
}

/** Remembers how deep in other calls the handler of this context runs. */
export function inheritDepth(context: OperationContext, call: CallOptions): void {
  depths.set(context, trusted.get(call) ?? 0);
}

/** Depth of a call made from this context, or `null` if it is too deep. */
export function nextDepth(context: OperationContext): number | null {
  const depth = (depths.get(context) ?? 0) + 1;
  return depth > DEEPEST ? null : depth;
}
