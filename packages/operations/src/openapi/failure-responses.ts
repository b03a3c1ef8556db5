import type { ErrorWith } from "../schema/map-spec-schemas.ts";
import type { HttpFailure } from "./http-failures.ts";

/** Status of errors that an operation declares without one. */
const DECLARED = 422;

/** A failure, and what its details are, if anybody knows. */
interface Failure extends HttpFailure {
  readonly details?: unknown;
}

/** Responses of calls that fail in a way every call can, by the name of the component. */
export function commonResponses(common: readonly HttpFailure[]): Record<string, unknown> {
  const responses = [...byStatus(common)].map(([status, failures]) => [
    componentOf(status),
    responseOf(failures),
  ]);
  return Object.fromEntries(responses);
}

/** Responses of one operation that fails, by status: the common ones, or with its own errors beside them. */
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
  const responses = [...byStatus([...common, ...own])].map(([status, failures]) => [
    status,
    own.some((failure) => failure.status === status)
      ? responseOf(failures)
      : { $ref: `#/components/responses/${componentOf(status)}` },
  ]);
  return Object.fromEntries(responses);
}

function byStatus(failures: readonly Failure[]): ReadonlyMap<number, readonly Failure[]> {
  return Map.groupBy(failures, ({ status }) => status);
}

function componentOf(status: number): string {
  return `Failure${status}`;
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
