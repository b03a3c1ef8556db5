import type { TSchema } from "@sinclair/typebox";
import type { ResponseEnvelope } from "../envelope/response-envelope.ts";
import { CallError } from "../errors.ts";
import type { CallOptions, OperationContext } from "../operation-context.ts";
import type { InputOf, OperationSpec, OutputOf } from "../operation-spec.ts";
import type { OperationEnv } from "./operation-env.ts";
import { nextDepth, trustedCall } from "./trust.ts";

/** The typed {@link OperationEnv} of some specs; subscriptions are left out, as they cannot be called. */
export type EnvOf<Specs extends readonly OperationSpec[]> = {
  readonly [Namespace in Callable<Specs>["namespace"]]: {
    readonly [Spec in Extract<
      Callable<Specs>,
      { readonly namespace: Namespace }
    > as Spec["name"]]: (input: InputOf<Spec>) => Promise<ResponseEnvelope<OutputOf<Spec>>>;
  };
};

type Callable<Specs extends readonly OperationSpec[]> = Extract<
  Specs[number],
  OperationSpec<TSchema, TSchema, "query" | "mutation">
>;

/** What {@link buildEnv} needs of a registry. */
export interface EnvRegistry {
  execute(operationId: string, input: unknown, call: CallOptions): Promise<ResponseEnvelope>;
}

/** Options of {@link buildEnv}. */
export interface BuildEnvOptions {
  readonly registry: EnvRegistry;
  /** The context of the handler that composes: identity, request, signal and deadline come from it. */
  readonly context: OperationContext;
  /** Namespaces that may be called; others are refused with `ACCESS_DENIED`. Default: all. */
  readonly allowedNamespaces?: readonly string[];
}

/**
 * Lets one operation call others for its caller: `env.namespace.name(input)`. Such calls are trusted: their
 * scopes are not asked for again, since whoever may call the outer operation may have its work done. Trust
 * exists in this process only. Inputs and outputs are checked as ever. The identity goes along, the outer
 * call's id becomes `parentRequestId`, and its signal and deadline hold for the inner call.
 *
 * @example
 * ```ts
 * const env = buildEnv<EnvOf<typeof graphSpecs>>({ registry, context });
 * const { data } = await env.graphs.find({ id });
 * ```
 */
export function buildEnv<Env extends object = OperationEnv>(options: BuildEnvOptions): Env {
  const allowed =
    options.allowedNamespaces === undefined ? undefined : new Set(options.allowedNamespaces);
  const call = async (namespace: string, name: string, input: unknown) => {
    const id = `${namespace}.${name}`;
    if (allowed !== undefined && !allowed.has(namespace)) {
      throw new CallError("ACCESS_DENIED", `may not call ${id} from here: namespace not allowed`, {
        details: { operationId: id },
      });
    }
    return options.registry.execute(id, input, callFrom(options.context, id));
  };
  return byName((namespace) => byName((name) => (input: unknown) => call(namespace, name, input)));
}

function callFrom(context: OperationContext, id: string): CallOptions {
  const depth = nextDepth(context);
  if (depth === null) {
    throw new CallError("EXECUTION_ERROR", `${id} was called too deep inside other operations`, {
      details: { operationId: id },
    });
  }
  const { requestId, identity, metadata, signal, deadline } = context;
  return trustedCall(
    {
      parentRequestId: requestId,
      metadata,
      signal,
      ...(identity === undefined ? {} : { identity }),
      ...(deadline === undefined ? {} : { deadline }),
    },
    depth,
  );
}

/** An object that has a value for every name, made when first asked for. */
function byName<Result extends object>(make: (name: string) => unknown): Result {
  const made = new Map<string, unknown>();
  return new Proxy(Object.freeze(Object.create(null)), {
    get(_target, name) {
      // promises and serializers look for these; no operation can be called so
      if (typeof name === "symbol" || name === "then" || name === "toJSON") return undefined;
      if (!made.has(name)) made.set(name, make(name));
      return made.get(name);
    },
  });
}
