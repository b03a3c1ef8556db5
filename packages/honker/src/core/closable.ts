/** Something that lives until it is closed or its database is. */
export interface Closable {
  close(): void;
  /** Calls `callback` once, when this has ended, by `close()` or by itself; at once if it already has. */
  onEnd(callback: () => void): void;
}
