import { CallError, type OperationSpec } from "@alkdev/operations";
import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import type { HubCall, HubCore } from "../core/hub-core.ts";
import type { Session } from "../core/session.ts";
import { bodyText, untilClientGone } from "./body-text.ts";
import { callHeaders, inputOf, sessionOf } from "./call-request.ts";
import { callErrorOf, errorBody, errorResponse } from "./error-response.ts";
import { resumedInput } from "./resumed-input.ts";
import type { HubEnv } from "./source-address.ts";

/**
 * `POST /call/:operation` with the input as JSON, answered by the envelope of the output; and
 * `GET /subscribe/:operation?input=<JSON>` or `POST`, answered by server-sent events: `answer` for each
 * answer, `completed` or `error` at the end.
 */
export function callRoutes(core: HubCore): Hono<HubEnv> {
  const app = new Hono<HubEnv>();
  app.post("/call/:operation", (context) => call(core, context));
  app.get("/subscribe/:operation", (context) =>
    subscribe(core, context, context.req.query("input") ?? ""),
  );
  app.post("/subscribe/:operation", async (context) => {
    try {
      const text = await bodyText(context, core.settings.limits.maxBodyBytes);
      return subscribe(core, context, text);
    } catch (error) {
      return errorResponse(error);
    }
  });
  return app;
}

async function call(core: HubCore, context: Context<HubEnv>): Promise<Response> {
  let requestId: string | undefined;
  let spec: OperationSpec | null = null;
  try {
    const session = sessionOf(core, context);
    const operationId = context.req.param("operation") ?? "";
    const headers = callHeaders(context);
    requestId = headers.requestId;
    spec = core.specOf(session, operationId);
    const input = inputOf(await bodyText(context, core.settings.limits.maxBodyBytes));
    const signal = untilClientGone(context);
    const answer = await core.execute(session, { ...headers, operationId, input, signal });
    return context.json(answer, 200, { "alkdev-request": requestId ?? "" });
  } catch (error) {
    return errorResponse(error, { spec, ...(requestId === undefined ? {} : { requestId }) });
  }
}

function subscribe(core: HubCore, context: Context<HubEnv>, text: string): Response {
  let spec: OperationSpec | null = null;
  try {
    // its events would go nowhere, and nobody would end it
    if (context.req.method === "HEAD") {
      const error = new CallError("MALFORMED_REQUEST", "subscribe with GET or POST");
      return errorResponse(error, { status: 405 });
    }
    const session = sessionOf(core, context);
    const operationId = context.req.param("operation") ?? "";
    spec = core.specOf(session, operationId);
    const input = resumedInput(inputOf(text), {
      spec,
      lastEventId: context.req.header("last-event-id"),
    });
    return events(core, context, {
      session,
      call: { ...callHeaders(context), operationId, input },
    });
  } catch (error) {
    return errorResponse(error, { spec });
  }
}

/** Refuses with a status what is refused at once; what fails later is an event. */
function events(
  core: HubCore,
  context: Context<HubEnv>,
  { session, call }: { readonly session: Session; readonly call: HubCall },
): Response {
  const answers = core.subscribe(session, call);
  if (call.requestId !== undefined) context.header("alkdev-request", call.requestId);
  // a proxy that collects events before it passes them on would hold them back
  context.header("x-accel-buffering", "no");
  return streamSSE(context, async (stream) => {
    stream.onAbort(() => void answers.return());
    const keepAlive = setInterval(
      () => void stream.write(": \n\n"),
      core.settings.limits.heartbeatMs,
    );
    try {
      for await (const answer of answers) {
        const { offset } = (answer.data ?? {}) as { readonly offset?: unknown };
        const id = typeof offset === "number" ? { id: String(offset) } : {};
        await stream.writeSSE({ event: "answer", data: JSON.stringify(answer), ...id });
      }
      await stream.writeSSE({ event: "completed", data: "{}" });
    } catch (error) {
      const body = errorBody(callErrorOf(error), call.requestId);
      await stream.writeSSE({ event: "error", data: JSON.stringify(body) });
    } finally {
      clearInterval(keepAlive);
    }
  });
}
