import { join } from "node:path";
import { defineOperation, type OperationContext } from "@alkdev/operations";
import { eventually, tempFolder } from "@alkdev/testkit";
import { Type } from "@sinclair/typebox";
import { onTestFinished } from "vitest";
import type { Hub } from "../src/index.ts";
import {
  type ConnectHubOptions,
  connectHub,
  type HubClient,
  type HubOperation,
  openSpoke,
  type Spoke,
  type SpokeOptions,
} from "../src/spoke/index.ts";

/** Any event: tests choose the names. */
export type AnyEvents = Record<string, unknown>;

/** A spoke that reconnects quickly; closed with the test. */
export function testSpoke(
  { url }: Pick<Hub, "url">,
  options: Partial<SpokeOptions> & Pick<SpokeOptions, "key" | "ssh">,
): { readonly spoke: Spoke<AnyEvents>; readonly errors: unknown[]; readonly states: string[] } {
  const errors: unknown[] = [];
  const states: string[] = [];
  const spoke = openSpoke<AnyEvents>({
    hub: url,
    org: "acme",
    name: "north",
    file: join(tempFolder(), "spoke.db"),
    reconnect: { baseMs: 5, maxMs: 50 },
    onError: (error) => errors.push(error),
    onStateChange: (state) => states.push(state),
    ...options,
  });
  onTestFinished(() => spoke.close({ drainMs: 1_000 }));
  return { spoke, errors, states };
}

/** A client that reconnects quickly; closed with the test. */
export function testClient(
  { url }: Pick<Hub, "url">,
  options: Partial<ConnectHubOptions>,
): { readonly client: HubClient<AnyEvents>; readonly errors: unknown[] } {
  const errors: unknown[] = [];
  const client = connectHub<AnyEvents>({
    hub: url,
    org: "acme",
    reconnect: { baseMs: 5, maxMs: 50 },
    onError: (error) => errors.push(error),
    ...options,
  });
  onTestFinished(() => client.close());
  return { client, errors };
}

/** An operation of the namespace `demo` whose input and output are anything. */
export function demo(
  name: string,
  handler: (input: unknown, context: OperationContext) => unknown,
  options: Partial<Omit<HubOperation, "operation">> & { readonly type?: "query" | "mutation" } = {},
): HubOperation {
  const { type = "mutation", ...rest } = options;
  const operation = defineOperation({
    namespace: "demo",
    name,
    version: "1.0.0",
    type,
    description: "For tests.",
    inputSchema: Type.Unknown(),
    outputSchema: Type.Unknown(),
    accessControl: { requiredScopes: ["graphs:read"] },
    errorSchemas: [{ code: "NO_LUCK", description: "As asked for." }],
    handler: handler as never,
  });
  return { operation, ...rest };
}

/** Ends every connection of a hub without a handshake, as a network does. */
export function cutConnections({ core }: Hub): number {
  let cut = 0;
  for (const runtime of core.runtimes) {
    for (const { socket } of runtime.services.sockets.connections) {
      socket.terminate();
      cut += 1;
    }
  }
  return cut;
}

/** Waits until a hub knows that a spoke is connected. */
export async function connected({ core }: Hub, name: string): Promise<void> {
  await eventually(`spoke ${name} is connected`, () =>
    [...core.runtimes].some(({ spokes }) =>
      spokes.list().some((spoke) => spoke.name === name && spoke.connected),
    ),
  );
}
