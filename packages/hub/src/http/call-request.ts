import { CallError } from "@alkdev/operations";
import type { Context } from "hono";
import type { HubCall, HubCore } from "../core/hub-core.ts";
import type { Session } from "../core/session.ts";
import { ORG_HEADER } from "../protocol/connection-names.ts";
import { requestCredential } from "./request-credential.ts";
import type { HubEnv } from "./source-address.ts";

/** Longest request id that is taken. */
const LONGEST_ID = 256;

/** Who makes a request. @throws CallError as `HubCore.signIn` */
export function sessionOf(core: HubCore, context: Context<HubEnv>): Session {
  const { req } = context;
  try {
    const credential = requestCredential({ authorization: req.header("authorization") ?? null });
    const org = req.header(ORG_HEADER);
    const { source } = context.var;
    return core.signIn(credential, { source, ...(org === undefined ? {} : { org }) });
  } catch (error) {
    if (error instanceof CallError) context.set("refused", error.code);
    throw error;
  }
}

/**
 * The parts of a call that are in headers: `Idempotency-Key` is its request id, `Alkdev-Timeout-Ms` how long
 * its caller waits, `Alkdev-Parent-Request` the call it is made for.
 *
 * @throws CallError `MALFORMED_REQUEST`
 */
export function callHeaders({ req }: Context<HubEnv>): Omit<HubCall, "operationId" | "input"> {
  const requestId = idOf(req.header("idempotency-key"), "Idempotency-Key");
  const parentRequestId = idOf(req.header("alkdev-parent-request"), "Alkdev-Parent-Request");
  const timeout = req.header("alkdev-timeout-ms");
  const timeoutMs = timeout === undefined ? undefined : Number(timeout);
  if (timeoutMs !== undefined && !(Number.isSafeInteger(timeoutMs) && timeoutMs >= 1)) {
    throw new CallError("MALFORMED_REQUEST", "Alkdev-Timeout-Ms must be a whole number from 1");
  }
  return {
    requestId: requestId ?? crypto.randomUUID(),
    ...(parentRequestId === undefined ? {} : { parentRequestId }),
    ...(timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs }),
  };
}

/** JSON of a text; nothing is an empty object. @throws CallError `MALFORMED_REQUEST` */
export function inputOf(text: string): unknown {
  if (text === "") return {};
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CallError("MALFORMED_REQUEST", `the input is no JSON: ${(error as Error).message}`);
  }
}

function idOf(value: string | undefined, name: string): string | undefined {
  if (value === undefined || (value !== "" && value.length <= LONGEST_ID)) return value;
  throw new CallError("MALFORMED_REQUEST", `${name} must have 1 to ${LONGEST_ID} characters`);
}
