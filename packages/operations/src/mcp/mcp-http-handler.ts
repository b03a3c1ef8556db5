import type { AuthInfo } from "@modelcontextprotocol/sdk/server/auth/types.js";
import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import { OperationsError } from "../errors.ts";
import { createMcpServer, type McpServerOptions } from "./mcp-server.ts";

/** Options of {@link createMcpHttpHandler}. */
export interface McpHttpHandlerOptions extends McpServerOptions {
  /** Sessions at a time; the one unused longest makes room. Default 1,000. */
  readonly maxSessions?: number;
  /** Seconds after which a session that nobody uses is closed. Default 1,800. */
  readonly idleSeconds?: number;
  /** Bytes of a request. Default 4 MiB. */
  readonly maxRequestBytes?: number;
  /** The time in milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number;
}

/** An MCP endpoint, for any server that speaks `Request` and `Response`. */
export interface McpHttpHandler {
  /**
   * Answers a `GET`, `POST` or `DELETE` of the endpoint. Give what the server knows of the caller as
   * `authInfo`; `identityOf` gets it with every request.
   */
  handle(request: Request, authInfo?: AuthInfo): Promise<Response>;
  /** Ends all sessions and aborts their calls; idempotent. */
  close(): Promise<void>;
  readonly sessionCount: number;
}

interface Session {
  readonly transport: WebStandardStreamableHTTPServerTransport;
  lastUsed: number;
}

const DEFAULT_MAX_SESSIONS = 1_000;
const DEFAULT_IDLE_SECONDS = 1_800;
const DEFAULT_MAX_BYTES = 4 * 1024 * 1024;
const SESSION_HEADER = "mcp-session-id";

/**
 * Serves a registry as MCP tools by streamable HTTP, with a session per client, so that a cancelled call
 * reaches its handler. A session is no credential: who calls is asked for every request. Answer a request without
 * a valid key with 401 before it comes here, and check `Origin` where browsers can reach the endpoint.
 *
 * @throws OperationsError `INVALID_ARGUMENT`
 */
export function createMcpHttpHandler(options: McpHttpHandlerOptions): McpHttpHandler {
  return new SessionHandler(options);
}

class SessionHandler implements McpHttpHandler {
  readonly #options: McpHttpHandlerOptions;
  readonly #maxSessions: number;
  readonly #idleMs: number;
  readonly #now: () => number;
  /** In the order in which they were used last. */
  readonly #sessions = new Map<string, Session>();
  #closed = false;

  constructor(options: McpHttpHandlerOptions) {
    const { maxSessions = DEFAULT_MAX_SESSIONS, idleSeconds = DEFAULT_IDLE_SECONDS } = options;
    requireCount("maxSessions", maxSessions);
    requireCount("idleSeconds", idleSeconds);
    requireCount("maxRequestBytes", options.maxRequestBytes ?? DEFAULT_MAX_BYTES);
    this.#options = options;
    this.#maxSessions = maxSessions;
    this.#idleMs = idleSeconds * 1_000;
    this.#now = options.now ?? Date.now;
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  async handle(request: Request, authInfo?: AuthInfo): Promise<Response> {
    if (this.#closed) return refusal(503, "the server is closing");
    this.#endIdle();
    const id = request.headers.get(SESSION_HEADER);
    const session = id === null ? await this.#open() : this.#use(id);
    // clients begin a new session then
    if (session === undefined) return refusal(404, "there is no such session");
    return session.transport.handleRequest(request, authInfo === undefined ? {} : { authInfo });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#sessions.keys()].map((id) => this.#end(id)));
  }

  /** A session is kept once its client has said hello; a request that is none opens no session. */
  async #open(): Promise<Session> {
    const server = createMcpServer(this.#options);
    const transport: WebStandardStreamableHTTPServerTransport =
      new WebStandardStreamableHTTPServerTransport({
        sessionIdGenerator: () => crypto.randomUUID(),
        maxRequestBodySize: this.#options.maxRequestBytes ?? DEFAULT_MAX_BYTES,
        onsessioninitialized: (id) => {
          this.#makeRoom();
          this.#sessions.set(id, session);
        },
        onsessionclosed: (id) => {
          this.#sessions.delete(id);
        },
      });
    const session: Session = { transport, lastUsed: this.#now() };
    await server.connect(transport);
    return session;
  }

  #use(id: string): Session | undefined {
    const session = this.#sessions.get(id);
    if (session === undefined) return undefined;
    session.lastUsed = this.#now();
    this.#sessions.delete(id);
    this.#sessions.set(id, session);
    return session;
  }

  #makeRoom(): void {
    for (const id of this.#sessions.keys()) {
      if (this.#sessions.size < this.#maxSessions) return;
      void this.#end(id);
    }
  }

  #endIdle(): void {
    const before = this.#now() - this.#idleMs;
    for (const [id, { lastUsed }] of this.#sessions) {
      if (lastUsed > before) return;
      void this.#end(id);
    }
  }

  async #end(id: string): Promise<void> {
    const session = this.#sessions.get(id);
    this.#sessions.delete(id);
    await session?.transport.close();
  }
}

function refusal(status: number, message: string): Response {
  const body = { jsonrpc: "2.0", error: { code: -32_000, message }, id: null };
  return Response.json(body, { status });
}

function requireCount(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1) return;
  throw new OperationsError(
    "INVALID_ARGUMENT",
    `${name} is ${String(value)}; it must be a whole number of at least 1`,
    { details: { [name]: value } },
  );
}
