import { HonkerError } from "../errors.ts";

/** A stretch of time with one distance to UTC, or a part of it. Seconds since 1970. */
export interface ZoneSegment {
  readonly start: number;
  /** First second of the next stretch. */
  readonly end: number;
  /** Seconds that local time is ahead of UTC. */
  readonly offset: number;
  /** As `offset`, just before `start`. */
  readonly offsetBefore: number;
}

interface Change {
  readonly at: number;
  readonly before: number;
  readonly after: number;
}

const DAY = 86_400;
/**
 * Offsets are compared every three days. The shortest time a zone ever kept an offset between 2000 and
 * 2040 is over three weeks (Ramadan in Egypt, Morocco and Gaza), so no change falls between.
 */
const PROBE_SECONDS = 3 * DAY;
/** Probes per cached block: 192 days. */
const BLOCK_SECONDS = 64 * PROBE_SECONDS;
/** Blocks looked at before and after the one asked for; a stretch longer than that comes in parts. */
const SEARCHED_BLOCKS = 2;
/** Blocks kept per zone, about a century. */
const MAX_BLOCKS = 200;
/** Beyond this many seconds from 1970, Date ends. */
const MAX_SECONDS = 8_640_000_000_000;

/** Zones in use; a process schedules in a handful of them. */
const zones = new Map<string, TimeZone>();

/**
 * The zone of an IANA name; `"system"` is the zone of this process.
 *
 * @throws `INVALID_ARGUMENT` for a name the runtime does not know
 */
export function timeZone(name: string): TimeZone {
  const id = name === "system" ? systemTimeZone() : name;
  let zone = zones.get(id);
  if (zone === undefined) {
    zone = new TimeZone(id);
    zones.set(id, zone);
  }
  return zone;
}

/** IANA name of the zone of this process; `TZ` sets it. */
export function systemTimeZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Offsets of one zone from the runtime's own zone data, found by bisection and kept by block. */
export class TimeZone {
  readonly name: string;
  /** Whether local time is UTC, always. */
  readonly isUtc: boolean;
  readonly #format: Intl.DateTimeFormat;
  readonly #blocks = new Map<number, readonly Change[]>();

  constructor(name: string) {
    this.name = name;
    try {
      this.#format = new Intl.DateTimeFormat("en-US", {
        timeZone: name,
        timeZoneName: "longOffset",
      });
    } catch (cause) {
      throw new HonkerError("INVALID_ARGUMENT", `unknown time zone "${name}"`, {
        cause,
        hint: 'Use an IANA name such as "Europe/Berlin", "UTC", or "system"',
        details: { timeZone: name },
      });
    }
    const { timeZone } = this.#format.resolvedOptions();
    this.isUtc = timeZone === "UTC" || timeZone === "Etc/UTC" || timeZone === "GMT";
  }

  /** The stretch that contains `second`. */
  segmentAt(second: number): ZoneSegment {
    const block = Math.floor(second / BLOCK_SECONDS);
    const previous = this.#lastChange(block, second);
    const next = this.#nextChange(block, second);
    const offset = previous?.after ?? next?.before ?? this.#offsetAt(second);
    return {
      start: previous?.at ?? (block - SEARCHED_BLOCKS) * BLOCK_SECONDS,
      end: next?.at ?? (block + SEARCHED_BLOCKS + 1) * BLOCK_SECONDS,
      offset,
      offsetBefore: previous?.before ?? offset,
    };
  }

  #lastChange(block: number, second: number): Change | undefined {
    for (let i = block; i >= block - SEARCHED_BLOCKS; i--) {
      const change = this.#changes(i).findLast(({ at }) => at <= second);
      if (change !== undefined) return change;
    }
    return undefined;
  }

  #nextChange(block: number, second: number): Change | undefined {
    for (let i = block; i <= block + SEARCHED_BLOCKS; i++) {
      const change = this.#changes(i).find(({ at }) => at > second);
      if (change !== undefined) return change;
    }
    return undefined;
  }

  #changes(block: number): readonly Change[] {
    const cached = this.#blocks.get(block);
    if (cached !== undefined) return cached;
    const changes: Change[] = [];
    if (!this.isUtc) {
      let from = block * BLOCK_SECONDS;
      let before = this.#offsetAt(from);
      for (let i = 0; i < BLOCK_SECONDS / PROBE_SECONDS; i++) {
        const to = from + PROBE_SECONDS;
        const after = this.#offsetAt(to);
        if (after !== before) changes.push({ at: this.#bisect(from, to), before, after });
        from = to;
        before = after;
      }
    }
    if (this.#blocks.size >= MAX_BLOCKS) this.#blocks.clear();
    this.#blocks.set(block, changes);
    return changes;
  }

  /** First second in (from, to] with another offset than `from`. */
  #bisect(from: number, to: number): number {
    const before = this.#offsetAt(from);
    let low = from;
    let high = to;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.#offsetAt(middle) === before) low = middle;
      else high = middle;
    }
    return high;
  }

  #offsetAt(second: number): number {
    const clamped = Math.max(-MAX_SECONDS, Math.min(MAX_SECONDS, second));
    const match = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(
      this.#format.format(clamped * 1_000),
    );
    const [, sign, hours, minutes, seconds] = match ?? [];
    if (sign === undefined) return 0;
    const size = Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds ?? 0);
    return sign === "-" ? -size : size;
  }
}
