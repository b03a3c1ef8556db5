import { open } from "@alkdev/honker";
import { createPubSub } from "@alkdev/pubsub";
import { createTenantDatabase, type TenantDatabase } from "@alkdev/storage/sqlite";
import { HubError } from "../errors.ts";
import { SPOKE_NAME } from "../protocol/spoke-protocol.ts";
import { type ApplyEvent, consume } from "./consume.ts";
import { warn } from "./error-handler.ts";
import { HubCalls } from "./hub-calls.ts";
import { HubLink } from "./hub-link.ts";
import { Readiness } from "./readiness.ts";
import { Registration } from "./registration.ts";
import type { Spoke, SpokeOptions } from "./spoke.ts";
import { createSpokeEvents } from "./spoke-events.ts";
import { createSpokeService } from "./spoke-service.ts";

/**
 * Opens the file of a spoke and joins it to a hub. It comes back by itself after every lost connection,
 * registers again, and goes on where it was.
 *
 * @throws HubError `INVALID_ARGUMENT`; OperationsError for operations that cannot be served; what opening
 * the file throws
 * @example
 * ```ts
 * await using spoke = openSpoke({
 *   hub: "http://127.0.0.1:4300",
 *   key,
 *   name: "north",
 *   file: "./north.db",
 *   operations: (db) => [{ operation: readTemperature(db) }],
 * });
 * await spoke.ready();
 * ```
 */
export function openSpoke<Events extends object = Record<string, unknown>>(
  options: SpokeOptions,
): Spoke<Events> {
  const { name, file } = options;
  if (typeof name !== "string" || !new RegExp(SPOKE_NAME).test(name)) {
    throw new HubError("INVALID_ARGUMENT", `the spoke's name is ${JSON.stringify(name)}`, {
      hint: "Use up to 63 letters, digits, dots, hyphens and underscores",
    });
  }
  const client = open(file);
  try {
    return join<Events>(createTenantDatabase(client), options);
  } catch (error) {
    client.close();
    throw error;
  }
}

function join<Events extends object>(db: TenantDatabase, options: SpokeOptions): Spoke<Events> {
  const { name, hub, onError = warn, onStateChange } = options;
  const events = createSpokeEvents(db, { ...options.events, name, onError });
  const service = createSpokeService(db, {
    name,
    operations: options.operations?.(db) ?? [],
    rememberSeconds: options.rememberSeconds ?? 86_400,
    maxCalls: options.maxCalls ?? 1_000,
    onError,
  });
  const readiness = new Readiness();
  const link = new HubLink(
    options,
    {
      onStateChange,
      onOpen: () => {
        calls.opened();
        registration.opened();
      },
      onLost: () => {
        readiness.lost();
        registration.lost();
        calls.lost();
      },
      onRefused: (error) => end(error),
      onError,
    },
    events.durable,
  );
  const calls = new HubCalls(link.callTarget, onError);
  const registration = new Registration({
    name,
    specs: service.specs,
    calls,
    onRegistered: () => {
      readiness.reached();
      onStateChange?.("ready");
    },
    onRefused: (error) => link.refuse(error),
    onError,
  });
  service.serve(link.callTarget);
  const pubsub = createPubSub<Events>({ eventTarget: events.targetOver(link.target), onError });
  const end = (error: HubError): void => {
    readiness.end(error);
    calls.end(error);
  };
  const close = async (drainMs: number): Promise<void> => {
    registration.lost();
    await service.close(drainMs);
    end(new HubError("CLOSED", `spoke "${name}" of ${hub} was closed`));
    pubsub.close();
    await link.close();
    events.close();
    db.$client.close();
  };
  let closing: Promise<void> | undefined;
  const closeOnce = ({ drainMs = 10_000 } = {}): Promise<void> => {
    closing ??= close(drainMs);
    return closing;
  };
  return {
    db,
    events: pubsub,
    get state() {
      return readiness.isReady ? "ready" : link.state;
    },
    ready: () => readiness.wait(),
    call: calls.call.bind(calls) as Spoke<Events>["call"],
    subscribe: calls.subscribe.bind(calls) as Spoke<Events>["subscribe"],
    consume: (type, id, apply) =>
      consume({ db, events, hub: link.target }, { type, id, apply: apply as ApplyEvent }),
    close: closeOnce,
    [Symbol.asyncDispose]: () => closeOnce(),
  };
}
