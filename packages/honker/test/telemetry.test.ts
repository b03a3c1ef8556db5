import { observeDatabase, open, traceMessage } from "@alkdev/honker";
import { eventually, tempDatabase } from "@alkdev/testkit";
import { context, metrics, propagation, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { afterEach, describe, expect, it } from "vitest";

afterEach(() => {
  trace.disable();
  context.disable();
  propagation.disable();
  metrics.disable();
});

/** Registers a real SDK whose spans stay in memory. */
function traced(): { spans: () => ReadableSpan[] } {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  return { spans: () => exporter.getFinishedSpans() };
}

/** Registers a real SDK whose metrics stay in memory; `collect` gives the newest points by name. */
function metered() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  metrics.setGlobalMeterProvider(provider);
  return {
    collect: async () => {
      exporter.reset();
      await reader.forceFlush();
      const points = new Map<string, { value: unknown; attributes: unknown }[]>();
      for (const resource of exporter.getMetrics()) {
        for (const { metrics: found } of resource.scopeMetrics) {
          for (const { descriptor, dataPoints } of found) {
            points.set(
              descriptor.name,
              dataPoints.map(({ value, attributes }) => ({ value, attributes })),
            );
          }
        }
      }
      return points;
    },
  };
}

const named = (spans: readonly ReadableSpan[], name: string): ReadableSpan[] =>
  spans.filter((span) => span.name === name);

describe("M13: without an OpenTelemetry SDK", () => {
  it("adds no headers and changes nothing", async () => {
    const db = tempDatabase();
    const queue = db.queue<number>("work");
    queue.enqueue(1);
    queue.enqueueMany([2, 3], { headers: { tenant: "acme" } });
    db.stream<number>("events").publish(1);
    expect(db.rows("SELECT alk_headers FROM _honker_live")).toEqual([
      [null],
      ['{"tenant":"acme"}'],
      ['{"tenant":"acme"}'],
    ]);
    expect(db.rows("SELECT alk_headers FROM _honker_stream")).toEqual([[null]]);
    const done: number[] = [];
    const worker = queue.work((job) => void done.push(job.payload));
    await eventually("all is done", () => done.length === 3);
    await worker.stop();
    const job = { n: 1 };
    expect(traceMessage(db.stream("events").readSince(0, 1)[0] as never, () => job)).toBe(job);
    observeDatabase(db)();
  });
});

