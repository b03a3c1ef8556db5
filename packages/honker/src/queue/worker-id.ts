import { randomBytes } from "node:crypto";
import { hostname } from "node:os";

/** A name for a worker that gave none: unique, and telling where it runs. */
export function defaultWorkerId(): string {
  return `${hostname()}:${process.pid}:${randomBytes(4).toString("hex")}`;
}
