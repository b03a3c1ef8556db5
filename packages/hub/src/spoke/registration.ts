import { randomUUID } from "node:crypto";
import { CallError, type OperationSpecJson } from "@alkdev/operations";
import { HubError } from "../errors.ts";
import { pause } from "../protocol/pause.ts";
import { REGISTER_SPOKE } from "../protocol/spoke-protocol.ts";
import type { HubCaller } from "./hub-calls.ts";

/** Options of {@link Registration}. */
export interface RegistrationOptions {
  readonly name: string;
  readonly specs: readonly OperationSpecJson[];
  readonly calls: HubCaller;
  readonly onRegistered: () => void;
  /** The hub does not take this spoke, and would not the next time. */
  readonly onRefused: (error: HubError) => void;
  readonly onError: (error: unknown, context: string) => void;
}

/** What the hub says that will not change by itself. */
const FOR_GOOD: ReadonlySet<string> = new Set([
  "ACCESS_DENIED",
  "FORBIDDEN",
  "INVALID_SPEC",
  "NO_CONNECTION",
  "OPERATION_NOT_FOUND",
  "UNAUTHENTICATED",
  "VALIDATION_ERROR",
]);
const TIMEOUT_MS = 10_000;
/** Milliseconds before it is tried again: at first, and at most. */
const AGAIN_MS = [200, 5_000] as const;

/** Tells the hub on every connection what the spoke serves. */
export class Registration {
  readonly #options: RegistrationOptions;
  readonly #instance = randomUUID();
  #connection: AbortController | null = null;

  constructor(options: RegistrationOptions) {
    this.#options = options;
  }

  /** A connection is there. */
  opened(): void {
    const connection = new AbortController();
    this.#connection = connection;
    void this.#register(connection.signal);
  }

  /** It is over. */
  lost(): void {
    this.#connection?.abort();
    this.#connection = null;
  }

  async #register(signal: AbortSignal): Promise<void> {
    const { name, specs: operations, onRegistered, onRefused, onError } = this.#options;
    const input = { name, instance: this.#instance, operations };
    const [first, longest] = AGAIN_MS;
    for (let waitMs: number = first; !signal.aborted; waitMs = Math.min(waitMs * 2, longest)) {
      try {
        await this.#options.calls.call(REGISTER_SPOKE, input, { signal, timeoutMs: TIMEOUT_MS });
        if (!signal.aborted) onRegistered();
        return;
      } catch (error) {
        if (signal.aborted) return;
        const refusal = refusalOf(error, name);
        if (refusal.code !== "REFUSED") return; // it was closed meanwhile
        if (error instanceof CallError && FOR_GOOD.has(error.code)) onRefused(refusal);
        else onError(refusal, `registering spoke "${name}"`);
      }
      await pause(waitMs * (0.5 + Math.random() / 2), signal);
    }
  }
}

function refusalOf(error: unknown, name: string): HubError {
  if (error instanceof HubError) return error;
  const { code, message } = error as Partial<CallError>;
  return new HubError("REFUSED", `the hub does not take spoke "${name}": ${message}`, {
    cause: error,
    details: { name, code },
  });
}
