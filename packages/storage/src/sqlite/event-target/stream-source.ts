import type { Database, Stream } from "@alkdev/honker";
import type { DurableSource } from "@alkdev/pubsub/websocket-server";

/** The latest moment a Date can hold. */
const END_OF_TIME = new Date(8.64e15);

/** Options of {@link createStreamSource}. */
export interface StreamSourceOptions {
  readonly db: Database;
  /** The stream of a durable event target. */
  readonly streamName: string;
}

/**
 * The stream of a durable event target as the source of a WebSocket server's durable topics: clients
 * resume after the offset they confirmed last, which is kept beside the offsets of the stream's own
 * consumers as `{consumer}/{topic}`.
 *
 * @example
 * ```ts
 * const server = createWebSocketServerEventTarget({
 *   upstream: hubTarget,
 *   durable: { source: createStreamSource({ db, streamName: "call-protocol" }) },
 * });
 * ```
 */
export function createStreamSource({ db, streamName }: StreamSourceOptions): DurableSource {
  const stream: Stream = db.stream(streamName);
  const nameOf = (consumer: string, topic: string): string => `${consumer}/${topic}`;
  return {
    read: (topic, after, limit) =>
      stream
        .readSince(after, limit, { filter: { key: topic } })
        .map(({ offset, payload }) => ({ offset, detail: payload })),
    watch(topic, wake) {
      const events = stream.tail({ filter: { key: topic } });
      void (async () => {
        for await (const _event of events) wake();
      })();
      return () => events.close();
    },
    newest: () => stream.offsetAt(END_OF_TIME),
    saved(consumer, topic) {
      const offset = stream.getOffset(nameOf(consumer, topic));
      return offset === 0 ? null : offset;
    },
    save(consumer, topic, offset) {
      stream.saveOffset(nameOf(consumer, topic), offset);
    },
  };
}
