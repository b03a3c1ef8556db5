import type { Identity } from "./access/identity.ts";
import type { OperationEnv } from "./composition/operation-env.ts";

/** What comes with a call, given to `execute` and `subscribe`. All of it is optional. */
export interface CallOptions {
  /** Who calls. Take it from the connection, never from what the caller sent. */
  readonly identity?: Identity;
  /** Id of this call in logs and events. Default: a new UUID. */
  readonly requestId?: string;
  /** The call this one was made for. */
  readonly parentRequestId?: string;
  /** Anything else the handler may want: a trace, a locale. Default `{}`. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Takes the call back: it ends with `ABORTED`, a subscription just ends. */
  readonly signal?: AbortSignal;
  /** Milliseconds since 1970 after which nobody waits: the call ends with `TIMEOUT`. Default: none. */
  readonly deadline?: number;
}

/** What a handler knows about the call it serves. */
export interface OperationContext {
  readonly operationId: string;
  readonly requestId: string;
  readonly parentRequestId?: string;
  /** Who calls; missing where a `public` operation is called by somebody unknown. */
  readonly identity?: Identity;
  readonly metadata: Readonly<Record<string, unknown>>;
  /**
   * Aborted when nobody waits any more: taken back, too late, or, of a subscription, ended. Hand it on
   * to whatever waits. Its reason is the error the call ended with.
   */
  readonly signal: AbortSignal;
  /** Milliseconds since 1970 after which the call ends with `TIMEOUT`. */
  readonly deadline?: number;
  /** Other operations, called for this caller: `context.env.graphs.find({ id })`; see `buildEnv`. */
  readonly env: OperationEnv;
}
