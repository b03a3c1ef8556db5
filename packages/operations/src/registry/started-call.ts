import { checkCaller, checkResource, enforce } from "../access/check-access.ts";
import { buildEnv, type EnvRegistry } from "../composition/build-env.ts";
import type { OperationEnv } from "../composition/operation-env.ts";
import { inheritDepth, isTrusted } from "../composition/trust.ts";
import { isResponseEnvelope } from "../envelope/envelope-schema.ts";
import { localEnvelope, type ResponseEnvelope } from "../envelope/response-envelope.ts";
import { CallError } from "../errors.ts";
import { mapError } from "../map-error.ts";
import type { CallOptions, OperationContext } from "../operation-context.ts";
import { operationId } from "../operation-spec.ts";
import type { OperationErrorHandler } from "../report-error.ts";
import { validatorOf } from "../schema/validator.ts";
import { CallScope } from "./call-scope.ts";
import type { Callable } from "./registered.ts";

/** What calls need of the registry they are made through. */
export interface CallSurroundings {
  readonly registry: EnvRegistry;
  readonly report: OperationErrorHandler;
  readonly now: () => number;
  /** Default of every operation; `undefined`: calls may take for ever. */
  readonly timeoutMs: number | undefined;
}

/** A call that was let in: access and input are checked, the handler has not run yet. */
export class StartedCall {
  readonly id: string;
  readonly scope: CallScope;
  readonly context: OperationContext;
  readonly #operation: Callable;
  readonly #surroundings: CallSurroundings;
  readonly #input: unknown;

  /** @throws CallError `ACCESS_DENIED`, `VALIDATION_ERROR` */
  constructor(
    operation: Callable,
    { input, call }: { readonly input: unknown; readonly call: CallOptions },
    surroundings: CallSurroundings,
  ) {
    this.id = operationId(operation.spec);
    this.#operation = operation;
    this.#surroundings = surroundings;
    this.#input = input;
    this.#admit(call);
    const deadline = this.#deadline(call);
    this.scope = new CallScope({
      operationId: this.id,
      signal: call.signal,
      deadline,
      now: surroundings.now,
    });
    this.context = this.#makeContext(call, deadline);
    inheritDepth(this.context, call);
  }

  /** Runs the handler, unless the call has ended already. */
  run(): unknown {
    this.scope.signal.throwIfAborted();
    return this.#operation.handler(this.#input as never, this.context);
  }

  /**
   * The envelope of one output.
   *
   * @throws CallError `EXECUTION_ERROR` if it does not fit the output schema
   */
  envelope(output: unknown): ResponseEnvelope {
    const made = isResponseEnvelope(output) ? output : null;
    const data = made === null ? output : made.data;
    const validator = validatorOf(this.#operation.spec.outputSchema);
    if (!validator.check(data)) {
      const issues = validator.issues(data);
      const places = issues.map(({ path, message }) => `"${path}" ${message}`).join(", ");
      const error = new CallError("EXECUTION_ERROR", `${this.id} returned an invalid output`, {
        cause: new Error(`the output of ${this.id} does not fit its schema: ${places}`),
        details: { operationId: this.id, issues },
      });
      this.report(error.cause);
      throw error;
    }
    // JSON has no undefined: an answer without data would lose its property on the way
    return (
      made ?? localEnvelope(data === undefined ? null : data, this.id, this.#surroundings.now())
    );
  }

  /** The error the caller gets for what was thrown. */
  failure(thrown: unknown): CallError {
    return mapError(thrown, {
      operationId: this.id,
      errorSchemas: this.#operation.spec.errorSchemas,
      report: (error) => this.report(error),
    });
  }

  report(error: unknown): void {
    const { requestId } = this.context;
    this.#surroundings.report(error, { operationId: this.id, requestId });
  }

  #admit(call: CallOptions): void {
    const { accessControl, inputSchema } = this.#operation.spec;
    const checked = !isTrusted(call);
    if (checked) enforce(checkCaller(accessControl, call.identity), this.id);
    const validator = validatorOf(inputSchema);
    if (!validator.check(this.#input)) {
      const issues = validator.issues(this.#input);
      const first = issues[0];
      throw new CallError(
        "VALIDATION_ERROR",
        `input of ${this.id} at "${first?.path}": ${first?.message}`,
        { details: { operationId: this.id, issues } },
      );
    }
    if (checked) enforce(checkResource(accessControl, call.identity, this.#input), this.id);
  }

  #deadline(call: CallOptions): number | undefined {
    const timeoutMs = this.#operation.timeoutMs ?? this.#surroundings.timeoutMs;
    if (timeoutMs === undefined) return call.deadline;
    const own = this.#surroundings.now() + timeoutMs;
    return call.deadline === undefined ? own : Math.min(own, call.deadline);
  }

  #makeContext(call: CallOptions, deadline: number | undefined): OperationContext {
    const { registry } = this.#surroundings;
    const { allowedNamespaces } = this.#operation;
    let env: OperationEnv | undefined;
    const context: OperationContext = {
      operationId: this.id,
      requestId: call.requestId ?? crypto.randomUUID(),
      ...(call.parentRequestId === undefined ? {} : { parentRequestId: call.parentRequestId }),
      ...(call.identity === undefined ? {} : { identity: call.identity }),
      ...(deadline === undefined ? {} : { deadline }),
      metadata: call.metadata ?? {},
      signal: this.scope.signal,
      get env() {
        env ??= buildEnv({
          registry,
          context,
          ...(allowedNamespaces === undefined ? {} : { allowedNamespaces }),
        });
        return env;
      },
    };
    return Object.freeze(context);
  }
}
