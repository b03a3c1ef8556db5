import type { Static, TSchema } from "@sinclair/typebox";
import type { ResponseEnvelope } from "../envelope/response-envelope.ts";
import { CallError, OperationsError } from "../errors.ts";
import type { CallOptions } from "../operation-context.ts";
import {
  type AnyHandler,
  type AnyOperation,
  type Operation,
  type OperationHandler,
  type OperationSpec,
  type OperationType,
  operationId,
} from "../operation-spec.ts";
import { errorReporter, type OperationErrorHandler } from "../report-error.ts";
import { checkHandler } from "./check-handler.ts";
import { checkSpec } from "./check-spec.ts";
import { type OperationAnswers, OperationSubscription } from "./operation-subscription.ts";
import { type Callable, frozenSpec, type Registered } from "./registered.ts";
import { type CallSurroundings, StartedCall } from "./started-call.ts";

/** Options of {@link OperationRegistry}. */
export interface OperationRegistryOptions {
  /**
   * Milliseconds a call may take, for operations that say nothing else. Default: no limit. A handler that
   * blocks the event loop cannot be stopped by it.
   */
  readonly timeoutMs?: number;
  /** Gets what handlers throw undeclared or return wrongly. Default: a process warning. */
  readonly onError?: OperationErrorHandler;
  /** The time in milliseconds since 1970, for deadlines and envelopes. Default: `Date.now`. */
  readonly now?: () => number;
}

/** Options of {@link OperationRegistry.registerSpec}. */
export interface RegisterSpecOptions {
  /** Takes the place of an operation of this id. Default: refused with `ALREADY_REGISTERED`. */
  readonly replace?: boolean;
}

/** Options of {@link OperationRegistry.register} and {@link OperationRegistry.registerHandler}. */
export interface RegisterOptions extends RegisterSpecOptions {
  /** Milliseconds a call of this operation may take. Default: that of the registry. */
  readonly timeoutMs?: number;
  /** Namespaces that the handler may call through `context.env`. Default: all. */
  readonly allowedNamespaces?: readonly string[];
}

/** Which specs {@link OperationRegistry.list} returns; all that is set must hold. */
export interface OperationFilter {
  readonly namespace?: string;
  readonly type?: OperationType;
  readonly tag?: string;
}

/** A spec and, if there is one, its handler. */
export interface RegisteredOperation {
  readonly spec: OperationSpec;
  readonly handler: AnyHandler | null;
}

/**
 * The operations of a process: what can be called, who may, and the code behind it. Specs and handlers may
 * be registered apart. Every call goes the same way: find, check the caller, check the input, check the
 * resource, run, check the output.
 *
 * @example
 * ```ts
 * import { Type } from "@sinclair/typebox";
 *
 * const registry = new OperationRegistry();
 * registry.register({
 *   namespace: "math",
 *   name: "add",
 *   version: "1.0.0",
 *   type: "query",
 *   description: "Adds two numbers.",
 *   inputSchema: Type.Object({ a: Type.Number(), b: Type.Number() }),
 *   outputSchema: Type.Number(),
 *   accessControl: { requiredScopes: ["math:read"] },
 *   handler: ({ a, b }) => a + b,
 * });
 * const identity = { id: "ada", scopes: ["math:*"] };
 * const { data } = await registry.execute("math.add", { a: 1, b: 2 }, { identity }); // 3
 * ```
 */
export class OperationRegistry {
  readonly #operations = new Map<string, Registered>();
  readonly #surroundings: CallSurroundings;

