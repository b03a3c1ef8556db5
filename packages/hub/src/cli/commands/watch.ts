import type { Command } from "commander";
import { HubError } from "../../errors.ts";
import { type EventView, eventOf } from "../../operations/stream-schemas.ts";
import { streamStart } from "../arguments/stream-start.ts";
import {
  eventText,
  type NotificationView,
  notificationOf,
  notificationText,
} from "../event-text.ts";
import { openPlace, type PlaceOptions, withPlace } from "../places/place.ts";
import { useStream } from "../places/use-stream.ts";
import { whileOpen } from "../places/while-open.ts";
import { hubClient, hubOption, keyOption } from "../remote/hub-options.ts";
import type { DataRun, DefineCommand } from "../shell.ts";

interface WatchOptions extends PlaceOptions {
  readonly hub?: string;
  readonly key?: string;
}

interface WatchStreamOptions extends WatchOptions {
  readonly from: string;
}

/** `alkdev watch` */
export const defineWatch: DefineCommand = (watch, shell) => {
  watch.description("print what comes, until Ctrl-C; with --json a line of JSON each");
  withSource(watch.command("stream <stream>"))
    .description("events of a stream")
    .option("--from <where>", "start, end, an offset (events after it), or a date", "end")
    .action(shell.action<WatchStreamOptions, [string]>(watchStream));
  withSource(watch.command("channel <channel>"))
    .description("notifications of a channel, such as nodes:created")
    .action(shell.action<WatchOptions, [string]>(watchChannel));
};

async function watchStream(
  run: DataRun,
  options: WatchStreamOptions,
  stream: string,
): Promise<void> {
  const { out } = run;
  const from = streamStart(options.from);
  if (options.hub !== undefined) {
    if (from instanceof Date) {
      throw new HubError("INVALID_ARGUMENT", "a hub takes no date as --from", {
        hint: "Give start, end or an offset, or watch the files",
      });
    }
    const input = { stream, from };
    const events = answersOf<EventView>(
      run,
      { ...options, hub: options.hub },
      "streams.tail",
      input,
    );
    for await (const event of events) out.line(event, eventText);
  } else {
    using use = useStream(run.data, options, stream);
    await whileOpen(run, use.place, async (signal) => {
      for await (const event of use.stream.tail({ from, signal })) {
        out.line(eventOf(event), eventText);
      }
    });
  }
}

async function watchChannel(run: DataRun, options: WatchOptions, channel: string): Promise<void> {
  const { out } = run;
  if (options.hub !== undefined) {
    const input = { channel };
    const heard = answersOf<NotificationView>(
      run,
      { ...options, hub: options.hub },
      "channels.listen",
      input,
    );
    for await (const notification of heard) out.line(notification, notificationText);
  } else {
    using place = openPlace(run.data, options);
    await whileOpen(run, place, async (signal) => {
      for await (const notification of place.db.listen(channel, { signal })) {
        out.line(notificationOf(notification), notificationText);
      }
    });
  }
}

async function* answersOf<T>(
  run: DataRun,
  options: WatchOptions & { readonly hub: string },
  ...[operation, input]: [string, unknown]
): AsyncGenerator<T> {
  const client = await hubClient(options, run);
  for await (const { data } of client.subscribe({ operation, input, signal: run.signal }))
    yield data as T;
}

function withSource(command: Command): Command {
  return withPlace(command)
    .addOption(hubOption("through this hub, instead of from the files"))
    .addOption(keyOption());
}
