import type { Closable } from "./closable.ts";
import type { Core } from "./core.ts";

/**
 * The database handle that a stream, queue or lock was made from. Several handles may share one
 * engine; what was made from a handle stops working when that handle is closed.
 */
export interface Handle {
  /** The engine. @throws `CLOSED` when the handle is closed */
  use(): Core;
  /** Closes `resource` with the handle, unless it ends before. */
  track<R extends Closable>(resource: R): R;
}
