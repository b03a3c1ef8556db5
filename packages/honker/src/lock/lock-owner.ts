import { randomUUID } from "node:crypto";
import { hostname } from "node:os";

/** An owner of its own for each call, that still says where it runs: host, process id, random part. */
export function defaultOwner(): string {
  return `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`;
}
