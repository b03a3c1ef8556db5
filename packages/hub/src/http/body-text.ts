import { CallError } from "@alkdev/operations";
import type { Context, MiddlewareHandler } from "hono";
import type { HubEnv } from "./source-address.ts";

const decoder = new TextDecoder();

/** Refuses bodies that say they are too large; those that say nothing are cut by {@link bodyText}. */
export function refuseLargeBodies(
  maxBytes: number,
  refuse: (error: CallError) => Response,
): MiddlewareHandler<HubEnv> {
  return async (context, next) => {
    const length = context.req.header("content-length");
    if (length !== undefined && Number(length) > maxBytes) return refuse(tooLarge(maxBytes));
    await next();
    return undefined;
  };
}

/**
 * The body as text. It is read where it arrives: to make a `Request` of it first takes as long as a call.
 *
 * @throws CallError `TOO_LARGE`; `ABORTED` when the client goes away
 */
export function bodyText({ env }: Context<HubEnv>, maxBytes: number): Promise<string> {
  const { incoming } = env;
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    const onData = (part: Buffer): void => {
      bytes += part.length;
      if (bytes <= maxBytes) {
        parts.push(part);
        return;
      }
      parts.length = 0;
      incoming.off("data", onData);
      // the rest runs into nothing, so that the answer can be read
      incoming.resume();
      reject(tooLarge(maxBytes));
    };
    incoming.on("data", onData);
    incoming.once("end", () => resolve(decoder.decode(Buffer.concat(parts))));
    const onGone = (): void => {
      if (!incoming.complete) reject(new CallError("ABORTED", "the client went away"));
    };
    incoming.once("close", onGone);
    incoming.once("error", onGone);
  });
}

/** Aborted when the client goes away before it has its answer. */
export function untilClientGone({ env }: Context<HubEnv>): AbortSignal {
  const { outgoing } = env;
  const gone = new AbortController();
  outgoing.once("close", () => {
    if (!outgoing.writableFinished) gone.abort();
  });
  return gone.signal;
}

function tooLarge(maxBytes: number): CallError {
  return new CallError("TOO_LARGE", `a request may have ${maxBytes} bytes`, {
    details: { maxBodyBytes: maxBytes },
  });
}
