import type { AnyOperation, OperationContext, OperationType } from "@alkdev/operations";
import { answering } from "@alkdev/storage/sqlite";
import type { Static, TSchema } from "@sinclair/typebox";
import type { HubOperation } from "../core/hub-options.ts";
import { answered } from "../journal/answered.ts";
import { type DeclaredError, declaredErrors } from "./declared-errors.ts";

/** What an operation of the hub is made of, besides its handler. */
export interface OperationParts<Input extends TSchema, Output extends TSchema> {
  readonly id: `${string}.${string}`;
  /** For people, and for models that choose between operations. */
  readonly description: string;
  readonly input: Input;
  /** Of a subscription, each answer. */
  readonly output: Output;
  /** What the caller must hold; null: whoever is known may call it. */
  readonly scope: `${string}:${"read" | "write"}` | null;
  readonly errors?: readonly DeclaredError[];
  /** Milliseconds a call may take, where the hub's limit is too short. */
  readonly timeoutMs?: number;
  /** `names`: inputs and outputs are secret, the journal itself, or much and always the same. */
  readonly record?: "names";
  /** Property of a subscription's input that takes the `offset` of its last answer. */
  readonly resumeBy?: string;
}

type Handler<Input extends TSchema, Result> = (
  input: Static<Input>,
  context: OperationContext,
) => Result;

/** An operation that reads. */
export function query<Input extends TSchema, Output extends TSchema>(
  parts: OperationParts<Input, Output>,
  handler: Handler<Input, Static<Output> | Promise<Static<Output>>>,
): HubOperation {
  return operation("query", parts, (input: never, context) =>
    answered(() => handler(input, context)),
  );
}

/** An operation that writes the file of its realm and nothing else, at once: one commit, one effect. */
export function atomicMutation<Input extends TSchema, Output extends TSchema>(
  parts: OperationParts<Input, Output>,
  handler: Handler<Input, Static<Output>>,
): HubOperation {
  const made = operation("mutation", parts, (input: never, context) =>
    answering(() => handler(input, context)),
  );
  return { ...made, atomic: true };
}

/** An operation that writes more than one file, or takes its time. */
export function mutation<Input extends TSchema, Output extends TSchema>(
  parts: OperationParts<Input, Output>,
  handler: Handler<Input, Static<Output> | Promise<Static<Output>>>,
): HubOperation {
  return operation("mutation", parts, (input: never, context) =>
    answered(() => handler(input, context)),
  );
}

/** An operation that answers until its caller has enough. */
export function subscription<Input extends TSchema, Output extends TSchema>(
  parts: OperationParts<Input, Output>,
  handler: Handler<Input, AsyncIterable<Static<Output>>>,
): HubOperation {
  return operation("subscription", parts, async function* (input: never, context) {
    try {
      yield* answering(() => handler(input, context));
    } catch (error) {
      answering(() => {
        throw error;
      });
    }
  });
}

function operation(
  type: OperationType,
  parts: OperationParts<TSchema, TSchema>,
  handler: AnyOperation["handler"],
): HubOperation {
  const { id, description, input, output, scope, errors = [], record, resumeBy, timeoutMs } = parts;
  const dot = id.indexOf(".");
  return {
    operation: {
      namespace: id.slice(0, dot),
      name: id.slice(dot + 1),
      version: "1.0.0",
      type,
      description,
      inputSchema: input,
      outputSchema: output,
      accessControl: { requiredScopes: scope === null ? [] : [scope] },
      tags: ["hub"],
      errorSchemas: declaredErrors(errors),
      ...(resumeBy === undefined ? {} : { _meta: { resumeBy, timeoutMs } }),
      handler,
    },
    ...(record === undefined ? {} : { record }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}
