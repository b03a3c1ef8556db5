import type { Stream } from "@alkdev/honker";
import { HubError } from "../../errors.ts";
import { eventOf } from "../../operations/stream-schemas.ts";
import { streamStart } from "../arguments/stream-start.ts";
import { positive } from "../arguments/whole.ts";
import { eventText } from "../event-text.ts";
import { openPlace, type PlaceOptions, withPlace } from "../places/place.ts";
import { useStream } from "../places/use-stream.ts";
import type { DataRun, DefineCommand } from "../shell.ts";

interface ReadOptions extends PlaceOptions {
  readonly from: string;
  readonly limit: number;
}

/** `alkdev stream` */
export const defineStream: DefineCommand = (stream, shell) => {
  withPlace(stream.command("list"))
    .description("list streams that have events or consumers")
    .action(shell.action<PlaceOptions>(list));
  withPlace(stream.command("consumers <stream>"))
    .description("how far each consumer and group is")
    .action(shell.action<PlaceOptions, [string]>(consumers));
  withPlace(stream.command("read <stream>"))
    .description("print events that are there; alkdev watch prints those that come")
    .option("--from <where>", "start, an offset (events after it), or a date", "start")
    .option("--limit <count>", "at most so many", positive, 100)
    .action(shell.action<ReadOptions, [string]>(read));
  withPlace(stream.command("reset-consumer <stream> <consumer> <where>"))
    .description("move a stopped consumer to start, end, an offset, or a date")
    .action(shell.action<PlaceOptions, [string, string, string]>(resetConsumer));
  withPlace(stream.command("delete-consumer <stream> <consumer>"))
    .description("forget a consumer: retention no longer waits for it")
    .action(shell.action<PlaceOptions, [string, string]>(deleteConsumer));
};

function list({ data, out }: DataRun, options: PlaceOptions): void {
  using place = openPlace(data, options);
  const { streams } = place.db.stats();
  const lag = (lags: readonly { readonly lag: number }[]): number =>
    Math.max(0, ...lags.map((one) => one.lag));
  out.result({ streams }, () =>
    out.table(
      streams,
      [
        { header: "stream", value: ({ stream }) => stream, shrinks: true },
        { header: "events", value: ({ events }) => events, align: "right" },
        { header: "newest", value: ({ newestOffset }) => newestOffset, align: "right" },
        { header: "consumers", value: (one) => one.consumers.length, align: "right" },
        { header: "groups", value: (one) => one.groups.length, align: "right" },
        {
          header: "longest lag",
          value: (one) => lag([...one.consumers, ...one.groups]),
          align: "right",
        },
        { header: "dead", value: ({ dead }) => dead, align: "right" },
      ],
      `No stream of ${place.name} has events.`,
    ),
  );
}

function consumers({ data, out }: DataRun, options: PlaceOptions, name: string): void {
  using use = useStream(data, options, name);
  const rows = use.stream.consumers();
  const groups = use.stream.groups();
  const shown = [
    ...rows.map((one) => ({ ...one, kind: "consumer", inFlight: null })),
    ...groups.map((one) => ({ ...one, kind: "group", consumer: one.name })),
  ];
  out.result({ stream: name, consumers: rows, groups }, () =>
    out.table(
      shown,
      [
        { header: "name", value: ({ consumer }) => consumer, shrinks: true },
        { header: "kind", value: ({ kind }) => kind },
        { header: "offset", value: ({ offset }) => offset, align: "right" },
        { header: "lag", value: ({ lag }) => lag, align: "right" },
        { header: "in flight", value: ({ inFlight }) => inFlight, align: "right" },
      ],
      `Nobody reads stream ${name}.`,
    ),
  );
}

function read({ data, out, signal }: DataRun, options: ReadOptions, name: string): void {
  const from = streamStart(options.from);
  if (from === "end") return;
  using use = useStream(data, options, name);
  let left = options.limit;
  let last = 0;
  for (const event of use.stream.replay({ from })) {
    if (left === 0) {
      out.note(`More with --from ${last}`);
      return;
    }
    signal.throwIfAborted();
    out.line(eventOf(event), eventText);
    left -= 1;
    last = event.offset;
  }
}

function resetConsumer(
  { data, out }: DataRun,
  options: PlaceOptions,
  ...[name, consumer, where]: [string, string, string]
): void {
  const from = streamStart(where);
  using use = useStream(data, options, name);
  const { stream } = use;
  requireConsumer(stream.consumers(), name, consumer);
  const offset = offsetOf(stream, from);
  const before = stream.getOffset(consumer);
  stream.resetOffset(consumer, offset);
  out.result(
    { stream: name, consumer, before, offset },
    () =>
      `${consumer} goes on after ${offset}; it was at ${before}. A process that reads as it now would move it on: restart it.`,
  );
}

function offsetOf(stream: Stream, from: ReturnType<typeof streamStart>): number {
  if (from === "start") return 0;
  if (from === "end") return stream.info().lastOffset ?? 0;
  return from instanceof Date ? stream.offsetAt(from) : from;
}

async function deleteConsumer(
  run: DataRun,
  options: PlaceOptions,
  ...[name, consumer]: [string, string]
): Promise<void> {
  using use = useStream(run.data, options, name);
  requireConsumer(use.stream.consumers(), name, consumer);
  await run.confirm({ what: `${consumer} loses its place in stream ${name}`, word: consumer });
  const deleted = use.stream.deleteConsumer(consumer);
  run.out.result({ stream: name, consumer, deleted }, () => `${consumer} is forgotten.`);
}

function requireConsumer(
  consumers: readonly { readonly consumer: string }[],
  stream: string,
  consumer: string,
): void {
  if (consumers.some((one) => one.consumer === consumer)) return;
  throw new HubError("NOT_FOUND", `stream "${stream}" has no consumer "${consumer}"`, {
    hint: `alkdev stream consumers ${stream} lists them`,
    details: { stream, consumer },
  });
}
