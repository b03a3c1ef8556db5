import type { ResponseEnvelope } from "../envelope/response-envelope.ts";

/** Operations by namespace and name, each a function from input to envelope. */
export type OperationEnv = Readonly<
  Record<string, Readonly<Record<string, (input: unknown) => Promise<ResponseEnvelope>>>>
>;
