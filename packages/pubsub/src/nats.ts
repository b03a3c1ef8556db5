export type { BackoffOptions } from "./targets/backoff.ts";
export type { JetStreamEventTargetOptions } from "./targets/jetstream.ts";
export { createJetStreamEventTarget } from "./targets/jetstream.ts";
export type { LogTargetOptions } from "./targets/log-event-target.ts";
export type { NatsEventTargetOptions } from "./targets/nats.ts";
export { createNatsEventTarget } from "./targets/nats.ts";
export type { RedeliveryOptions } from "./targets/redelivery.ts";
