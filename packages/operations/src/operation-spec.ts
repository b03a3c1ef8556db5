import type { Static, TSchema } from "@sinclair/typebox";
import type { AccessControl } from "./access/access-control.ts";
import type { ResponseEnvelope } from "./envelope/response-envelope.ts";
import type { OperationContext } from "./operation-context.ts";

/** `query` reads, `mutation` writes, `subscription` answers many times. */
export type OperationType = "query" | "mutation" | "subscription";

/** An error that an operation declares, so that callers can handle it by its code. */
export interface ErrorDefinition {
  /** In upper case: `GRAPH_ARCHIVED`. None of the codes every call can end with. */
  readonly code: string;
  /** When it happens. */
  readonly description: string;
  /** TypeBox schema of the details. Left out, the error has none. */
  readonly schema?: TSchema;
  /** Status of an HTTP answer with this error. Default: chosen by the server. */
  readonly httpStatus?: number;
}

/**
 * What an operation promises, without the code that keeps it: plain data that can be stored, listed and
 * sent. Its id is `namespace.name`.
 */
export interface OperationSpec<
  Input extends TSchema = TSchema,
  Output extends TSchema = TSchema,
  Type extends OperationType = OperationType,
  Namespace extends string = string,
  Name extends string = string,
> {
  /** Letters, digits, `_` and `-`, first a letter. */
  readonly name: Name;
  /** As `name`. */
  readonly namespace: Namespace;
  /** Semantic version: `1.0.0`. */
  readonly version: string;
  readonly type: Type;
  /** What it does, for people and for models that choose between operations. */
  readonly description: string;
  /** TypeBox schema that every input must fit. */
  readonly inputSchema: Input;
  /** TypeBox schema that every output fits; of a subscription, each of its answers. */
  readonly outputSchema: Output;
  readonly accessControl: AccessControl;
  /** Name shown to people. Default: the id. */
  readonly title?: string;
  readonly tags?: readonly string[];
  readonly errorSchemas?: readonly ErrorDefinition[];
  /** Anything else, for whoever lists the specs; never looked at here. */
  readonly _meta?: Readonly<Record<string, unknown>>;
}

/**
 * The code of an operation. A query or mutation returns its output, or an envelope around it that came
 * from elsewhere; a subscription returns an async iterable, usually as an async generator function.
 */
export type OperationHandler<
  Input extends TSchema = TSchema,
  Output extends TSchema = TSchema,
  Type extends OperationType = OperationType,
> = (
  input: Static<Input>,
  context: OperationContext,
) => Type extends "subscription"
  ? AsyncIterable<Answer<Static<Output>>>
  : Answer<Static<Output>> | Promise<Answer<Static<Output>>>;

type Answer<Data> = Data | ResponseEnvelope<Data>;

/** A spec and its handler. */
export interface Operation<
  Input extends TSchema = TSchema,
  Output extends TSchema = TSchema,
  Type extends OperationType = OperationType,
  Namespace extends string = string,
  Name extends string = string,
> extends OperationSpec<Input, Output, Type, Namespace, Name> {
  readonly handler: OperationHandler<Input, Output, Type>;
}

/** A handler whose types nobody asks for. */
export type AnyHandler = (input: never, context: OperationContext) => unknown;

/** An operation whose types nobody asks for, as lists of different ones hold it. */
export interface AnyOperation extends OperationSpec {
  readonly handler: AnyHandler;
}

/** The input type of a spec. */
export type InputOf<Spec extends OperationSpec> = Static<Spec["inputSchema"]>;

/** The output type of a spec; of a subscription, of each answer. */
export type OutputOf<Spec extends OperationSpec> = Static<Spec["outputSchema"]>;

/** The id of an operation: `namespace.name`. */
export function operationId(spec: { readonly namespace: string; readonly name: string }): string {
  return `${spec.namespace}.${spec.name}`;
}

/**
 * Returns the spec, with its literal types kept.
 *
 * @example
 * ```ts
 * import { Type } from "@sinclair/typebox";
 *
 * export const createGraph = defineSpec({
 *   namespace: "graphs",
 *   name: "create",
 *   version: "1.0.0",
 *   type: "mutation",
 *   description: "Creates a graph.",
 *   inputSchema: Type.Object({ name: Type.String() }),
 *   outputSchema: Type.Object({ id: Type.String() }),
 *   accessControl: { requiredScopes: ["graphs:write"] },
 * });
 * ```
 */
export function defineSpec<
  Input extends TSchema,
  Output extends TSchema,
  Type extends OperationType,
  Namespace extends string,
  Name extends string,
>(
  spec: OperationSpec<Input, Output, Type, Namespace, Name>,
): OperationSpec<Input, Output, Type, Namespace, Name> {
  return spec;
}

/** Returns the operation, its handler typed by its schemas; see {@link defineSpec}. */
export function defineOperation<
  Input extends TSchema,
  Output extends TSchema,
  Type extends OperationType,
  Namespace extends string,
  Name extends string,
>(
  operation: Operation<Input, Output, Type, Namespace, Name>,
): Operation<Input, Output, Type, Namespace, Name> {
  return operation;
}
