import type {
  CallClaim,
  CallLog,
  CallOutcome,
  LoggedCall,
  MemoryCallLogOptions,
} from "./call-log.ts";
import { requireWhole } from "./require.ts";

/**
 * A call log in memory: it lives as long as the process.
 *
 * @throws OperationsError `INVALID_ARGUMENT`
 */
export function createMemoryCallLog(options: MemoryCallLogOptions = {}): CallLog {
  const { maxRemembered = 10_000, rememberMs = 600_000 } = options;
  requireWhole(maxRemembered, "maxRemembered", 0);
  requireWhole(rememberMs, "rememberMs", 0);
  const running = new Set<string>();
  /** In the order they ended. */
  const ended = new Map<string, { readonly outcome: CallOutcome; readonly until: number }>();

  const forget = (): void => {
    const now = performance.now();
    for (const [key, { until }] of ended) {
      if (until > now && ended.size <= maxRemembered) return;
      ended.delete(key);
    }
  };

  return {
    claim(call): CallClaim {
      const key = keyOf(call);
      if (running.has(key)) return "running";
      const known = ended.get(key);
      if (known !== undefined && known.until > performance.now()) return known.outcome;
      running.add(key);
      return "new";
    },

    finish(call, outcome) {
      const key = keyOf(call);
      running.delete(key);
      ended.delete(key);
      ended.set(key, { outcome, until: performance.now() + rememberMs });
      forget();
    },
  };
}

/** No two calls have the same, whatever characters their ids hold. */
function keyOf({ requestId, operationId, callerId }: LoggedCall): string {
  return JSON.stringify([requestId, operationId, callerId]);
}
