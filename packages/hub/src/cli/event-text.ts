import type { Notification, StreamEvent } from "@alkdev/honker";

/** An event of a stream as one line. */
export function eventText({ offset, timestamp, key, subject, payload }: StreamEvent): string {
  const at = new Date(timestamp).toISOString();
  const about = [subject, key].filter((one) => one !== null).map((one) => `${one} `);
  return `${offset} ${at} ${about.join("")}${JSON.stringify(payload)}`;
}

/** A notification as one line. */
export function notificationText({ id, createdAt, payload }: Notification): string {
  return `${id} ${new Date(createdAt * 1_000).toISOString()} ${JSON.stringify(payload)}`;
}
