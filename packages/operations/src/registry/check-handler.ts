import { OperationsError } from "../errors.ts";
import { type OperationSpec, operationId } from "../operation-spec.ts";

/**
 * Refuses what cannot serve an operation.
 *
 * @throws OperationsError `INVALID_HANDLER`
 */
export function checkHandler(spec: OperationSpec, handler: unknown): void {
  const id = operationId(spec);
  if (typeof handler !== "function") {
    throw new OperationsError("INVALID_HANDLER", `the handler of "${id}" is no function`, {
      details: { operationId: id },
    });
  }
  const isGenerator = Object.prototype.toString.call(handler).endsWith("GeneratorFunction]");
  if (isGenerator && spec.type !== "subscription") {
    throw new OperationsError(
      "INVALID_HANDLER",
      `the handler of "${id}" is a generator, but ${spec.type === "query" ? "queries" : "mutations"} answer once`,
      { hint: 'Make it a "subscription", or return one value', details: { operationId: id } },
    );
  }
}