  /** @throws OperationsError `INVALID_ARGUMENT` */
  constructor(options: OperationRegistryOptions = {}) {
    requireTimeout(options.timeoutMs);
    this.#surroundings = {
      registry: this,
      report: errorReporter(options.onError),
      now: options.now ?? Date.now,
      timeoutMs: options.timeoutMs,
    };
  }

  /**
   * Registers a spec with its handler.
   *
   * @throws OperationsError `INVALID_SPEC`, `INVALID_HANDLER`, `INVALID_ARGUMENT`, `ALREADY_REGISTERED`
   */
  register<Input extends TSchema, Output extends TSchema, Type extends OperationType>(
    operation: Operation<Input, Output, Type>,
    options: RegisterOptions = {},
  ): void {
    this.#add(operation as AnyOperation, options);
  }

  /**
   * Registers several operations, or none if one of them is refused.
   *
   * @throws as {@link register}
   */
  registerAll(operations: readonly AnyOperation[], options: RegisterOptions = {}): void {
    const before = new Map(this.#operations);
    try {
      for (const operation of operations) this.#add(operation, options);
    } catch (error) {
      this.#operations.clear();
      for (const [id, registered] of before) this.#operations.set(id, registered);
      throw error;
    }
  }

  /**
   * Registers a spec whose handler comes later, or whose operation only others can run.
   *
   * @throws OperationsError `INVALID_SPEC`, `ALREADY_REGISTERED`
   */
  registerSpec(spec: OperationSpec, options: RegisterSpecOptions = {}): void {
    checkSpec(spec);
    this.#put(spec, null, options);
  }

  /**
   * Registers the handler of a spec that is registered. Given the spec instead of its id, the handler is
   * typed by its schemas.
   *
   * @throws OperationsError `UNKNOWN_OPERATION`, `INVALID_HANDLER`, `INVALID_ARGUMENT`,
   * `ALREADY_REGISTERED`
   */
  registerHandler<Input extends TSchema, Output extends TSchema, Type extends OperationType>(
    operation: OperationSpec<Input, Output, Type>,
    handler: OperationHandler<Input, Output, Type>,
    options?: RegisterOptions,
  ): void;
  registerHandler(
    id: string,
    handler: (input: unknown, context: Parameters<AnyHandler>[1]) => unknown,
    options?: RegisterOptions,
  ): void;
  registerHandler(
    operation: OperationSpec | string,
    handler: AnyHandler,
    options: RegisterOptions = {},
  ): void {
    const id = idOf(operation);
    const registered = this.#operations.get(id);
    if (registered === undefined) {
      throw new OperationsError("UNKNOWN_OPERATION", `there is no spec of operation "${id}"`, {
        hint: "Register the spec first, or both with register()",
        details: { operationId: id },
      });
    }
    checkHandler(registered.spec, handler);
    requireTimeout(options.timeoutMs);
    if (registered.handler !== null && options.replace !== true) {
      throw alreadyRegistered(id, "handler");
    }
    const { timeoutMs, allowedNamespaces } = options;
    this.#operations.set(id, { spec: registered.spec, handler, timeoutMs, allowedNamespaces });
  }

  /** Removes an operation, spec and handler. Calls that run go on. Returns whether there was one. */
  unregister(id: string): boolean {
    return this.#operations.delete(id);
  }

  /** The operation of an id, or `null`. */
  get(id: string): RegisteredOperation | null {
    const registered = this.#operations.get(id);
    if (registered === undefined) return null;
    return { spec: registered.spec, handler: registered.handler };
  }

  /** The spec of an id, or `null`. */
  getSpec(id: string): OperationSpec | null {
    return this.#operations.get(id)?.spec ?? null;
  }

  /** The specs, in the order they were registered, also those without a handler. */
  list({ namespace, type, tag }: OperationFilter = {}): readonly OperationSpec[] {
    return [...this.#operations.values()]
      .map(({ spec }) => spec)
      .filter(
        (spec) =>
          (namespace === undefined || spec.namespace === namespace) &&
          (type === undefined || spec.type === type) &&
          (tag === undefined || spec.tags?.includes(tag) === true),
      );
  }

  /**
   * Calls a query or mutation. Given the spec instead of its id, input and output are typed.
   *
   * @throws CallError `OPERATION_NOT_FOUND`, `WRONG_OPERATION_TYPE`, `ACCESS_DENIED`, `VALIDATION_ERROR`,
   * `TIMEOUT`, `ABORTED`, `EXECUTION_ERROR`, `UNKNOWN_ERROR`, and what the operation declares
   */
  execute<Input extends TSchema, Output extends TSchema>(
    operation: OperationSpec<Input, Output, "query" | "mutation">,
    input: Static<Input>,
    call?: CallOptions,
  ): Promise<ResponseEnvelope<Static<Output>>>;
  execute(id: string, input: unknown, call?: CallOptions): Promise<ResponseEnvelope>;
  async execute(
    operation: OperationSpec | string,
    input: unknown,
    call: CallOptions = {},
  ): Promise<ResponseEnvelope> {
    const callable = this.#callable(idOf(operation));
    if (callable.spec.type === "subscription") throw wrongType(callable.spec, "subscribe to it");
    const started = new StartedCall(callable, { input, call }, this.#surroundings);
    try {
      const output = await started.scope.race(started.run(), (error) => started.report(error));
      return started.envelope(output);
    } catch (thrown) {
      throw started.failure(thrown);
    } finally {
      started.scope.close();
    }
  }

  /**
   * Subscribes to a subscription. What is refused is refused here; the handler runs from the first
   * `next()` on. The iteration throws what ended it, except for the caller's own signal, which just ends it.
   *
   * @throws CallError as {@link execute}
   */
  subscribe<Input extends TSchema, Output extends TSchema>(
    operation: OperationSpec<Input, Output, "subscription">,
    input: Static<Input>,
    call?: CallOptions,
  ): OperationAnswers<Static<Output>>;
  subscribe(id: string, input: unknown, call?: CallOptions): OperationAnswers;
  subscribe(
    operation: OperationSpec | string,
    input: unknown,
    call: CallOptions = {},
  ): OperationAnswers {
    const callable = this.#callable(idOf(operation));
    if (callable.spec.type !== "subscription") throw wrongType(callable.spec, "execute it");
    return new OperationSubscription(
      new StartedCall(callable, { input, call }, this.#surroundings),
    );
  }

  #add(operation: AnyOperation, options: RegisterOptions): void {
    checkSpec(operation);
    checkHandler(operation, operation.handler);
    this.#put(operation, operation.handler, options);
  }

  #put(spec: OperationSpec, handler: AnyHandler | null, options: RegisterOptions): void {
    const { replace, timeoutMs, allowedNamespaces } = options;
    requireTimeout(timeoutMs);
    const id = operationId(spec);
    if (replace !== true && this.#operations.has(id)) throw alreadyRegistered(id, "spec");
    this.#operations.set(id, { spec: frozenSpec(spec), handler, timeoutMs, allowedNamespaces });
  }

  #callable(id: string): Callable {
    const registered = this.#operations.get(id);
    if (registered !== undefined && registered.handler !== null) return registered as Callable;
    const why = registered === undefined ? "there is no operation" : "there is no handler for";
    throw new CallError("OPERATION_NOT_FOUND", `${why} "${id}"`, { details: { operationId: id } });
  }
}

function idOf(operation: OperationSpec | string): string {
  return typeof operation === "string" ? operation : operationId(operation);
}

function requireTimeout(timeoutMs: number | undefined): void {
  if (timeoutMs === undefined || (Number.isSafeInteger(timeoutMs) && timeoutMs >= 1)) return;
  throw new OperationsError(
    "INVALID_ARGUMENT",
    `timeoutMs is ${String(timeoutMs)}; it must be a whole number of at least 1`,
    { details: { timeoutMs } },
  );
}

function alreadyRegistered(id: string, part: "spec" | "handler"): OperationsError {
  return new OperationsError("ALREADY_REGISTERED", `operation "${id}" has a ${part}`, {
    hint: "Pass replace: true to replace it",
    details: { operationId: id },
  });
}

function wrongType(spec: OperationSpec, instead: string): CallError {
  const id = operationId(spec);
  return new CallError("WRONG_OPERATION_TYPE", `${id} is a ${spec.type}: ${instead}`, {
    details: { operationId: id, type: spec.type },
  });
}
