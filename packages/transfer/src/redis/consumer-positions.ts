import type { Stream } from "@alkdev/honker";
import type { Redis } from "ioredis";
import { compareEntryIds, entryIdBefore } from "./redis-entry.ts";

/** Header of an event that says which entry it was. */
export const REDIS_ID = "redis-id";

/** A consumer group of the source, as a consumer here. */
export interface ImportedGroup {
  readonly group: string;
  /** Consumer of the stream here. */
  readonly consumer: string;
  /** Offset that was saved: everything up to it is done. */
  readonly offset: number;
  /** Entries after that one that the group had delivered and that nobody acknowledged. */
  readonly pending: number;
  /** False when the consumer was there already, or further. */
  readonly moved: boolean;
}

interface GroupPosition {
  readonly group: string;
  readonly pending: number;
  /** The last entry that is done. */
  readonly done: string;
}

/** The groups of a Redis Stream and how far each is. */
export async function groupPositions(redis: Redis, key: string): Promise<GroupPosition[]> {
  const positions: GroupPosition[] = [];
  for (const flat of (await redis.xinfo("GROUPS", key)) as unknown[][]) {
    const info = new Map<unknown, unknown>();
    for (let i = 0; i + 1 < flat.length; i += 2) info.set(flat[i], flat[i + 1]);
    const [group, delivered] = [String(info.get("name")), String(info.get("last-delivered-id"))];
    const pending = Number(info.get("pending"));
    const [, first] = (await redis.xpending(key, group)) as [number, string | null];
    // what was delivered and not acknowledged comes again, and so does what came after it
    positions.push({
      group,
      pending,
      done: first === null || first === undefined ? delivered : entryIdBefore(first),
    });
  }
  return positions;
}

/** Saves the position of each group as the offset of a consumer. */
export function saveConsumers(
  stream: Stream<unknown>,
  positions: readonly GroupPosition[],
  consumerOf: (group: string) => string,
): ImportedGroup[] {
  return positions.map(({ group, pending, done }) => {
    const consumer = consumerOf(group);
    const offset = offsetOf(stream, done);
    const isKnown = stream.consumers().some((known) => known.consumer === consumer);
    // made known even at 0, so that retention waits for it
    const moved = offset > 0 || !isKnown ? stream.saveOffset(consumer, offset) : false;
    return {
      group,
      consumer,
      offset: Math.max(offset, stream.getOffset(consumer)),
      pending,
      moved,
    };
  });
}

/** Offset of the last imported event whose entry is not after `id`; 0 when there is none. */
function offsetOf(stream: Stream<unknown>, id: string): number {
  const { firstOffset, lastOffset } = stream.info();
  if (firstOffset === null || lastOffset === null) return 0;
  // ids grow with offsets; events of others, without an id, may stand between
  let low = firstOffset - 1;
  let high = lastOffset;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const next = importedAfter(stream, middle, high);
    if (next === null) high = middle;
    else if (compareEntryIds(next.id, id) <= 0) low = next.offset;
    else high = middle;
  }
  return low < firstOffset ? 0 : low;
}

/** The first imported event after an offset and not behind `last`. */
function importedAfter(
  stream: Stream<unknown>,
  offset: number,
  last: number,
): { readonly offset: number; readonly id: string } | null {
  for (let after = offset; ; ) {
    const [event] = stream.readSince(after, 1);
    if (event === undefined || event.offset > last) return null;
    const id = event.headers[REDIS_ID];
    if (id !== undefined) return { offset: event.offset, id };
    after = event.offset;
  }
}
