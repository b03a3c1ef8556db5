import { HubError } from "../../errors.ts";
import type { DataRun } from "../shell.ts";
import type { Place } from "./place.ts";

/**
 * Does work that lasts on an open file, until the program shall stop or the tenant may no longer be used:
 * whoever suspends or archives it would wait for this process otherwise.
 *
 * @throws the reason of the run's signal; HubError `CLOSED`
 */
export async function whileOpen(
  { data, signal }: DataRun,
  { orgId, name }: Place,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  if (orgId === null) {
    await work(signal);
    signal.throwIfAborted();
    return;
  }
  const away = new AbortController();
  const states = data.system.$client.listen("tenant:state_changed", { signal: away.signal });
  const listening = (async () => {
    for await (const { payload } of states) {
      const { orgId: changed, state } = (payload ?? {}) as { orgId?: unknown; state?: unknown };
      if (changed !== orgId || state === "active") continue;
      away.abort(new HubError("CLOSED", `${name} is ${String(state)} now`));
    }
  })();
  const either = AbortSignal.any([signal, away.signal]);
  try {
    await work(either);
    either.throwIfAborted();
  } finally {
    states.close();
    await listening;
  }
}
