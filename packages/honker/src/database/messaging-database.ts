import type { Sequence } from "../core/polled-sequence.ts";
import type { ListenOptions, Notification } from "../notify/notifications.ts";
import { queueNames, streamNames } from "../operations/list-names.ts";
import { type Deliver, Outbox, type OutboxOptions } from "../queue/outbox.ts";
import { Queue } from "../queue/queue.ts";
import type { QueueOptions } from "../queue/queue-options.ts";
import { Results, type WaitResultOptions } from "../queue/results.ts";
import { Stream } from "../stream/stream.ts";
import type { StreamOptions } from "../stream/stream-options.ts";
import { SqlDatabase } from "./sql-database.ts";

/** Notifications, streams, queues and results of a {@link Database}. */
export class MessagingDatabase extends SqlDatabase {
  /**
   * Sends `payload` (JSON) to those who listen on `channel` now, here and in other processes, when the
   * surrounding transaction commits. Returns the notification's id.
   *
   * @throws `INVALID_PAYLOAD`
   */
  notify(channel: string, payload: unknown = null): number {
    return this.use().notifications.notify(channel, payload);
  }

  /** Notifications of `channel` from now on, as an async iterable with `close()`. */
  listen<P = unknown>(channel: string, options?: ListenOptions): Sequence<Notification<P>> {
    return this.track(this.use().notifications.listen<P>(channel, options));
  }

  /**
   * A durable stream of events with payloads of type `T`. It need not be created first; calling this
   * twice gives two handles of one stream.
   *
   * @throws `INVALID_ARGUMENT`, `CLOSED`
   * @example
   * ```ts
   * const calls = db.stream<{ type: string; requestId: string }>("call-protocol");
   * calls.publish({ type: "call.requested", requestId: "req-1" });
   * for await (const event of calls.subscribe("dashboard")) render(event.payload);
   * ```
   */
  stream<T = unknown>(name: string, options: StreamOptions<T> = {}): Stream<T> {
    const engine = this.use();
    return new Stream(this.handle, engine.consumers, { name, options });
  }

  /**
   * A work queue of jobs with payloads of type `I`; with a `schema` that transforms, workers get `O`.
   * It need not be created first; calling this twice gives two handles of one queue.
   *
   * @throws `INVALID_ARGUMENT`, `CLOSED`
   * @example
   * ```ts
   * const rotations = db.queue<{ keyVersion: number }>("key-rotation");
   * rotations.enqueue({ keyVersion: 2 }, { priority: 3 });
   * const worker = rotations.work(async (job) => rotateKeys(job.payload));
   * ```
   */
  queue<I = unknown, O = I>(name: string, options: QueueOptions<I, O> = {}): Queue<I, O> {
    return new Queue(this.handle, name, options);
  }

  /** Names of the streams that have events, consumers, groups or dead letters, in order. */
  streams(): string[] {
    return streamNames(this.use());
  }

  /** Names of the queues that have jobs or dead letters, or are paused, in order. */
  queues(): string[] {
    return queueNames(this.use());
  }

  /**
   * An outbox: messages written in a transaction and handed to `deliver` after it has committed, with
   * retries and dead letters. Nothing is delivered here until `outbox.work()` is called; another
   * process may do it.
   *
   * @throws `INVALID_ARGUMENT`, `CLOSED`
   */
  outbox<I = unknown, O = I>(
    name: string,
    deliver: Deliver<O>,
    options: OutboxOptions<I, O> = {},
  ): Outbox<I, O> {
    return new Outbox(this.handle, name, { ...options, deliver });
  }

  /**
   * Keeps `value` (JSON) as the result of a job, in the surrounding transaction if there is one. A
   * worker does it with what its handler returns.
   *
   * @param ttlSeconds how long it is kept, default a day; 0 keeps it for ever
   * @throws `INVALID_PAYLOAD`, `INVALID_ARGUMENT`
   */
  saveResult(jobId: number, value: unknown, ttlSeconds?: number): void {
    new Results(this.use()).save(jobId, value, ttlSeconds);
  }

  /** The result of a job; `null` when there is none. */
  getResult<R = unknown>(jobId: number): R | null {
    return new Results(this.use()).get(jobId) as R | null;
  }

  /**
   * Waits until a job has ended, here or in another process, and gives its result: `null` when it
   * ended without one, or long ago.
   *
   * @throws `JOB_FAILED` when it is a dead letter or was cancelled, `TIMEOUT`, the reason of
   * `options.signal`, `CLOSED`
   */
  async waitResult<R = unknown>(jobId: number, options?: WaitResultOptions): Promise<R | null> {
    return (await new Results(this.use()).wait(jobId, options)) as R | null;
  }

  /** Deletes results whose time is over; workers do it too. Returns how many. */
  sweepResults(): number {
    return new Results(this.use()).sweep();
  }
}
