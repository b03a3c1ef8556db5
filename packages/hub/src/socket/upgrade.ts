import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { CallError } from "@alkdev/operations";
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import type { HubCore } from "../core/hub-core.ts";
import type { Session } from "../core/session.ts";
import { callErrorOf, errorAnswer } from "../http/error-response.ts";
import { httpStatusOf } from "../http/http-status.ts";
import { requestCredential } from "../http/request-credential.ts";
import { lastForwarded } from "../http/source-address.ts";
import { ORG_HEADER, SOCKET_PATH, SUBPROTOCOL } from "../protocol/connection-names.ts";
import type { CutOff } from "./connection-context.ts";
import { openSocketSession } from "./socket-session.ts";

/** Milliseconds that a client may take to agree to the end of its connection: a hub that stops waits for it. */
const CLOSE_MS = 2_000;

/** Options of {@link createUpgrade}. */
export interface UpgradeOptions {
  readonly core: HubCore;
  readonly trustProxy: boolean;
  readonly isReady: () => boolean;
  /** Told of what is not let in, by code. */
  readonly onRefused: (code: string) => void;
  /** Told of connections that are ended for a fault of their client. */
  readonly onCutOff: (reason: CutOff) => void;
}

/** Turns requests into WebSocket sessions. */
export interface Upgrade {
  readonly handle: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  readonly close: () => void;
}

/**
 * `GET /ws`, with the credential in `Authorization` or in the subprotocol `bearer.<key>`, and the
 * organisation in the header `Alkdev-Org` or the query `org`. What is refused is refused by an HTTP answer.
 */
export function createUpgrade(options: UpgradeOptions): Upgrade {
  const { core, onRefused, onCutOff } = options;
  const { maxBodyBytes, maxSocketsPerAccount } = core.settings.limits;
  const perAccount = new Map<string, number>();
  const settings: ServerOptions & { readonly closeTimeout: number } = {
    noServer: true,
    maxPayload: maxBodyBytes,
    closeTimeout: CLOSE_MS,
    // a key that is shown as a subprotocol must not be echoed
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  };
  const server = new WebSocketServer(settings);
  const count = ({ accountId }: Session, by: 1 | -1): void => {
    const sockets = (perAccount.get(accountId) ?? 0) + by;
    if (sockets > 0) perAccount.set(accountId, sockets);
    else perAccount.delete(accountId);
  };
  const handle = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on("error", () => socket.destroy()); // until ws takes it over
    let session: Session;
    try {
      session = admit(request, options);
      if ((perAccount.get(session.accountId) ?? 0) >= maxSocketsPerAccount) {
        throw new CallError(
          "OVERLOADED",
          `an account may have ${maxSocketsPerAccount} connections`,
        );
      }
      core.requireAvailable(session);
    } catch (error) {
      onRefused(callErrorOf(error).code);
      refuse(socket, error);
      return;
    }
    server.handleUpgrade(request, socket, head, (opened: WebSocket) => {
      count(session, 1);
      opened.once("close", () => count(session, -1));
      try {
        openSocketSession(core, opened, { session, onCutOff });
      } catch (error) {
        if (!(error instanceof CallError)) core.settings.onError(error, "opening a WebSocket");
        onRefused(callErrorOf(error).code);
        opened.close(1_013, callErrorOf(error).message.slice(0, 120));
      }
    });
  };
  return { handle, close: () => server.close() };
}

function admit(request: IncomingMessage, { core, trustProxy, isReady }: UpgradeOptions): Session {
  const url = URL.parse(request.url ?? "/", "ws://hub");
  if (url?.pathname !== SOCKET_PATH) {
    throw new CallError("OPERATION_NOT_FOUND", "there is no WebSocket at this path");
  }
  if (!isReady()) throw new CallError("UNAVAILABLE", "the hub is closing");
  const { authorization = null } = request.headers;
  const offered = request.headers["sec-websocket-protocol"]?.split(",").map((one) => one.trim());
  const header = request.headers[ORG_HEADER];
  const org = typeof header === "string" ? header : (url.searchParams.get("org") ?? undefined);
  const forwarded = request.headers["x-forwarded-for"];
  const source = trustProxy && typeof forwarded === "string" ? lastForwarded(forwarded) : null;
  return core.signIn(requestCredential({ authorization, subprotocols: offered ?? [] }), {
    source: source ?? request.socket.remoteAddress ?? "unknown",
    ...(org === undefined ? {} : { org }),
  });
}

function refuse(socket: Duplex, thrown: unknown): void {
  const error = callErrorOf(thrown);
  const status = httpStatusOf(error, null);
  const { headers, body } = errorAnswer(error, { status });
  const lines = Object.entries({
    ...headers,
    connection: "close",
    "content-length": Buffer.byteLength(body),
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  // one that does not hang up itself must not keep a descriptor
  socket.once("finish", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${body}`);
}
