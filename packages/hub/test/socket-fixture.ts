import type { IncomingMessage } from "node:http";
import { eventually } from "@alkdev/testkit";
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";
import type { Hub } from "../src/index.ts";

/** A frame as the hub sends it. */
export interface ReceivedFrame {
  readonly type: string;
  readonly id: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  readonly payload: any;
}

/** How somebody connects without a client library. */
export interface RawOptions {
  readonly key?: string;
  readonly org?: string;
  readonly path?: string;
  readonly protocols?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** A WebSocket that sends whatever a test wants. */
export class RawSocket {
  readonly socket: WebSocket;
  readonly frames: ReceivedFrame[] = [];
  /** Code and reason with which it ended. */
  readonly closed: Promise<readonly [code: number, reason: string]>;
  #pings = 0;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("error", () => undefined);
    socket.on("message", (data) => this.frames.push(JSON.parse(String(data))));
    this.closed = new Promise((resolve) => {
      socket.once("close", (code, reason) => resolve([code, String(reason)]));
    });
    onTestFinished(() => socket.terminate());
  }

  send(type: string, id: string, payload: unknown): void {
    this.socket.send(JSON.stringify({ type, id, payload }));
  }

  listen(...topics: string[]): void {
    for (const topic of topics) this.send("__subscribe", "", { topic });
  }

  /** Waits for a frame, or the first that comes after those seen. */
  async frame(what: string, fits: (frame: ReceivedFrame) => boolean): Promise<ReceivedFrame> {
    return await eventually(`${what} arrives`, () => this.frames.find(fits), 10_000);
  }

  /** Waits until the hub has dealt with everything that was sent. */
  async settled(): Promise<void> {
    this.#pings += 1;
    const nonce = `ping-${this.#pings}`;
    this.send("__ping", "", { nonce });
    await this.frame(
      "the pong",
      ({ type, payload }) => type === "__pong" && payload.nonce === nonce,
    );
  }

  /** Sends a request, with anything else in it, and listens to its answers. */
  request(operationId: string, input: unknown, more: Record<string, unknown> = {}): string {
    const { requestId = crypto.randomUUID() } = more as { requestId?: string };
    const answers = ["responded", "error", "completed", "aborted"];
    this.listen(...answers.map((type) => `call.${type}:${requestId}`));
    this.send("call.requested", "", { requestId, operationId, input, ...more });
    return requestId;
  }

  /** The first answer to a request. */
  async answer(requestId: string): Promise<ReceivedFrame> {
    return await this.frame(
      `the answer of ${requestId}`,
      ({ type, payload }) => type.startsWith("call.") && payload.requestId === requestId,
    );
  }

  /** Calls, and resolves with the data or the code of the error. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  async call(operationId: string, input: unknown, more?: Record<string, unknown>): Promise<any> {
    const { payload } = await this.answer(this.request(operationId, input, more));
    return payload.output?.data ?? payload.code;
  }
}

/** Connects, and resolves when the connection is open. */
export async function connect(hub: Pick<Hub, "url">, options: RawOptions): Promise<RawSocket> {
  const raw = new RawSocket(socketOf(hub, options));
  await new Promise((resolve, reject) => {
    raw.socket.once("open", resolve);
    raw.socket.once("error", reject);
  });
  return raw;
}

/** The HTTP answer to a connection that is not let in. */
export async function refusal(
  hub: Pick<Hub, "url">,
  options: RawOptions,
): Promise<{
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly code: string;
}> {
  const socket = socketOf(hub, options);
  socket.on("error", () => undefined);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    socket.once("unexpected-response", (_request, answer) => resolve(answer));
    socket.once("open", () => reject(new Error("it was let in")));
  });
  let text = "";
  for await (const chunk of response) text += chunk;
  socket.terminate();
  const { statusCode: status = 0, headers } = response;
  return { status, headers, code: JSON.parse(text).error.code };
}

function socketOf({ url }: Pick<Hub, "url">, options: RawOptions): WebSocket {
  const { key, org, path = "/ws", protocols = ["alkdev.v1"], headers = {} } = options;
  return new WebSocket(`${url.replace("http", "ws")}${path}`, [...protocols], {
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(org === undefined ? {} : { "alkdev-org": org }),
      ...headers,
    },
  });
}
