import { type Core, topics } from "../core/core.ts";
import type { GroupInfo } from "./group-options.ts";

const OF_GROUP = "topic = ? AND group_name = ?";
const CURSOR = "SELECT offset FROM _alk_stream_groups WHERE topic = ? AND name = ?";
const PENDING = `SELECT min(offset), count(*),
    count(*) FILTER (WHERE token IS NOT NULL AND ready_at_ms > ?)
  FROM _alk_stream_pending WHERE ${OF_GROUP}`;
const LAG = "SELECT count(*) FROM _honker_stream WHERE topic = ? AND offset > ?";
const DEAD = "SELECT count(*) FROM _alk_stream_dead WHERE topic = ? AND consumer = ?";
const NAMES = "SELECT name FROM _alk_stream_groups WHERE topic = ? ORDER BY name";
const DELETE_PENDING = `DELETE FROM _alk_stream_pending WHERE ${OF_GROUP}`;
const DELETE_DEAD = "DELETE FROM _alk_stream_dead WHERE topic = ? AND consumer = ?";
const DELETE_GROUP = "DELETE FROM _alk_stream_groups WHERE topic = ? AND name = ?";
// what was given back from the dead letters carries its event with it
const SLOWEST = `SELECT min(coalesce((SELECT min(p.offset) - 1 FROM _alk_stream_pending AS p
    WHERE p.topic = g.topic AND p.group_name = g.name AND p.copy IS NULL), g.offset))
  FROM _alk_stream_groups AS g WHERE topic = ?`;

/** State of one group; zeros when nobody has joined it yet. */
export function groupInfo(core: Core, topic: string, name: string): GroupInfo {
  const offset = Number(core.prepare(CURSOR).row([topic, name])?.[0] ?? 0);
  const [first, pending, inFlight] = core.prepare(PENDING).row([core.nowMs(), topic, name]) ?? [];
  return {
    name,
    floor: first === null ? offset : Number(first) - 1,
    offset,
    inFlight: Number(inFlight),
    waiting: Number(pending) - Number(inFlight),
    lag: Number(core.prepare(LAG).row([topic, offset])?.[0]),
    dead: Number(core.prepare(DEAD).row([topic, name])?.[0]),
  };
}

/** State of all groups of a stream. */
export function groupInfos(core: Core, topic: string): GroupInfo[] {
  return core
    .prepare(NAMES)
    .rows([topic])
    .map(([name]) => groupInfo(core, topic, name as string));
}

/** Deletes a group with all that belongs to it; false when it was not known. */
export function removeGroup(core: Core, topic: string, name: string): boolean {
  return core.transaction(() => {
    for (const sql of [DELETE_PENDING, DELETE_DEAD]) core.prepare(sql).run([topic, name]);
    core.touch(topics.stream(topic));
    return core.prepare(DELETE_GROUP).run([topic, name]).changes === 1;
  });
}

/** What no group needs any more: everything up to this offset; `undefined` without groups. */
export function slowestGroup(core: Core, topic: string): number | undefined {
  const offset = core.prepare(SLOWEST).row([topic])?.[0];
  return offset === null || offset === undefined ? undefined : Number(offset);
}
