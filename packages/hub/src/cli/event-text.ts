import type { Notification } from "@alkdev/honker";
import type { EventView } from "../operations/stream-schemas.ts";

/** A notification as operations of the hub and `--json` show it. */
export interface NotificationView {
  readonly id: number;
  readonly payload: unknown;
  /** ISO 8601. */
  readonly sentAt: string;
}

/** A notification as `channels.listen` answers it. */
export function notificationOf({ id, payload, createdAt }: Notification): NotificationView {
  return { id, payload, sentAt: new Date(createdAt * 1_000).toISOString() };
}

/** An event of a stream as one line. */
export function eventText({ offset, publishedAt, key, subject, payload }: EventView): string {
  const about = [subject, key].filter((one) => one !== null).map((one) => `${one} `);
  return `${offset} ${publishedAt} ${about.join("")}${JSON.stringify(payload)}`;
}

/** A notification as one line. */
export function notificationText({ id, sentAt, payload }: NotificationView): string {
  return `${id} ${sentAt} ${JSON.stringify(payload)}`;
}
