// What travels between the hub and its spokes: one map for both sides.

export interface Events {
  /** A call for the spoke that is the event's id. Durable: it waits for a spoke that is away. */
  "call.requested": { readonly requestId: string; readonly operationId: string };
  /** The answer; the event's id is the request's. */
  "call.responded": { readonly requestId: string; readonly by: string; readonly pid: number };
  /** News for whoever listens now. */
  "graph:created": { readonly graphId: string };
  /** A spoke's own business; never leaves its file. */
  "cache:invalidated": { readonly key: string };
}

/** The stream of the hub that keeps call events. */
export const CALLS = "call-protocol";

export const isCall = (topic: string): boolean => topic.startsWith("call.");
export const isLocal = (topic: string): boolean => topic.startsWith("cache:");
