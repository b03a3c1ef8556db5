import { randomUUID } from "node:crypto";
import { type Core, topics } from "../core/core.ts";
import type { SqlValue } from "../sqlite/connection.ts";
import type { ActiveConsumers } from "./active-consumers.ts";
import { addDeadLetter } from "./stream-dead-letters.ts";
import { isInline, payloadOf } from "./stream-event.ts";
import type { CompiledFilter } from "./stream-filter.ts";
import { readBatch, readEvent } from "./stream-reader.ts";

/** What one member got: the event and what identifies this delivery of it. */
export interface Lease {
  /** Columns of the event, its payload included. */
  readonly row: readonly SqlValue[];
  readonly offset: number;
  readonly deliveries: number;
  /** Changes with every delivery, so that a late acknowledgement is told from a valid one. */
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly deadlineMs: number;
}

/** How a group hands out events. */
export interface GroupRules {
  readonly ackDeadlineMs: number;
  readonly maxInFlight: number;
  readonly maxDeliveries: number;
  readonly orderedByKey: boolean;
  readonly filter: CompiledFilter | undefined;
}

const OF_GROUP = "topic = ? AND group_name = ?";
const OF_LEASE = `${OF_GROUP} AND offset = ? AND token = ?`;
// an event given back from the dead letters comes before one of its key that is in work
const KEY_IS_FREE = `(key IS NULL OR NOT EXISTS (SELECT 1 FROM _alk_stream_pending AS other
  WHERE other.topic = p.topic AND other.group_name = p.group_name AND other.key = p.key
    AND (other.offset < p.offset
      OR (other.offset > p.offset AND other.token IS NOT NULL AND other.ready_at_ms > now.ms))))`;

const CREATE = `INSERT INTO _alk_stream_groups (topic, name, offset) VALUES (?, ?, ?)
  ON CONFLICT (topic, name) DO NOTHING`;
const CURSOR = "SELECT offset FROM _alk_stream_groups WHERE topic = ? AND name = ?";
const MOVE_CURSOR = "UPDATE _alk_stream_groups SET offset = ? WHERE topic = ? AND name = ?";
const HAS_NEWS = "SELECT 1 FROM _honker_stream WHERE topic = ? AND offset > ? LIMIT 1";
const HELD = `SELECT count(*) FROM _alk_stream_pending WHERE ${OF_GROUP}`;
const READY = `SELECT offset, deliveries, copy FROM _alk_stream_pending
  WHERE ${OF_GROUP} AND ready_at_ms <= ? ORDER BY offset LIMIT ?`;
const READY_IN_ORDER = `WITH now(ms) AS (VALUES (?))
  SELECT offset, deliveries, copy FROM now CROSS JOIN _alk_stream_pending AS p
  WHERE ${OF_GROUP} AND ready_at_ms <= now.ms AND ${KEY_IS_FREE} ORDER BY offset LIMIT ?`;
// what is ready already and was not taken waits for another event, whose deadline is ahead
const NEXT_READY = `SELECT min(ready_at_ms) FROM _alk_stream_pending
  WHERE ${OF_GROUP} AND ready_at_ms > ?`;
