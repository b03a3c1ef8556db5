export type { DurableEvent, DurableSource } from "./targets/durable-source.ts";
export type { DurableServerOptions } from "./targets/durable-subscriptions.ts";
export type { ServerSocket, WebSocketConnection } from "./targets/websocket-connection.ts";
export { createWebSocketServerEventTarget } from "./targets/websocket-server.ts";
export type {
  WebSocketRequest,
  WebSocketServerEventTarget,
  WebSocketServerOptions,
  WebSocketServerStats,
} from "./targets/websocket-server-options.ts";
