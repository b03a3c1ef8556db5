import type { Database } from "@alkdev/honker";
import {
  createCompositeEventTarget,
  createHonkerEventTarget,
  type HonkerEventTarget,
} from "@alkdev/storage/sqlite";

/** The ways calls can take through a file. */
export type TargetKind =
  | "ephemeral"
  | "ephemeral with a prefix"
  | "durable"
  | "composite"
  | "durable composite";

/** A target for both ends of a call. */
export function callTarget(
  db: Database,
  kind: TargetKind,
  consumerName: string,
): HonkerEventTarget {
  const create = kind.includes("composite") ? createCompositeEventTarget : createHonkerEventTarget;
  if (kind.startsWith("durable")) {
    return create({ db, mode: "durable", streamName: "call-protocol", consumerName });
  }
  const prefix = kind === "ephemeral with a prefix" ? { prefix: "call." } : {};
  return create({ db, mode: "ephemeral", ...prefix });
}
