import type { Job } from "../queue/job.ts";
import type { StreamEvent } from "../stream/stream-event.ts";
import { traceProcess } from "./tracing.ts";

/**
 * Runs `work` as the processing of a job or event, in an OpenTelemetry span that continues the trace of
 * the code that enqueued or published it. For jobs claimed by hand and for events of a subscription;
 * `queue.work()` does it by itself. Without an OpenTelemetry SDK `work` is only called.
 *
 * @returns what `work` returns; a promise ends the span when it settles
 * @example
 * ```ts
 * for await (const event of orders.subscribe("mailer")) {
 *   await traceMessage(event, () => sendMail(event.payload));
 * }
 * ```
 */
export function traceMessage<T>(message: Job | StreamEvent, work: () => T): T {
  if ("queue" in message) {
    return traceProcess({ kind: "queue", name: message.queue }, () => [message], work);
  }
  const traced = () => [{ id: message.offset, headers: message.headers }];
  return traceProcess({ kind: "stream", name: message.topic }, traced, work);
}