describe("M13: with an OpenTelemetry SDK", () => {
  it("continues the trace of enqueue in the handler, and through it", async () => {
    const { spans } = traced();
    const db = tempDatabase();
    const queue = db.queue<number>("work");
    const tracer = trace.getTracer("test");
    tracer.startActiveSpan("request", (request) => {
      queue.enqueue(1, { headers: { tenant: "acme" } });
      request.end();
    });
    const seen: unknown[] = [];
    const worker = queue.work(async (job) => {
      await Promise.resolve();
      const { tenant } = job.headers;
      seen.push(tenant);
      tracer.startActiveSpan("inner", (span) => span.end());
      db.queue("next").enqueue(2, { headers: job.headers });
    });
    await eventually("the job is done", () => named(spans(), "process work").length === 1);
    await worker.stop();
    const [request, send, process, inner, next] = [
      "request",
      "send work",
      "process work",
      "inner",
      "send next",
    ].map((name) => named(spans(), name)[0] as ReadableSpan) as [
      ReadableSpan,
      ReadableSpan,
      ReadableSpan,
      ReadableSpan,
      ReadableSpan,
    ];
    expect(seen).toEqual(["acme"]);
    expect(send.parentSpanContext?.spanId).toBe(request.spanContext().spanId);
    expect(process.parentSpanContext?.spanId).toBe(send.spanContext().spanId);
    expect(inner.parentSpanContext?.spanId).toBe(process.spanContext().spanId);
    expect(next.parentSpanContext?.spanId).toBe(process.spanContext().spanId);
    for (const span of [send, process, inner, next]) {
      expect(span.spanContext().traceId).toBe(request.spanContext().traceId);
    }
    expect(process.attributes).toMatchObject({
      "messaging.system": "honker",
      "messaging.destination.name": "work",
      "messaging.operation.type": "process",
      "messaging.message.id": "1",
      "honker.attempt": 1,
    });
    const { traceparent } = db.queue("next").claimOne("w")?.headers ?? {};
    expect(traceparent).toContain(next.spanContext().spanId);
  });

  it.each([
    [
      "throws",
      (): never => {
        throw new Error("no luck");
      },
    ],
    ["rejects", () => Promise.reject(new Error("no luck"))],
  ])(
    "marks the span of a handler that %s, once per attempt, and retries the job",
    async (_how, handler) => {
      const { spans } = traced();
      const db = tempDatabase();
      const queue = db.queue("work", { maxAttempts: 2, backoff: { kind: "fixed", delayMs: 1 } });
      queue.enqueue(1);
      const worker = queue.work(handler);
      await eventually("it is dead", () => queue.dead.count() === 1);
      await worker.stop();
      const processed = named(spans(), "process work");
      expect(processed.map(({ status }) => status)).toEqual([
        { code: SpanStatusCode.ERROR, message: "no luck" },
        { code: SpanStatusCode.ERROR, message: "no luck" },
      ]);
      expect(processed.map(({ attributes }) => attributes["honker.attempt"])).toEqual([1, 2]);
      expect(processed[0]?.events[0]?.name).toBe("exception");
    },
  );

  it("continues the trace of publish where an event is processed", async () => {
    const { spans } = traced();
    const db = tempDatabase();
    const orders = db.stream<number>("orders");
    orders.publish(1);
    orders.publishMany([2, 3], (payload) => ({ key: `k-${payload}` }));
    for await (const event of orders.subscribe("mailer")) {
      expect(traceMessage(event, () => event.payload * 2)).toBe(event.payload * 2);
      if (event.payload === 3) break;
    }
    const sent = named(spans(), "send orders").map((span) => span.spanContext().spanId);
    const parents = named(spans(), "process orders").map((span) => span.parentSpanContext?.spanId);
    expect(sent).toHaveLength(2);
    expect(parents).toEqual([sent[0], sent[1], sent[1]]);
  });

  it("ends the span with the error of what refused to be sent", () => {
    const { spans } = traced();
    const db = tempDatabase();
    expect(() => db.queue("work").enqueue(1, { headers: "x" as never })).toThrow();
    expect(() => db.queue("work").enqueue(1, { priority: 0.5 })).toThrow();
    expect(named(spans(), "send work").map(({ status }) => status.code)).toEqual([
      SpanStatusCode.ERROR,
      SpanStatusCode.ERROR,
    ]);
  });

  it("asks a lazy thenable once", async () => {
    traced();
    let asked = 0;
    const lazy = {
      // biome-ignore lint/suspicious/noThenProperty: query builders are made like this
      then(resolve: (value: string) => void) {
        asked += 1;
        resolve("rows");
      },
    };
    const db = tempDatabase();
    db.queue("work").enqueue(1);
    const job = db.queue("work").claimOne("w");
    if (job === null) throw new Error("no job");
    expect(await traceMessage(job, () => lazy)).toBe("rows");
    expect(asked).toBe(1);
  });

  it("reports depths, lags and sizes when metrics are collected, and nothing after it stopped", async () => {
    const { collect } = metered();
    const db = tempDatabase();
    const stop = observeDatabase(db, { attributes: { tenant: "acme" } });
    db.queue("work").enqueue(1);
    db.stream("events").publish(1);
    db.stream("events").resetOffset("reader", 0);
    const points = await collect();
    expect(points.get("honker.queue.jobs")).toContainEqual({
      value: 1,
      attributes: { tenant: "acme", queue: "work", state: "ready" },
    });
    expect(points.get("honker.stream.lag")).toEqual([
      { value: 1, attributes: { tenant: "acme", stream: "events", consumer: "reader" } },
    ]);
    expect(points.get("honker.file.wal")?.[0]?.value).toBeGreaterThan(0);
    stop();
    db.queue("work").enqueue(2);
    // the SDK goes on reporting the last value it was given
    expect((await collect()).get("honker.queue.jobs")?.[0]?.value).toBe(1);
    const closed = open(":memory:");
    observeDatabase(closed);
    closed.close();
    await collect();
  });

  it("times jobs, also when the SDK was registered after the first one", async () => {
    const db = tempDatabase();
    const queue = db.queue<boolean>("work", { maxAttempts: 1 });
    const worker = queue.work((job) => {
      if (job.payload) throw new Error("no luck");
    });
    queue.enqueue(false);
    await eventually(
      "the first is done",
      () => queue.stats().pending + queue.stats().running === 0,
    );
    const { collect } = metered();
    queue.enqueueMany([false, false, true]);
    await eventually("the one is dead", () => queue.dead.count() === 1);
    await worker.stop();
    const durations = (await collect()).get("messaging.process.duration");
    expect(
      durations?.map(({ value, attributes }) => [
        (attributes as Record<string, unknown>)["honker.outcome"],
        (value as { count: number }).count,
      ]),
    ).toEqual([
      ["ok", 2],
      ["error", 1],
    ]);
  });
});
