export type {
  ConsumerNameClaim,
  ConsumerNameEnvironment,
  ConsumerNameParts,
} from "./consumer-name.ts";
export { claimConsumerName, consumerName } from "./consumer-name.ts";
export type { EnvelopeOf, EventEnvelope, EventType } from "./envelope.ts";
export { isEventEnvelope, RESERVED_PREFIX, topicOf } from "./envelope.ts";
export type { PubSubErrorCode, PubSubErrorOptions } from "./errors.ts";
export { PubSubError } from "./errors.ts";
export type {
  EnvelopeEvent,
  LocalEventTarget,
  PubSubErrorHandler,
  RemoteEventTarget,
  TypedEventListener,
  TypedEventTarget,
} from "./event-target.ts";
export type { InProcessEventTargetOptions } from "./in-process-event-target.ts";
export { createInProcessEventTarget } from "./in-process-event-target.ts";
export type { BatchOptions } from "./operators/batch.ts";
export { batch } from "./operators/batch.ts";
export { chain } from "./operators/chain.ts";
export type { DedupeOptions } from "./operators/dedupe.ts";
export { dedupe } from "./operators/dedupe.ts";
export { filter } from "./operators/filter.ts";
export type { Flattenable } from "./operators/flat.ts";
export { flat } from "./operators/flat.ts";
export type { Group, GroupByOptions } from "./operators/group-by.ts";
export { groupBy } from "./operators/group-by.ts";
export type { JoinOptions } from "./operators/join.ts";
export { join } from "./operators/join.ts";
export { map } from "./operators/map.ts";
export { pipe } from "./operators/pipe.ts";
export { reduce } from "./operators/reduce.ts";
export type { Operator } from "./operators/stage.ts";
export { take } from "./operators/take.ts";
export { toArray } from "./operators/to-array.ts";
export type { WindowOptions } from "./operators/window.ts";
export { window } from "./operators/window.ts";
export type { PubSub, PubSubOptions, SubscribeOptions } from "./pub-sub.ts";
export { createPubSub } from "./pub-sub.ts";
export { errorReporter } from "./report-error.ts";
export { createRoutedEventTarget } from "./routed-event-target.ts";
export type { BufferOptions, Overflow, Subscription } from "./subscription.ts";
export { DEFAULT_CAPACITY } from "./subscription.ts";
export type { ListenerFailure, TopicListenersOptions } from "./topic-listeners.ts";
export { TopicListeners } from "./topic-listeners.ts";
