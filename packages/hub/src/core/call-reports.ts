import { type OperationRegistry, type OperationSpec, operationId } from "@alkdev/operations";
import type { RuntimeLease } from "./tenant-runtimes.ts";

/** Where a call goes. */
export interface Aim {
  readonly registry: OperationRegistry;
  /** Null in the system's realm. */
  readonly lease: RuntimeLease | null;
  readonly spec: OperationSpec | null;
}

/** How a call ended, for counters. */
export interface CallReport {
  /**
   * `unknown` where there is no such operation, `spoke` where a spoke serves it: others choose those ids,
   * counters must stay few and are shown to everybody.
   */
  readonly operationId: string;
  readonly type: OperationSpec["type"];
  readonly realm: "tenant" | "system";
  /** `ok`, or the code of a `CallError`. */
  readonly code: string;
  readonly seconds: number;
}

/** Tells how calls end. */
export class CallReports {
  readonly #listeners = new Set<(report: CallReport) => void>();

  /** Calls `listener` when a call has ended. Returns a function that ends it. */
  listen(listener: (report: CallReport) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** A call begins; report its end once. Nobody pays for it while nobody listens. */
  begin({ registry, spec, lease }: Aim): (code: string) => void {
    if (this.#listeners.size === 0) return () => undefined;
    const began = performance.now();
    const about = {
      operationId: nameOf({ registry, spec, lease }),
      type: spec?.type ?? "query",
      realm: lease === null ? "system" : "tenant",
    } as const;
    return (code) => {
      const report = { ...about, code, seconds: (performance.now() - began) / 1_000 };
      for (const listener of this.#listeners) listener(report);
    };
  }
}

function nameOf({ registry, spec, lease }: Aim): string {
  if (spec === null) return "unknown";
  return registry === lease?.runtime.spokes.registry ? "spoke" : operationId(spec);
}