const KEY_IN_WORK = `SELECT 1 FROM _alk_stream_pending WHERE ${OF_GROUP} AND key = ? LIMIT 1`;
const ADD = `INSERT INTO _alk_stream_pending
  (topic, group_name, offset, key, deliveries, ready_at_ms, member, token)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
const TAKE = `UPDATE _alk_stream_pending SET deliveries = deliveries + 1, ready_at_ms = ?,
  member = ?, token = ? WHERE ${OF_GROUP} AND offset = ?`;
const LEASED = `SELECT 1 FROM _alk_stream_pending WHERE ${OF_LEASE}`;
const REMOVE = `DELETE FROM _alk_stream_pending WHERE ${OF_GROUP} AND offset = ?`;
const ACK = `DELETE FROM _alk_stream_pending WHERE ${OF_LEASE}`;
const EXTEND = `UPDATE _alk_stream_pending SET ready_at_ms = ? WHERE ${OF_LEASE}`;
const GIVE_BACK = `UPDATE _alk_stream_pending SET ready_at_ms = ?, member = NULL, token = NULL
  WHERE ${OF_LEASE}`;
const UNDO_TAKE = `UPDATE _alk_stream_pending SET ready_at_ms = ?, member = NULL, token = NULL,
  deliveries = deliveries - 1 WHERE ${OF_LEASE}`;

/** The rows of one group: what it has read, who works on what until when. */
export class GroupStore {
  readonly #core: Core;
  readonly #active: ActiveConsumers;
  readonly #topic: string;
  readonly #name: string;
  readonly #rules: GroupRules;
  #behind = false;

  constructor(
    core: Core,
    active: ActiveConsumers,
    group: { readonly topic: string; readonly name: string; readonly rules: GroupRules },
  ) {
    this.#core = core;
    this.#active = active;
    this.#topic = group.topic;
    this.#name = group.name;
    this.#rules = group.rules;
  }

  /** How far the group has read; `undefined` while it does not exist. */
  cursor(): number | undefined {
    const offset = this.#core.prepare(CURSOR).row([this.#topic, this.#name])?.[0];
    return offset === undefined ? undefined : (offset as number);
  }

  /** Makes the group known, beginning after `offset`; nothing when it already is. */
  create(offset: number): void {
    this.#core.prepare(CREATE).run([this.#topic, this.#name, offset]);
  }

  /** Whether the last {@link take} made progress without finding an event; another may find one. */
  get behind(): boolean {
    return this.#behind;
  }

  /** Events for `member`, at most `limit`, each leased until the deadline. */
  take(member: string, limit: number): Lease[] {
    this.#behind = false;
    // looking takes no write lock, so idle members do not get in each other's way
    if (!this.#hasWork()) return [];
    return this.#core.transaction(() => {
      const leases = this.#takeReady(member, limit);
      return leases.length > 0 ? leases : this.#takeNew(member, limit);
    });
  }

  /** Milliseconds until something becomes ready by itself; `undefined` when nothing will. */
  readyInMs(): number | undefined {
    // a moment for others between two looks, when there is more to look at
    if (this.#behind) return 1;
    const nowMs = this.#core.nowMs();
    const at = this.#core.prepare(NEXT_READY).row([this.#topic, this.#name, nowMs])?.[0];
    return at === null || at === undefined ? undefined : Number(at) - nowMs;
  }

  /** The event is done; false when the lease was lost. */
  ack(lease: Lease): boolean {
    return this.#ended(this.#core.prepare(ACK).run(this.#leaseParams(lease)).changes === 1);
  }

  /** The lease lasts until `ms` from now; false when it was lost. */
  extend(lease: Lease, ms: number): boolean {
    const params = [this.#core.nowMs() + ms, ...this.#leaseParams(lease)];
    return this.#core.prepare(EXTEND).run(params).changes === 1;
  }

  /** The event comes again after `ms`, or dies when it was delivered often enough. */
  nak(lease: Lease, ms: number, reason: string): boolean {
    if (lease.deliveries >= this.#rules.maxDeliveries) return this.kill(lease, reason);
    const params = [this.#core.nowMs() + ms, ...this.#leaseParams(lease)];
    return this.#ended(this.#core.prepare(GIVE_BACK).run(params).changes === 1, true);
  }

  /** As if it had not been delivered at all. */
  undoTake(lease: Lease): void {
    const params = [this.#core.nowMs(), ...this.#leaseParams(lease)];
    this.#ended(this.#core.prepare(UNDO_TAKE).run(params).changes === 1, true);
  }

  /** The event becomes a dead letter; false when the lease was lost. */
  kill(lease: Lease, reason: string): boolean {
    return this.#core.transaction(() => {
      const held = this.#core.prepare(LEASED).row(this.#leaseParams(lease));
      if (held === undefined) return false;
      this.#bury(lease.row, lease.deliveries, reason);
      return this.#ended(true);
    });
  }

  #leaseParams({ offset, token }: Lease): [string, string, number, string] {
    return [this.#topic, this.#name, offset, token];
  }

  #hasWork(): boolean {
    const cursor = this.cursor();
    // deleted: its members get nothing more
    if (cursor === undefined) return false;
    if (this.#ready(this.#core.nowMs(), 1).length > 0) return true;
    if (this.#core.prepare(HAS_NEWS).row([this.#topic, cursor]) === undefined) return false;
    if (this.#room() > 0) return true;
    this.#active.block(this.#topic, this.#name);
    return false;
  }

  #ready(nowMs: number, limit: number): SqlValue[][] {
    return this.#rules.orderedByKey
      ? this.#core.prepare(READY_IN_ORDER).rows([nowMs, this.#topic, this.#name, limit])
      : this.#core.prepare(READY).rows([this.#topic, this.#name, nowMs, limit]);
  }

  #room(): number {
    const held = this.#core.prepare(HELD).row([this.#topic, this.#name])?.[0] as number;
    return this.#rules.maxInFlight - held;
  }

  /** Events that were read before: parked, given back, or past their deadline. */
  #takeReady(member: string, limit: number): Lease[] {
    const nowMs = this.#core.nowMs();
    const token = randomUUID();
    const leases: Lease[] = [];
    for (const [offset, delivered, copy] of this.#ready(nowMs, limit)) {
      const deliveries = (delivered as number) + 1;
      // one at a time, so that an event that kills its member does not take others along
      if (deliveries > 1 && leases.length > 0) break;
      const row = this.#event(offset as number, copy as string | null);
      if (row === undefined) {
        this.#core.prepare(REMOVE).run([this.#topic, this.#name, offset as number]);
        this.#behind = true;
        continue;
      }
      if (deliveries > this.#rules.maxDeliveries) {
        this.#bury(row, deliveries - 1, "not acknowledged before the deadline");
        this.#behind = true;
        continue;
      }
      const deadlineMs = nowMs + this.#rules.ackDeadlineMs;
      this.#core
        .prepare(TAKE)
        .run([deadlineMs, member, token, this.#topic, this.#name, offset as number]);
      leases.push({ row, offset: offset as number, deliveries, token, deadlineMs });
      if (deliveries > 1) break;
    }
    return leases;
  }

  /** Events that the group has not read yet. */
  #takeNew(member: string, limit: number): Lease[] {
    const nowMs = this.#core.nowMs();
    const deadlineMs = nowMs + this.#rules.ackDeadlineMs;
    const token = randomUUID();
    const leases: Lease[] = [];
    const { filter, orderedByKey } = this.#rules;
    const group = [this.#topic, this.#name] as const;
    const room = this.#room();
    const after = this.cursor();
    if (room <= 0 || after === undefined) return leases;
    const size = Math.min(limit, room);
    const batch = readBatch(this.#core, this.#topic, { after, limit: size, filter });
    if (batch.through === after) return leases;
    for (const row of batch.rows) {
      const [offset, key] = row as [number, string | null];
      const parked =
        orderedByKey &&
        key !== null &&
        this.#core.prepare(KEY_IN_WORK).row([...group, key]) !== undefined;
      if (parked) {
        this.#core.prepare(ADD).run([...group, offset, key, 0, nowMs, null, null]);
        continue;
      }
      this.#core.prepare(ADD).run([...group, offset, key, 1, deadlineMs, member, token]);
      leases.push({ row: this.#whole(row), offset, deliveries: 1, token, deadlineMs });
    }
    this.#core.prepare(MOVE_CURSOR).run([batch.through, ...group]);
    this.#behind = leases.length === 0;
    return leases;
  }

  #event(offset: number, copy: string | null): readonly SqlValue[] | undefined {
    if (copy !== null) return JSON.parse(copy) as SqlValue[];
    const row = readEvent(this.#core, offset);
    return row === undefined ? undefined : this.#whole(row);
  }

  /** A large payload is not part of a batch's row. */
  #whole(row: readonly SqlValue[]): readonly SqlValue[] {
    return isInline(row) ? row : row.with(2, payloadOf(this.#core, row) as string);
  }

  #bury(row: readonly SqlValue[], deliveries: number, reason: string): void {
    addDeadLetter(this.#core, this.#topic, { consumer: this.#name, row, deliveries, reason });
    this.#core.prepare(REMOVE).run([this.#topic, this.#name, row[0] as number]);
  }

  /** Wakes members that may go on because of it. */
  #ended(changed: boolean, always = false): boolean {
    const waitedFor = this.#rules.orderedByKey || this.#active.unblock(this.#topic, this.#name);
    if (changed && (always || waitedFor)) this.#core.touch(topics.stream(this.#topic));
    return changed;
  }
}
