import type { NatsConnection } from "@nats-io/transport-node";
import { PubSubError } from "../errors.ts";

/** Room left for subject and headers below the server's limit, in bytes. */
const OVERHEAD = 1_024;

/**
 * The subject of a topic: one token behind the prefix. Characters that mean something in subjects
 * (`.`, `*`, `>`, blanks) and everything beyond ASCII are written as `%` and the hexadecimal bytes of
 * their UTF-8, as in URLs; different topics give different subjects.
 */
export function subjectOf(prefix: string, topic: string): string {
  return `${prefix}.${encodeToken(topic)}`;
}

/** Writes a text so that it can be a token of a subject, or the name of a consumer. */
export function encodeToken(text: string): string {
  return encodeURIComponent(text)
    .replaceAll("%3A", ":")
    .replace(/[.*!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The text behind {@link encodeToken}. */
export function decodeToken(token: string): string {
  return decodeURIComponent(token);
}

/** @throws {@link PubSubError} `INVALID_ARGUMENT` for a prefix that is no subject */
export function requirePrefix(prefix: string): void {
  if (/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(prefix)) return;
  throw new PubSubError(
    "INVALID_ARGUMENT",
    `prefix "${prefix}" must be letters, digits, "_" and "-", in parts separated by "."`,
  );
}

/** @throws {@link PubSubError} `PAYLOAD_TOO_LARGE` for what the server would refuse */
export function requireFits(connection: NatsConnection, topic: string, json: string): void {
  const limit = connection.info?.max_payload;
  if (limit === undefined || json.length * 3 + OVERHEAD < limit) return;
  const bytes = Buffer.byteLength(json);
  if (bytes + OVERHEAD <= limit) return;
  throw new PubSubError(
    "PAYLOAD_TOO_LARGE",
    `an event on "${topic}" has ${bytes} bytes; the NATS server takes ${limit}`,
    {
      hint: "Send a reference to it, or raise max_payload of the server",
      details: { topic, bytes },
    },
  );
}
