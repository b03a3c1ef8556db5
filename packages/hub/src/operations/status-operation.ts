import { accounts, organizations } from "@alkdev/storage/sqlite";
import { Type } from "@sinclair/typebox";
import type { HubOperation } from "../core/hub-options.ts";
import { hubVersion } from "../version.ts";
import { query } from "./define-operation.ts";
import type { OperationsHost } from "./operations-host.ts";
import { Count, closed, Moment } from "./schemas.ts";

/** How the hub is, for operators. */
export function statusOperation(core: OperationsHost): HubOperation {
  const startedAt = new Date();
  const started = performance.now();
  const version = hubVersion();
  return query(
    {
      id: "hub.status",
      description:
        "Says how this hub is: its name and version, since when it runs, how many tenants it has open, connections, accounts, organisations, and its memory.",
      input: closed({}),
      output: closed({
        name: Type.String(),
        instanceId: Type.String(),
        version: Type.String(),
        node: Type.String(),
        startedAt: Moment,
        uptimeSeconds: Type.Number(),
        closing: Type.Boolean(),
        tenants: closed({ inUse: Count, openFiles: Count, idleFiles: Count }),
        connections: closed({ system: Count, tenants: Count }),
        accounts: Count,
        organizations: Count,
        memoryBytes: Count,
      }),
      scope: "hub:read",
    },
    () => {
      const { settings, runtimes, tenants, services, system } = core;
      const { open, idle } = tenants.openFiles;
      return {
        name: settings.name,
        instanceId: settings.instanceId,
        version,
        node: process.version,
        startedAt: startedAt.toISOString(),
        uptimeSeconds: Math.round(performance.now() - started) / 1_000,
        closing: core.closing,
        tenants: { inUse: runtimes.size, openFiles: open, idleFiles: idle },
        connections: {
          system: services.sockets.stats().connections,
          tenants: runtimes.connections,
        },
        accounts: system.$count(accounts).sync(),
        organizations: system.$count(organizations).sync(),
        memoryBytes: process.memoryUsage.rss(),
      };
    },
  );
}
