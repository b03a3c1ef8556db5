import type { AnyHandler, OperationSpec } from "../operation-spec.ts";

/** An operation as the registry holds it; the handler may come later, or never. */
export interface Registered {
  readonly spec: OperationSpec;
  readonly handler: AnyHandler | null;
  /** Milliseconds a call may take; `undefined`: as the registry says. */
  readonly timeoutMs: number | undefined;
  /** Namespaces that the handler may call through `context.env`; `undefined`: all. */
  readonly allowedNamespaces: readonly string[] | undefined;
}

/** A registered operation that can be called. */
export interface Callable extends Registered {
  readonly handler: AnyHandler;
}

/** A copy of a spec that nobody can change: what was checked is what is enforced. */
export function frozenSpec(spec: OperationSpec): OperationSpec {
  const { accessControl } = spec;
  const copy: OperationSpec & { handler?: unknown } = {
    ...spec,
    accessControl: Object.freeze({
      ...accessControl,
      requiredScopes: Object.freeze([...accessControl.requiredScopes]),
      ...(accessControl.requiredScopesAny === undefined
        ? {}
        : { requiredScopesAny: Object.freeze([...accessControl.requiredScopesAny]) }),
    }),
  };
  delete copy.handler;
  return Object.freeze(copy);
}
