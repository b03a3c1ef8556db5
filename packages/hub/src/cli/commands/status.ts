import { CallError } from "@alkdev/operations";
import { EXIT } from "../exit-codes.ts";
import type { HubClient } from "../remote/hub-client.ts";
import { hubClient, type RemoteOptions, withHub } from "../remote/hub-options.ts";
import type { DefineCommand, Run } from "../shell.ts";

/** `alkdev status` */
export const defineStatus: DefineCommand = (command, shell) => {
  withHub(command).action(shell.remote<RemoteOptions>(status));
};

async function status(run: Run, options: RemoteOptions): Promise<void> {
  const { out, signal } = run;
  const client = await hubClient(options, run);
  const readiness = await client.get("/readyz", signal);
  const { status: state = "unavailable", problem = null } = readiness.body as {
    readonly status?: string;
    readonly problem?: string;
  };
  if (readiness.status !== 200) run.exitWith(EXIT.tryLater);
  const hub = await detailsOf(client, signal);
  out.result({ url: options.hub, state, problem, hub }, ({ url }) =>
    out.fields({ url, state, ...(problem === null ? {} : { problem }), ...hub }),
  );
}

/** How the hub is, for those who may know; null for others. */
async function detailsOf(client: HubClient, signal: AbortSignal): Promise<object | null> {
  try {
    const { data } = await client.call({ operation: "hub.status", input: {}, signal });
    return data as object;
  } catch (error) {
    if (error instanceof CallError && error.code === "ACCESS_DENIED") return null;
    throw error;
  }
}
