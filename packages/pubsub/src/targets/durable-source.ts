/** One event of a durable source. */
export interface DurableEvent {
  /** Position in the source; a whole number that grows with every event, of any topic. */
  readonly offset: number;
  /** What listeners get as `event.detail`: normally the envelope. */
  readonly detail: unknown;
}

/**
 * Where a WebSocket server reads durable topics from. It is an interface, so that any log fits: a
 * Honker stream, a table, a list in a test. Every method may be asynchronous except `watch`.
 */
export interface DurableSource {
  /** Events of the topic with an offset greater than `after`, oldest first, at most `limit`; empty: none yet. */
  read(
    topic: string,
    after: number,
    limit: number,
  ): readonly DurableEvent[] | Promise<readonly DurableEvent[]>;
  /** Calls `wake` whenever the topic may have news, too often rather than too rarely. Returns how to stop. */
  watch(topic: string, wake: () => void): () => void;
  /** Offset of the newest event, of any topic; 0 when there is none. */
  newest(topic: string): number | Promise<number>;
  /** The offset a consumer confirmed last, or null. Absent: consumers have no memory on the server. */
  saved?(consumer: string, topic: string): number | null | Promise<number | null>;
  /** Keeps a confirmed offset. Calls for one consumer and topic come one after the other, growing. */
  save?(consumer: string, topic: string, offset: number): void | Promise<void>;
}
