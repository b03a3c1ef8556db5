import { textOfBytes } from "./redis-source.ts";

/** An entry of a Redis Stream. */
export interface RedisEntry {
  /** `milliseconds-sequence`. */
  readonly id: string;
  /** Fields and values in their order, a field that comes twice included. */
  readonly fields: readonly (readonly [field: string, value: string])[];
}

/** What an entry becomes. */
export interface EntryEvent {
  readonly payload: unknown;
  /** Default none. */
  readonly key?: string | null;
  /** Dotted subject, for filters. Default none. */
  readonly subject?: string;
}

/** An entry as the client gives it. */
export function redisEntry([id, flat]: readonly [Buffer, readonly Buffer[]]): {
  readonly entry: RedisEntry;
  readonly encoded: boolean;
} {
  const fields: [string, string][] = [];
  let anyEncoded = false;
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const [field, value] = [textOfBytes(flat[i] as Buffer), textOfBytes(flat[i + 1] as Buffer)];
    anyEncoded ||= field.encoded || value.encoded;
    fields.push([field.text, value.text]);
  }
  return { entry: { id: id.toString("latin1"), fields }, encoded: anyEncoded };
}

/**
 * What an entry becomes unless told otherwise: an object of its fields; a field that comes twice has an
 * array of its values.
 */
export function fieldsEvent({ fields }: RedisEntry): EntryEvent {
  const payload = new Map<string, string | string[]>();
  for (const [field, value] of fields) {
    const before = payload.get(field);
    payload.set(field, before === undefined ? value : [before, value].flat());
  }
  return { payload: Object.fromEntries(payload) };
}

/** Compares ids of entries by what they count: negative when `a` comes first. */
export function compareEntryIds(a: string, b: string): number {
  const [aMs = 0n, aSequence = 0n] = a.split("-").map(BigInt);
  const [bMs = 0n, bSequence = 0n] = b.split("-").map(BigInt);
  if (aMs !== bMs) return aMs < bMs ? -1 : 1;
  if (aSequence === bSequence) return 0;
  return aSequence < bSequence ? -1 : 1;
}

/** The id right before `id`. */
export function entryIdBefore(id: string): string {
  const [ms = 0n, sequence = 0n] = id.split("-").map(BigInt);
  if (sequence > 0n) return `${ms}-${sequence - 1n}`;
  return ms > 0n ? `${ms - 1n}-18446744073709551615` : "0-0";
}
