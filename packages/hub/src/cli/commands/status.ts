import { EXIT } from "../exit-codes.ts";
import { hubClient, type RemoteOptions, withHub } from "../remote/hub-options.ts";
import type { AddCommand, Run } from "../shell.ts";

/** `alkdev status` */
export const statusCommand: AddCommand = (program, shell) => {
  withHub(program.command("status"))
    .description("whether a hub takes calls, and how it is")
    .action(shell.action<RemoteOptions>(status));
};

async function status(run: Run, options: RemoteOptions): Promise<void> {
  const { out, signal } = run;
  const client = await hubClient(options);
  const readiness = await client.get("/readyz", signal);
  const { status: state = "unavailable", problem = null } = readiness.body as {
    readonly status?: string;
    readonly problem?: string;
  };
  if (readiness.status !== 200) run.exitWith(EXIT.tryLater);
  const { data } = await client.call({ operation: "hub.status", input: {}, signal });
  out.result({ url: options.hub, state, problem, hub: data as object }, ({ url, hub }) =>
    out.fields({ url, state, ...(problem === null ? {} : { problem }), ...hub }),
  );
}
