import { positive } from "../arguments/whole.ts";
import { hubClient, type RemoteOptions, withHub } from "../remote/hub-options.ts";
import type { DefineCommand, Run } from "../shell.ts";

interface OperationsOptions extends RemoteOptions {
  readonly search?: string;
  readonly all?: boolean;
  readonly schemas?: boolean;
  readonly limit: number;
}

/** An operation as `hub.operations` lists it. */
interface Listed {
  readonly id: string;
  readonly type: string;
  readonly description: string;
  readonly scopes: readonly string[];
  readonly callable: boolean;
}

/** `alkdev operations` */
export const defineOperations: DefineCommand = (command, shell) => {
  withHub(command)
    .option("--search <text>", "only those with this text in name or description")
    .option("--all", "also those that this key may not call")
    .option("--schemas", "with --json: also the schemas of input and output")
    .option("--limit <count>", "at most so many", positive, 500)
    .action(shell.remote<OperationsOptions>(operations));
};

async function operations(run: Run, options: OperationsOptions): Promise<void> {
  const { out, signal } = run;
  const { search, all, schemas, limit } = options;
  const client = await hubClient(options, run);
  const { data } = await client.call({
    operation: "hub.operations",
    input: {
      limit: Math.min(limit, 500),
      ...(search === undefined ? {} : { search }),
      ...(all === true ? {} : { callable: true }),
      ...(schemas === true ? { schemas } : {}),
    },
    signal,
  });
  const { items, cursor } = data as {
    readonly items: readonly Listed[];
    readonly cursor: string | null;
  };
  out.result({ operations: items, cursor }, () =>
    out.table(
      items,
      [
        { header: "operation", value: ({ id }) => id },
        { header: "type", value: ({ type }) => type },
        { header: "description", value: ({ description }) => description, shrinks: true },
      ],
      "There is nothing that this key may call.",
    ),
  );
  if (cursor !== null) out.note("There are more: narrow them with --search");
}
