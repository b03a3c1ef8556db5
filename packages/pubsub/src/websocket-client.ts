export type { BackoffOptions } from "./targets/backoff.ts";
export type { ClientSocket, ConnectionState } from "./targets/client-socket.ts";
export type { DurableEvent } from "./targets/durable-source.ts";
export type { DurableClientOptions } from "./targets/durable-topics.ts";
export type { RedeliveryOptions } from "./targets/redelivery.ts";
export type { WebSocketClientOptions } from "./targets/websocket-client.ts";
export { createWebSocketClientEventTarget } from "./targets/websocket-client.ts";
