import { createPubSub, type PubSub } from "@alkdev/pubsub";
import type { DurableClientOptions } from "@alkdev/pubsub/websocket-client";
import { HubError } from "../errors.ts";
import { warn } from "./error-handler.ts";
import { type HubCaller, HubCalls } from "./hub-calls.ts";
import { type ConnectionOptions, HubLink, type LinkState } from "./hub-link.ts";
import { Readiness } from "./readiness.ts";

/** Options of {@link connectHub}. */
export interface ConnectHubOptions extends ConnectionOptions {
  /** Topics that are resumed without a gap, which the hub must keep. Default: none. */
  readonly durable?: DurableClientOptions;
  /** Gets each change of {@link HubClient.state}. */
  readonly onStateChange?: (state: LinkState) => void;
}

/** A program that calls a hub and hears its events, without a file of its own. */
export interface HubClient<Events extends object> extends HubCaller, AsyncDisposable {
  readonly events: PubSub<Events>;
  /** `refused`: the hub lets it not in; it stays so. */
  readonly state: LinkState;
  /**
   * Resolves when the connection is there.
   *
   * @throws HubError `REFUSED`, `CLOSED`
   */
  ready(): Promise<void>;
  /** Takes open calls back and ends the connection. Idempotent. */
  close(): Promise<void>;
}

/**
 * Connects to a hub, and again whenever the connection is lost.
 *
 * @throws HubError `INVALID_ARGUMENT`
 * @example
 * ```ts
 * await using hub = connectHub({ hub: "http://127.0.0.1:4300", key, org: "acme" });
 * const { data } = await hub.call("graphs.list", {});
 * ```
 */
export function connectHub<Events extends object = Record<string, unknown>>(
  options: ConnectHubOptions,
): HubClient<Events> {
  const { onError = warn, onStateChange, durable } = options;
  const readiness = new Readiness();
  const link = new HubLink(
    options,
    {
      onOpen: () => {
        calls.opened();
        readiness.reached();
      },
      onLost: () => {
        calls.lost();
        readiness.lost();
      },
      onRefused: (error) => end(error),
      onStateChange,
      onError,
    },
    durable,
  );
  const calls = new HubCalls(link.callTarget, onError);
  const events = createPubSub<Events>({ eventTarget: link.target, onError });
  const end = (error: HubError): void => {
    readiness.end(error);
    calls.end(error);
  };
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= (async () => {
      end(new HubError("CLOSED", `the client of ${options.hub} was closed`));
      events.close();
      await link.close();
    })();
    return closing;
  };
  return {
    events,
    get state() {
      return link.state;
    },
    ready: () => readiness.wait(),
    call: calls.call.bind(calls) as HubCaller["call"],
    subscribe: calls.subscribe.bind(calls) as HubCaller["subscribe"],
    close,
    [Symbol.asyncDispose]: close,
  };
}
