import { CallError } from "@alkdev/operations";
import { StorageError } from "@alkdev/storage";
import { Hono } from "hono";
import type { HubCore } from "../core/hub-core.ts";
import { bodyText } from "./body-text.ts";
import { inputOf } from "./call-request.ts";
import { errorResponse } from "./error-response.ts";
import type { HubEnv } from "./source-address.ts";

/** Bytes of what names a fingerprint. */
const LONGEST = 1_024;

/**
 * `POST /auth/challenge` with `{ "fingerprint": "SHA256:…" }`: something for an SSH key to sign, in 60
 * seconds, for `Authorization: SSH` of one WebSocket connection or call.
 */
export function authRoutes(core: HubCore): Hono<HubEnv> {
  const app = new Hono<HubEnv>();
  app.post("/auth/challenge", async (context) => {
    try {
      const input = inputOf(await bodyText(context, LONGEST)) as {
        readonly fingerprint?: unknown;
      } | null;
      return context.json(core.auth.createChallenge(String(input?.fingerprint ?? "")));
    } catch (error) {
      if (!(error instanceof StorageError)) return errorResponse(error);
      return errorResponse(new CallError("MALFORMED_REQUEST", error.message));
    }
  });
  return app;
}
