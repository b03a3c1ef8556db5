export type { BackoffOptions } from "./targets/backoff.ts";
export type { LogTargetOptions } from "./targets/log-event-target.ts";
export type { RedeliveryOptions } from "./targets/redelivery.ts";
export type { RedisEventTargetOptions } from "./targets/redis.ts";
export { createRedisEventTarget } from "./targets/redis.ts";
export type { RedisStreamEventTargetOptions } from "./targets/redis-streams.ts";
export { createRedisStreamEventTarget } from "./targets/redis-streams.ts";
