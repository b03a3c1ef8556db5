import type { IncomingMessage } from "node:http";
import { PubSubError, type RemoteEventTarget, type TypedEventTarget } from "@alkdev/pubsub";
import {
  type BackoffOptions,
  createWebSocketClientEventTarget,
  type DurableClientOptions,
} from "@alkdev/pubsub/websocket-client";
import { WebSocket } from "ws";
import { HubError } from "../errors.ts";
import { ORG_HEADER, SUBPROTOCOL } from "../protocol/connection-names.ts";
import { authorization } from "./authorization.ts";
import { type HubAddress, type HubUrls, hubUrls } from "./hub-address.ts";

/** How one connects to a hub. */
export interface ConnectionOptions extends HubAddress {
  /**
   * What to do when the hub does not know the key, or lets it not in: `stop` gives up for good, `retry` tries
   * again like after a lost connection. Default `stop`: a hub shuts out addresses that fail too often.
   */
  readonly whenRefused?: "stop" | "retry";
  /** Waits between connections that fail. Default 100 ms, doubling up to 5,000 ms, spread by half. */
  readonly reconnect?: BackoffOptions;
  /** Milliseconds between two signs of life asked of the hub, default 15,000. */
  readonly heartbeatMs?: number;
  /** Bytes of the largest frame the hub takes, its `limits.maxBodyBytes`. Default 1,048,576. */
  readonly maxFrameBytes?: number;
  /** Gets lost connections, refusals, and what fails in the background. Default: a process warning. */
  readonly onError?: (error: unknown, context: string) => void;
}

/** What a link tells of itself. */
export interface HubLinkEvents {
  readonly onStateChange: ((state: LinkState) => void) | undefined;
  /** A connection is there, and the hub knows what is listened to. */
  onOpen(): void;
  /** The connection is over; another one comes, unless the link was closed or refused. */
  onLost(): void;
  /** The hub does not let this one in, and it is not tried again. */
  onRefused(error: HubError): void;
  readonly onError: (error: unknown, context: string) => void;
}

/** Where a link stands. */
export type LinkState = "connecting" | "open" | "waiting" | "refused" | "closed";

/** Longest answer to a refused connection that is looked at. */
const MOST_BYTES = 16_384;

/** The connection to a hub, made again and again until it is closed or refused. */
export class HubLink {
  /** Everything that goes over the connection; events wait for one. */
  readonly target: RemoteEventTarget;
  /** For calls: what is sent while there is no connection is dropped, since it means nothing on another. */
  readonly callTarget: TypedEventTarget;
  readonly #options: ConnectionOptions;
  readonly #events: HubLinkEvents;
  readonly #urls: HubUrls;
  #state: LinkState = "connecting";

  /** @throws HubError `INVALID_ARGUMENT` */
  constructor(options: ConnectionOptions, events: HubLinkEvents, durable?: DurableClientOptions) {
    this.#options = options;
    this.#events = events;
    this.#urls = hubUrls(options);
    const { heartbeatMs, maxFrameBytes = 1_048_576, reconnect } = options;
    this.target = createWebSocketClientEventTarget({
      url: this.#urls.socket,
      createSocket: (url) => this.#connect(url),
      reconnect: { maxMs: 5_000, ...reconnect },
      maxFrameBytes,
      onStateChange: (state) => this.#changed(state),
      onError: (error, context) => {
        // a connection that ends after it was refused or closed is no news
        const isLost = error instanceof PubSubError && error.code === "TRANSPORT";
        if (!isLost || !this.#isOver()) events.onError(error, context);
      },
      ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
      ...(durable === undefined ? {} : { durable }),
    });
    this.callTarget = {
      addEventListener: (...listener) => this.target.addEventListener(...listener),
      removeEventListener: (...listener) => this.target.removeEventListener(...listener),
      dispatchEvent: (event) => this.#state !== "open" || this.target.dispatchEvent(event),
    };
  }

  get state(): LinkState {
    return this.#state;
  }

  /** The hub does not let this one in; it is over unless the options say otherwise. */
  refuse(error: HubError): void {
    if (this.#isOver()) return;
    this.#events.onError(error, `hub ${this.#options.hub}`);
    if (this.#options.whenRefused === "retry") return;
    this.#enter("refused");
    this.#events.onRefused(error);
    void this.target.close();
  }

  /** Ends the connection for good; resolves when the hub has what was confirmed. Idempotent. */
  async close(): Promise<void> {
    if (!this.#isOver()) this.#enter("closed");
    await this.target.close();
  }

  #changed(state: "connecting" | "open" | "waiting" | "closed"): void {
    if (this.#isOver() || state === "closed") return;
    if (state !== "open") {
      this.#enter(state);
      return;
    }
    // the target tells the hub first what is listened to, and then goes on with what waits here
    queueMicrotask(() => {
      if (this.#state === "connecting") this.#enter("open");
    });
  }

  #enter(state: LinkState): void {
    const before = this.#state;
    this.#state = state;
    if (before === "open") this.#events.onLost();
    if (before !== state) this.#events.onStateChange?.(state);
    if (state === "open") this.#events.onOpen();
  }

  #isOver(): boolean {
    return this.#state === "refused" || this.#state === "closed";
  }

  async #connect(url: string): Promise<WebSocket> {
    const { org } = this.#options;
    try {
      const headers = {
        authorization: await authorization(this.#options, this.#urls.challenge),
        ...(org === undefined ? {} : { [ORG_HEADER]: org }),
      };
      const socket = new WebSocket(url, [SUBPROTOCOL], { headers });
      socket.once("unexpected-response", (_request, response) => this.#notLetIn(socket, response));
      return socket;
    } catch (error) {
      if (error instanceof HubError && error.code === "REFUSED") this.refuse(error);
      throw error;
    }
  }

  #notLetIn(socket: WebSocket, response: IncomingMessage): void {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const end = (): void => {
      const { statusCode: status = 0 } = response;
      const error = refusal(this.#options, { status, body: Buffer.concat(chunks).toString() });
      if (status === 401 || status === 403) this.refuse(error);
      else this.#events.onError(error, `hub ${this.#options.hub}`);
      socket.terminate();
    };
    response.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MOST_BYTES) chunks.push(chunk);
      else response.destroy();
    });
    response.once("close", end);
  }
}

function refusal(
  { hub, org }: HubAddress,
  { status, body }: { readonly status: number; readonly body: string },
): HubError {
  let said: { readonly code?: unknown; readonly message?: unknown } | undefined;
  try {
    said = (JSON.parse(body) as { readonly error?: typeof said } | null)?.error;
  } catch {
    // no hub wrote it
  }
  const reason = said?.message === undefined ? "" : `: ${String(said.message)}`;
  return new HubError("REFUSED", `${hub} refused the connection with HTTP ${status}${reason}`, {
    details: { status, code: said?.code ?? null, org: org ?? null },
  });
}
