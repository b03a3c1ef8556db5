import { InvalidArgumentError } from "commander";
import { HubError } from "../../errors.ts";
import { isoDate } from "./duration.ts";
import { whole } from "./whole.ts";

/** A place in a stream: `start`, `end`, an offset, or an ISO date. @throws HubError `INVALID_ARGUMENT` */
export function streamStart(text: string): "start" | "end" | number | Date {
  if (text === "start" || text === "end") return text;
  const date = isoDate(text);
  if (date !== null) return date;
  try {
    return whole(text);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new HubError("INVALID_ARGUMENT", `"${text}" is no place in a stream`, {
      hint: "Give start, end, an offset, or a date such as 2030-01-31T12:00:00Z",
    });
  }
}
