import type { CallError, OperationSpec } from "@alkdev/operations";
import { HTTP_FAILURES, type HttpFailure } from "@alkdev/operations/openapi";

/** How every call at a hub can fail: as any by HTTP, and in ways of the hub. */
export const HUB_FAILURES: readonly HttpFailure[] = [
  ...HTTP_FAILURES,
  {
    code: "WRONG_OPERATION_TYPE",
    status: 405,
    description: "A subscription was called, or something else subscribed to.",
  },
  {
    code: "CALL_RUNNING",
    status: 409,
    description: "A call of this `Idempotency-Key` runs. Ask again later.",
  },
  {
    code: "CALL_INTERRUPTED",
    status: 409,
    description:
      "A call of this `Idempotency-Key` was interrupted; nobody knows how far it came, so it is not run again.",
  },
  {
    code: "OUTCOME_NOT_KEPT",
    status: 409,
    description:
      "The call of this `Idempotency-Key` succeeded; its answer was secret or too large to be given again.",
  },
  { code: "ABORTED", status: 499, description: "The caller took the call back." },
  {
    code: "SPOKE_AWAY",
    status: 503,
    description: "The spoke that serves the operation is not connected. Try again later.",
  },
];

const STATUS: ReadonlyMap<string, number> = new Map(
  HUB_FAILURES.map(({ code, status }) => [code, status]),
);
/** Errors that an operation declares without a status. */
const DECLARED = 422;

/** The HTTP status of how a call failed. */
export function httpStatusOf({ code }: CallError, spec: OperationSpec | null): number {
  const declared = spec?.errorSchemas?.find((one) => one.code === code);
  if (declared !== undefined) return declared.httpStatus ?? DECLARED;
  return STATUS.get(code) ?? DECLARED;
}
