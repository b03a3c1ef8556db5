import type { AnyOperation } from "@alkdev/operations";

/** An operation as a hub or a spoke serves it. */
export interface HubOperation {
  readonly operation: AnyOperation;
  /**
   * The handler is synchronous and writes nothing but the file it is called in: effect, outcome and events
   * of a call become one commit, so that a call that is sent again has one effect. Default no: a call
   * runs at most once, and if its process dies in it nobody knows how far it came.
   */
  readonly atomic?: true;
  /**
   * A call that nobody knows the end of may be run again under the same request id. Default no: it is
   * refused with `CALL_INTERRUPTED`.
   */
  readonly repeatable?: true;
  /** Milliseconds a call may take. Default: `limits.callTimeoutMs`; subscriptions: for ever. */
  readonly timeoutMs?: number;
  /** What the journal keeps of a call: `names` leaves inputs and outputs out. Default `"full"`. */
  readonly record?: "full" | "names";
}
