import { stat } from "node:fs/promises";
import type { Core } from "../core/core.ts";
import { requireNumber } from "../core/names.ts";
import { checkIntegrity, type IntegrityReport } from "./integrity.ts";
import { offload } from "./offload.ts";

/** Options of {@link Database.integrityCheck}. */
export interface IntegrityOptions {
  /** Problems of each kind reported at most, default 100. */
  readonly limit?: number;
  /** Ends the check. */
  readonly signal?: AbortSignal;
}

/** Checks the file of an open database through another connection, or a database in memory through its own. */
export async function integrityCheck(
  core: Core,
  options: IntegrityOptions & { readonly signal: AbortSignal },
): Promise<IntegrityReport> {
  const { limit = 100, signal } = options;
  requireNumber(limit, "limit", { min: 1, max: 1_000_000, integer: true });
  signal.throwIfAborted();
  if (core.path === ":memory:") return checkIntegrity(core.connection, limit);
  const { size } = await stat(core.path);
  return offload({ kind: "check", path: core.path, limit }, { bytes: size, signal });
}
