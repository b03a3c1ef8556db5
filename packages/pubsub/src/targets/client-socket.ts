import { PubSubError } from "../errors.ts";
import { type BackoffOptions, backoffMs } from "./backoff.ts";
import { encodeControl } from "./frames.ts";

/** What the client needs of a socket: the browser's `WebSocket`, Node's own, or that of `ws`. */
export interface ClientSocket {
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(data: string): void;
  close(code?: number, reason?: string): void;
  /** Ends it without a handshake, where there is such a thing (`ws`). */
  terminate?(): void;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
}

/** Where a client's connection stands. */
export type ConnectionState = "connecting" | "open" | "waiting" | "closed";

/** Options of a {@link ReconnectingSocket}. */
export interface ReconnectingSocketOptions {
  readonly createSocket: () => ClientSocket | Promise<ClientSocket>;
  readonly backoff: BackoffOptions;
  readonly heartbeatMs: number;
  readonly connectTimeoutMs: number;
  /** A new connection is there; send what the other side has to know. */
  readonly onOpen: () => void;
  readonly onText: (text: string) => void;
  readonly onState: (state: ConnectionState) => void;
  /** Gets why a connection could not be made or ended. */
  readonly onError: (error: PubSubError) => void;
}

interface SocketClosed {
  readonly code?: number;
  readonly reason?: string;
}

/** `readyState` of an open socket. */
const OPEN = 1;

/** A socket that comes back: with growing waits after failures, and when the other side falls silent. */
export class ReconnectingSocket {
  readonly #options: ReconnectingSocketOptions;
  #socket: ClientSocket | undefined;
  #failures = 0;
  /** Number of the try; a socket that is made too late belongs to an earlier one. */
  #attempt = 0;
  #heard = true;
  #heartbeat: NodeJS.Timeout | undefined;
  #timer: NodeJS.Timeout | undefined;
  #state: ConnectionState = "connecting";

  constructor(options: ReconnectingSocketOptions) {
    backoffMs(0, options.backoff);
    this.#options = options;
    this.#connect();
  }

  get open(): boolean {
    return this.#state === "open" && this.#socket?.readyState === OPEN;
  }

  get bufferedAmount(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /** Sends if the connection is open; otherwise the text is lost. */
  send(text: string): void {
    if (this.open) this.#socket?.send(text);
  }

  /** Ends the connection for good. */
  close(): void {
    if (this.#state === "closed") return;
    const socket = this.#detach();
    this.#enter("closed");
    socket?.close(1_000, "");
  }

  #connect(): void {
    this.#enter("connecting");
    const attempt = ++this.#attempt;
    this.#timer = setTimeout(() => {
      this.#lost(`no connection within ${this.#options.connectTimeoutMs} ms`);
    }, this.#options.connectTimeoutMs);
    const isOver = (): boolean => attempt !== this.#attempt || this.#state !== "connecting";
    const failed = (error: unknown): void => {
      if (!isOver()) this.#lost(`cannot make a WebSocket: ${reasonOf(error)}`, error);
    };
    try {
      const socket = this.#options.createSocket();
      if (!(socket instanceof Promise)) this.#attach(socket);
      else {
        socket.then((made) => {
          if (isOver()) abandon(made);
          else this.#attach(made);
        }, failed);
      }
    } catch (error) {
      failed(error);
    }
  }

  #attach(socket: ClientSocket): void {
    this.#socket = socket;
    socket.onopen = () => this.#opened();
    socket.onmessage = (event: { readonly data?: unknown }) => this.#received(event.data);
    let failure: unknown;
    socket.onerror = ({ error }: { readonly error?: unknown }) => {
      failure = error; // `onclose` follows
    };
    socket.onclose = ({ code = 1_006, reason = "" }: SocketClosed) => {
      const why = failure === undefined ? reason : reasonOf(failure);
      this.#lost(`the connection ended with code ${code} ${why}`, failure);
    };
  }

  #opened(): void {
    clearTimeout(this.#timer);
    this.#heard = true;
    this.#enter("open");
    const { heartbeatMs, onOpen } = this.#options;
    if (heartbeatMs > 0) {
      this.#heartbeat = setInterval(() => this.#probe(), heartbeatMs);
      (this.#heartbeat as { unref?(): void }).unref?.();
    }
    onOpen();
  }

  #received(data: unknown): void {
    this.#heard = true;
    this.#failures = 0; // not at `onopen`: a server that accepts and then refuses is not there yet
    if (typeof data === "string") this.#options.onText(data);
  }

  #probe(): void {
    if (!this.#heard) {
      this.#lost(`the server was silent for ${this.#options.heartbeatMs} ms`);
      return;
    }
    this.#heard = false;
    this.send(encodeControl("__ping", { nonce: "heartbeat" }));
  }

  #lost(reason: string, cause?: unknown): void {
    if (this.#state === "closed" || this.#state === "waiting") return;
    const socket = this.#detach();
    if (socket !== undefined) abandon(socket);
    const delayMs = backoffMs(this.#failures, this.#options.backoff);
    this.#failures += 1;
    this.#enter("waiting");
    this.#options.onError(
      new PubSubError(
        "TRANSPORT",
        `WebSocket: ${reason.trim()}; next try in ${Math.round(delayMs)} ms`,
        {
          cause,
        },
      ),
    );
    if (this.#isWaiting()) this.#timer = setTimeout(() => this.#connect(), delayMs);
  }

  /** False when the error handler has closed it. */
  #isWaiting(): boolean {
    return this.#state === "waiting";
  }

  #detach(): ClientSocket | undefined {
    clearTimeout(this.#timer);
    clearInterval(this.#heartbeat);
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket !== undefined) {
      socket.onopen = null;
      socket.onmessage = null;
      socket.onclose = null;
      socket.onerror = () => undefined; // ending one that is still connecting is an error for some
    }
    return socket;
  }

  #enter(state: ConnectionState): void {
    this.#state = state;
    this.#options.onState(state);
  }
}

/** Ends a socket that nobody listens to. */
function abandon(socket: ClientSocket): void {
  socket.onerror = () => undefined;
  if (socket.terminate) socket.terminate();
  else socket.close();
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
