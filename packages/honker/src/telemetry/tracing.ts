import {
  context,
  type Link,
  ProxyTracerProvider,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { INSTRUMENTATION, type MessageChannel, startProcessTimer } from "./process-timer.ts";

/** Headers that carry a trace from the sender to the receiver: `traceparent`, `tracestate`. */
export type TraceCarrier = Readonly<Record<string, string>>;

/** As much of a job or event as a span tells. */
export interface TracedMessage {
  /** Id of the job, or offset of the event. */
  readonly id: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Number of the attempt. */
  readonly attempts?: number;
}

/**
 * Runs `send` in a span and gives it the headers that its messages must carry. Without an SDK it is
 * called with nothing and nothing else is done.
 */
export function traceSend<T>(
  channel: MessageChannel,
  send: (carrier: TraceCarrier | undefined) => T,
): T {
  const tracer = activeTracer();
  if (tracer === undefined) return send(undefined);
  const span = tracer.startSpan(`send ${channel.name}`, {
    kind: SpanKind.PRODUCER,
    attributes: attributesOf(channel, "send"),
  });
  return inSpan(span, () => {
    const carrier: Record<string, string> = {};
    propagation.inject(context.active(), carrier);
    return send(carrier);
  });
}

/** Options with the headers of `carrier`; headers handed on from another message lose their trace. */
export function withCarrier<
  O extends { readonly headers?: Readonly<Record<string, string>> | undefined },
>(options: O, carrier: TraceCarrier | undefined): O {
  // what is not an object is left for the check that refuses it
  if (carrier === undefined || (options.headers !== undefined && !isObject(options.headers))) {
    return options;
  }
  return { ...options, headers: { ...options.headers, ...carrier } };
}

/**
 * Runs `work` in a span that continues the trace of the message, or is linked to those of several, and
 * times it. Both end with the promise that `work` returns, if it does. Without an SDK `work` is only
 * called.
 */
export function traceProcess<T>(
  channel: MessageChannel,
  messages: () => readonly TracedMessage[],
  work: () => T,
): T {
  const tracer = activeTracer();
  const stop = startProcessTimer(channel);
  if (tracer === undefined && stop === undefined) return work();
  const list = messages();
  const span = tracer === undefined ? undefined : startProcessing(tracer, channel, list);
  return inSpan(span, work, (outcome) => stop?.(outcome, list.length));
}

function startProcessing(
  tracer: Tracer,
  channel: MessageChannel,
  messages: readonly TracedMessage[],
): Span {
  const kind = SpanKind.CONSUMER;
  const attributes = attributesOf(channel, "process");
  const [first] = messages;
  if (first === undefined || messages.length > 1) {
    const count = { "messaging.batch.message_count": messages.length };
    return tracer.startSpan(
      `process ${channel.name}`,
      { kind, attributes: { ...attributes, ...count }, links: messages.flatMap(linkTo) },
      ROOT_CONTEXT,
    );
  }
  const message = {
    "messaging.message.id": String(first.id),
    ...(first.attempts === undefined ? {} : { "honker.attempt": first.attempts }),
  };
  return tracer.startSpan(
    `process ${channel.name}`,
    { kind, attributes: { ...attributes, ...message } },
    contextOf(first),
  );
}

/** The tracer of a registered SDK; `undefined` without one. */
function activeTracer(): Tracer | undefined {
  const provider = trace.getTracerProvider();
  if (!(provider instanceof ProxyTracerProvider)) return provider.getTracer(INSTRUMENTATION);
  return provider.getDelegateTracer(INSTRUMENTATION);
}

/** Runs `work` with `span` active, and ends the span with it or with its promise. */
function inSpan<T>(
  span: Span | undefined,
  work: () => T,
  onEnd?: (outcome: "ok" | "error") => void,
): T {
  const succeeded = (): void => {
    onEnd?.("ok");
    span?.end();
  };
  const failed = (error: unknown): void => {
    onEnd?.("error");
    if (span !== undefined) endFailed(span, error);
  };
  let result: T;
  try {
    const active = context.active();
    result = context.with(span === undefined ? active : trace.setSpan(active, span), work);
  } catch (error) {
    failed(error);
    throw error;
  }
  if (isObject(result) && "then" in result && typeof result.then === "function") {
    // asked once: a lazy query runs each time its then() is called
    const promise = Promise.resolve(result);
    promise.then(succeeded, failed);
    return promise as T;
  }
  succeeded();
  return result;
}

function endFailed(span: Span, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  span.recordException(error instanceof Error ? error : message);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
  span.end();
}

function contextOf({ headers }: TracedMessage): ReturnType<typeof context.active> {
  return propagation.extract(ROOT_CONTEXT, headers);
}

function linkTo(message: TracedMessage): Link[] {
  const spanContext = trace.getSpanContext(contextOf(message));
  return spanContext === undefined ? [] : [{ context: spanContext }];
}

/** https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/ */
function attributesOf({ kind, name }: MessageChannel, operation: "send" | "process") {
  return {
    "messaging.system": "honker",
    "messaging.destination.name": name,
    "messaging.operation.type": operation,
    "honker.channel": kind,
  };
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
