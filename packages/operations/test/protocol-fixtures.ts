import {
  createInProcessEventTarget,
  type EnvelopeEvent,
  type TypedEventTarget,
  topicOf,
} from "@alkdev/pubsub";
import { onTestFinished } from "vitest";
import {
  type CallEvents,
  type CallerOptions,
  type CallHandlerOptions,
  createCaller,
  createCallHandler,
  type OperationContext,
} from "../src/index.ts";
import { quietRegistry } from "./fixtures.ts";
import { ada, addSpec, countSpec, workSpec } from "./specs.ts";

export { workSpec } from "./specs.ts";

export type Work = (input: unknown, context: OperationContext) => unknown;

/** A promise and what settles it. */
export function deferred<T = void>() {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}

/** Resolves when the signal is aborted. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

/** Every event on a target, and how many listeners it has. */
export function watched(target: TypedEventTarget) {
  const events: { type: string; id: string; payload: Record<string, unknown> }[] = [];
  const listeners = new Map<string, number>();
  const count = (topic: string, by: number): void => {
    const left = (listeners.get(topic) ?? 0) + by;
    if (left === 0) listeners.delete(topic);
    else listeners.set(topic, left);
  };
  const eventTarget: TypedEventTarget = {
    addEventListener(topic, callback) {
      count(topic, 1);
      target.addEventListener(topic, callback);
    },
    removeEventListener(topic, callback) {
      count(topic, -1);
      target.removeEventListener(topic, callback);
    },
    dispatchEvent(event) {
      events.push(event.detail as never);
      return target.dispatchEvent(event);
    },
  };
  const ofType = (type: keyof CallEvents) => events.filter((event) => event.type === type);
  return { eventTarget, events, listeners, ofType };
}

export function callEvent<Type extends keyof CallEvents>(
  type: Type,
  id: string,
  payload: unknown,
): EnvelopeEvent {
  return new CustomEvent(topicOf(type, id), { detail: { type, id, payload } });
}

/** A caller and a handler with `math.add`, `math.count` and `math.work` on one target. */
export function callPair(
  options: {
    work?: Work;
    count?: (input: { to: number }, context: OperationContext) => AsyncIterable<number>;
    caller?: Partial<CallerOptions>;
    handler?: Partial<CallHandlerOptions>;
  } = {},
) {
  const { registry, reported } = quietRegistry();
  registry.register({ ...addSpec, handler: ({ a, b }) => a + b });
  registry.register({ ...workSpec, handler: options.work ?? ((input) => input) });
  registry.register({ ...countSpec, handler: options.count ?? upTo });
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const wire = watched(createInProcessEventTarget({ onError }));
  const { eventTarget } = wire;
  const handler = createCallHandler({
    registry,
    eventTarget,
    onError,
    identityOf: () => ada,
    ...options.handler,
  });
  const caller = createCaller({ eventTarget, onError, ...options.caller });
  onTestFinished(async () => {
    caller.close();
    await handler.close({ drainMs: 0 });
  });
  return { ...wire, registry, reported, handler, caller, errors };
}

export async function* upTo({ to }: { to: number }) {
  for (let n = 1; n <= to; n += 1) yield n;
}
