import { readFileSync } from "node:fs";
import { HubError } from "../../errors.ts";
import { type StartHubOptions, startHub } from "../../start-hub.ts";
import { whole } from "../arguments/whole.ts";
import type { DataRun, DefineCommand } from "../shell.ts";
import { untilAborted } from "../until-aborted.ts";

interface HubCommandOptions {
  readonly host?: string;
  readonly port?: number;
  readonly name?: string;
  readonly workers: boolean;
  readonly trustProxy?: boolean;
  readonly mcp?: boolean;
  readonly config?: string;
}

/** What a configuration file can hold: options of `startHub` that are plain data. */
type HubConfig = Omit<StartHubOptions, "dataFolder" | "operations" | "onError">;

const KEYS: readonly (keyof HubConfig)[] = [
  "host",
  "port",
  "name",
  "trustProxy",
  "corsOrigins",
  "metrics",
  "mcp",
  "workers",
  "drainMs",
  "limits",
  "events",
  "membershipScopes",
  "auth",
  "tenants",
  "projection",
];

/** `alkdev hub` */
export const defineHub: DefineCommand = (command, shell) => {
  command
    .description("serve the data folder over HTTP and WebSocket, until Ctrl-C or SIGTERM")
    .option("--host <address>", "address to listen on (default: 127.0.0.1)")
    .option("--port <port>", "port to listen on; 0: any that is free (default: 4300)", whole)
    .option("--name <name>", "name of this hub, the same after a restart (default: main)")
    .option("--no-workers", "leave queues and schedules to alkdev workers")
    .option("--trust-proxy", "believe X-Forwarded-For: only behind a proxy that sets it")
    .option("--mcp", "serve /mcp, which offers operations as tools to MCP clients")
    .option("--config <file>", "JSON with options of startHub; options given here come first")
    .action(shell.action<HubCommandOptions>(hub));
};

async function hub(run: DataRun, options: HubCommandOptions): Promise<void> {
  const { data, out, signal } = run;
  const { config, workers, mcp, ...given } = options;
  // a hub makes a folder that is not there, and then nobody could sign in
  data.require();
  const configured = config === undefined ? {} : configOf(config);
  const { ownTables } = data;
  await using started = await startHub({
    ...configured,
    ...(ownTables === undefined ? {} : { tenants: { ...configured.tenants, ownTables } }),
    ...given,
    ...(workers ? {} : { workers: false }),
    ...(mcp === true ? { mcp: {} } : {}),
    dataFolder: data.path,
    onError: (error, context) => out.warn(error, context),
  });
  const { name } = started.core.settings;
  out.line({ url: started.url, name, data: data.path, pid: process.pid }, ({ url }) =>
    [`Hub ${name} listens on ${url}`, "Stop it with Ctrl-C."].join("\n"),
  );
  await untilAborted(signal);
  out.note("Stopping.");
}

/** @throws HubError `INVALID_CONFIG` */
function configOf(path: string): HubConfig {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new HubError("INVALID_CONFIG", `cannot use "${path}": ${(error as Error).message}`, {
      cause: error,
    });
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new HubError("INVALID_CONFIG", `"${path}" must hold a JSON object`);
  }
  const known: readonly string[] = KEYS;
  const unknown = Object.keys(parsed).filter((key) => !known.includes(key));
  if (unknown.length === 0) return parsed as HubConfig;
  throw new HubError("INVALID_CONFIG", `"${path}" has unknown options: ${unknown.join(", ")}`, {
    hint: `Known are ${known.join(", ")}`,
    details: { path, unknown },
  });
}
