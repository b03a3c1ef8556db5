import type { OperationSpec } from "@alkdev/operations";
import { openApiDocument } from "@alkdev/operations/openapi";
import { Hono } from "hono";
import type { HubCore } from "../core/hub-core.ts";
import { ORG_HEADER } from "../protocol/connection-names.ts";
import { sessionOf } from "./call-request.ts";
import { errorResponse } from "./error-response.ts";
import { HUB_FAILURES } from "./http-status.ts";
import type { HubEnv } from "./source-address.ts";

/** Of the paths and headers, not of the operations: those have their own. */
const API_VERSION = "1.0.0";
/** What every call may say besides its input. */
const HEADERS = [
  {
    name: ORG_HEADER,
    description: "Id or slug of the organisation; left out: the only one of the caller.",
  },
  {
    name: "Idempotency-Key",
    description: "Sent again with the same key, a mutation has one effect.",
  },
  {
    name: "Alkdev-Timeout-Ms",
    description: "Milliseconds the caller waits at most.",
    schema: { type: "integer", minimum: 1 },
  },
  { name: "Alkdev-Parent-Request", description: "The call that this one is made for." },
] as const;

/**
 * `GET /openapi.json`: what can be called, as OpenAPI 3.1. With a key: in the caller's organisation, what
 * spokes serve there too; without: what every hub of this program serves.
 */
export function openApiRoutes(core: HubCore): Hono<HubEnv> {
  const app = new Hono<HubEnv>();
  // some 50 ms of work and a megabyte: not for everybody who asks
  let last: { readonly specs: readonly OperationSpec[]; readonly text: string } | null = null;
  const textOf = (specs: readonly OperationSpec[]): string => {
    if (last?.specs.length !== specs.length || specs.some((spec, at) => spec !== last?.specs[at])) {
      const document = openApiDocument(specs, {
        title: "alkdev hub",
        version: API_VERSION,
        headers: HEADERS,
        failures: HUB_FAILURES,
      });
      last = { specs, text: JSON.stringify(document) };
    }
    return last.text;
  };
  app.get("/openapi.json", (context) => {
    try {
      const known = context.req.header("authorization") !== undefined;
      const { tenant, system } = core.ownSpecs();
      const specs = known ? core.specs(sessionOf(core, context)) : [...tenant, ...system];
      return context.body(textOf(specs), 200, { "content-type": "application/json" });
    } catch (error) {
      return errorResponse(error);
    }
  });
  return app;
}
