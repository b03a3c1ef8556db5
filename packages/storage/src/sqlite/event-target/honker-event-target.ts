import { StorageError } from "../../errors.ts";
import { DurableTarget } from "./durable-target.ts";
import { EphemeralTarget } from "./ephemeral-target.ts";
import type { HonkerEventTarget, HonkerEventTargetOptions } from "./options.ts";

/**
 * An event target over a database: events reach every process that has the file open, and one that is
 * dispatched inside a transaction goes out with its commit or not at all (ADR-047).
 *
 * @throws {@link StorageError} `INVALID_ARGUMENT` for a durable target without names
 * @example
 * ```ts
 * const target = createHonkerEventTarget({
 *   db,
 *   mode: "durable",
 *   streamName: "call-protocol",
 *   consumerName: "hub:main:projector",
 * });
 * const pubsub = createPubSub<Events>({ eventTarget: target });
 * ```
 */
export function createHonkerEventTarget(options: HonkerEventTargetOptions): HonkerEventTarget {
  return create(options, false);
}

/**
 * As {@link createHonkerEventTarget}, and listeners of this process get the events of this process from
 * memory, once, as soon as they are committed; other processes get them from the file (OQ-30).
 *
 * A durable one keeps its guarantee: an event given out from memory counts as done when its callbacks
 * have settled and the stream has brought it, so after a crash it comes again.
 *
 * @throws {@link StorageError} `INVALID_ARGUMENT` for a durable target without names
 */
export function createCompositeEventTarget(options: HonkerEventTargetOptions): HonkerEventTarget {
  return create(options, true);
}

function create(options: HonkerEventTargetOptions, fromMemory: boolean): HonkerEventTarget {
  const { mode, streamName, consumerName } = options;
  if (mode === "ephemeral") return new EphemeralTarget(options, fromMemory);
  if (mode !== "durable") {
    throw new StorageError(
      "INVALID_ARGUMENT",
      `mode must be "ephemeral" or "durable", got ${JSON.stringify(mode)}`,
    );
  }
  if (!streamName || !consumerName) {
    throw new StorageError(
      "INVALID_ARGUMENT",
      `a durable event target needs a ${streamName ? "consumerName" : "streamName"}`,
      { hint: "Name the stream, and a consumer that is the same after a restart" },
    );
  }
  return new DurableTarget({ ...options, streamName, consumerName }, fromMemory);
}
