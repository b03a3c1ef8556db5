import { CallError, type ResponseEnvelope } from "@alkdev/operations";
import { durationSeconds } from "../arguments/duration.ts";
import { jsonArgument } from "../arguments/text-argument.ts";
import type { RemoteCall } from "../remote/hub-client.ts";
import { hubClient, type RemoteOptions, withHub } from "../remote/hub-options.ts";
import type { DefineCommand, Run } from "../shell.ts";

interface CallOptions extends RemoteOptions {
  readonly requestId?: string;
  readonly timeout?: number;
}

/** `alkdev call` */
export const defineCall: DefineCommand = (command, shell) => {
  withHub(command)
    .arguments("<operation> [input]")
    .description(
      "call an operation of a hub. The input is JSON, - for stdin, or @file. Prints the data, with --json the envelope around it; of a subscription, a line for each answer.",
    )
    .option("--request-id <id>", "the same id again has the same one effect")
    .option("--timeout <duration>", "how long to wait", durationSeconds)
    .action(shell.remote<CallOptions, [string, string | undefined]>(call));
};

async function call(
  run: Run,
  options: CallOptions,
  ...[operation, argument]: [string, string | undefined]
): Promise<void> {
  const { out, signal } = run;
  const { requestId, timeout } = options;
  const input = await jsonArgument(argument, run.io.stdin);
  const client = await hubClient(options, run);
  const request: RemoteCall = {
    operation,
    input,
    signal,
    ...(requestId === undefined ? {} : { requestId }),
    ...(timeout === undefined ? {} : { timeoutMs: timeout * 1_000 }),
  };
  try {
    out.result(await client.call(request), dataText);
  } catch (error) {
    // only the hub knows what kind of operation it is
    if (!(error instanceof CallError) || error.code !== "WRONG_OPERATION_TYPE") throw error;
    for await (const answer of client.subscribe(request)) {
      out.line(answer, ({ data }) => JSON.stringify(data));
    }
  }
}

/** Data of an answer: text as it is, anything else as JSON. */
function dataText({ data }: ResponseEnvelope): string {
  return typeof data === "string" ? data : JSON.stringify(data, null, 2);
}
