/** Registers a callback for the end of a {@link Closable}, also when it ends by itself. */
export const onEnd: unique symbol = Symbol("onEnd");

/** Something that lives until it is closed or its database is. */
export interface Closable {
  close(): void;
  /** Calls `callback` once, when this has ended; at once if it already has. */
  [onEnd](callback: () => void): void;
}
