import type { ErrorWith } from "../schema/map-spec-schemas.ts";
import type { HttpFailure } from "./http-failures.ts";

/** Status of errors that an operation declares without one. */
const DECLARED = 422;

/** A failure, and what its details are, if anybody knows. */
interface Failure extends HttpFailure {
  readonly details?: unknown;
}

/** Responses of a call that fails, by status: every code, and the body with its details. */
export function failureResponses(
  common: readonly HttpFailure[],
  declared: readonly ErrorWith<unknown>[],
): Record<string, unknown> {
  const own = declared.map(
    ({ code, description, httpStatus = DECLARED, schema }): Failure => ({
      code,
      description,
      status: httpStatus,
      details: schema,
    }),
  );
  const byStatus = Map.groupBy<number, Failure>([...common, ...own], ({ status }) => status);
  const responses = [...byStatus].map(([status, failures]) => [status, responseOf(failures)]);
  return Object.fromEntries(responses);
}

function responseOf(failures: readonly Failure[]): unknown {
  const bodies = failures.map(bodyOf);
  return {
    description: failures.map(({ code, description }) => `\`${code}\`: ${description}`).join("\n"),
    content: {
      "application/json": { schema: bodies.length === 1 ? bodies[0] : { anyOf: bodies } },
    },
  };
}

function bodyOf({ code, details }: Failure): unknown {
  const error = {
    type: "object",
    properties: {
      code: { const: code },
      message: { type: "string" },
      ...(details === undefined ? {} : { details }),
      requestId: { type: "string" },
    },
    required: ["code", "message"],
  };
  return { type: "object", properties: { error }, required: ["error"] };
}
