import { now } from "./clock.ts";

/** What every job, message and notification carries: about 200 bytes of JSON, stamped when made. */
export interface Payload {
  readonly seq: number;
  /** {@link now} of the sender. */
  readonly sentAt: number;
  readonly to: string;
  readonly subject: string;
  readonly body: string;
}

const BODY =
  "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt.";

export function payload(seq: number): Payload {
  return {
    seq,
    sentAt: now(),
    to: `user${seq}@example.com`,
    subject: `Order ${seq} received`,
    body: BODY,
  };
}

export function payloads(from: number, count: number): Payload[] {
  return Array.from({ length: count }, (_, i) => payload(from + i));
}
