import type { Peer } from "./peer.ts";

/** Both fields of a {@link Peer} that say what a commit survives. */
export type DurabilityOf = Pick<Peer, "durability" | "durabilityNote">;

export const REDIS_MEMORY: DurabilityOf = {
  durability: "memory",
  durabilityNote: "Redis without AOF: a killed server loses everything",
};
export const REDIS_EVERYSEC: DurabilityOf = {
  durability: "system",
  durabilityNote: "Redis appendfsync everysec: a power cut loses up to about a second",
};
export const REDIS_ALWAYS: DurabilityOf = {
  durability: "disk",
  durabilityNote: "Redis appendfsync always: flushed before the reply",
};
export const POSTGRES_ASYNC: DurabilityOf = {
  durability: "system",
  durabilityNote:
    "PostgreSQL synchronous_commit=off: a killed server or a power cut loses the last moments",
};
export const POSTGRES_SYNC: DurabilityOf = {
  durability: "disk",
  durabilityNote: "PostgreSQL synchronous_commit=on, fsync=on: flushed before the reply",
};
export const SQLITE_NORMAL: DurabilityOf = {
  durability: "system",
  durabilityNote:
    "SQLite WAL, synchronous NORMAL: a killed process loses nothing, a power cut the last commits",
};
export const SQLITE_FULL: DurabilityOf = {
  durability: "disk",
  durabilityNote: "SQLite WAL, synchronous FULL: flushed before the call returns",
};
export const NATS_DEFAULT: DurabilityOf = {
  durability: "system",
  durabilityNote:
    "JetStream file storage, default sync_interval: a killed server loses nothing, a power cut up to minutes",
};
export const NATS_ALWAYS: DurabilityOf = {
  durability: "disk",
  durabilityNote: "JetStream file storage, sync_interval always: flushed before the ack",
};
export const NOT_KEPT: DurabilityOf = {
  durability: "memory",
  durabilityNote: "messages are not kept: who does not listen at the moment misses them",
};
