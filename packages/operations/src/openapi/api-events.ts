import { EventSourceParserStream } from "eventsource-parser/stream";
import { httpEnvelope, type ResponseEnvelope } from "../envelope/response-envelope.ts";
import { metaOf } from "./api-answer.ts";

/**
 * The events of a stream, each an envelope around its data: JSON where it is, else the text.
 *
 * @throws what reading throws; RangeError for an event longer than `maxBytes`
 */
export async function* apiEvents(
  response: Response,
  maxBytes: number,
): AsyncGenerator<ResponseEnvelope, void> {
  if (response.body === null) return;
  const meta = metaOf(response);
  const events = response.body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array<ArrayBuffer>>)
    .pipeThrough(new EventSourceParserStream({ maxBufferSize: maxBytes }));
  for await (const { data } of events) yield httpEnvelope(dataOf(data), meta);
}

function dataOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
