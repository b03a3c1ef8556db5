import { createNoopMeter, type Histogram, type MeterProvider, metrics } from "@opentelemetry/api";

/** Name of this library among tracers and meters. */
export const INSTRUMENTATION = "@alkdev/honker";

/** Where messages go to or come from. */
export interface MessageChannel {
  readonly kind: "queue" | "stream";
  readonly name: string;
}

/** Ends a timing of `messages` jobs or events. */
export type StopTimer = (outcome: "ok" | "error", messages: number) => void;

const NOOP_METER = createNoopMeter();

/** By provider, since an SDK may be registered after the first job; `null` where none is. */
const histograms = new WeakMap<MeterProvider, Histogram | null>();

/** Starts timing the processing of jobs or events; `undefined` without an SDK. */
export function startProcessTimer({ kind, name }: MessageChannel): StopTimer | undefined {
  const histogram = histogramOf(metrics.getMeterProvider());
  if (histogram === null) return undefined;
  const started = performance.now();
  return (outcome, messages) => {
    const seconds = (performance.now() - started) / 1_000;
    const attributes = {
      "messaging.system": "honker",
      "messaging.destination.name": name,
      "honker.channel": kind,
      "honker.outcome": outcome,
    };
    for (let i = 0; i < messages; i++) histogram.record(seconds, attributes);
  };
}

function histogramOf(provider: MeterProvider): Histogram | null {
  let histogram = histograms.get(provider);
  if (histogram === undefined) {
    const meter = provider.getMeter(INSTRUMENTATION);
    // https://opentelemetry.io/docs/specs/semconv/messaging/messaging-metrics/
    histogram =
      meter === NOOP_METER
        ? null
        : meter.createHistogram("messaging.process.duration", {
            description: "Time a job or event took to process",
            unit: "s",
          });
    histograms.set(provider, histogram);
  }
  return histogram;
}
