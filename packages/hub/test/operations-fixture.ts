import type { OperationAnswers } from "@alkdev/operations";
import { onTestFinished } from "vitest";
import { createHubCore, type HubCore, type HubOptions } from "../src/index.ts";
import { type HubData, type Person, prepareData } from "./hub-fixture.ts";

/** A hub without edges over a folder with the organisations `acme` and `globex`. */
export interface CoreSetup {
  readonly core: HubCore;
  readonly data: HubData;
  readonly errors: unknown[];
  /** Calls as somebody: root in no organisation, the others in `acme`. Resolves with the data. */
  as(person: Person, org?: string | null): Caller;
}

/** Calls of one session. */
export interface Caller {
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  call(id: string, input?: unknown, requestId?: string): Promise<any>;
  /** The code and details with which a call fails. */
  refused(id: string, input?: unknown): Promise<{ code: string; details: unknown }>;
  subscribe(id: string, input?: unknown, signal?: AbortSignal): OperationAnswers;
}

/** Opens a hub's files, closed with the test. */
export function testCore(
  options: Partial<HubOptions> = {},
  data: HubData = prepareData(),
): CoreSetup {
  const errors: unknown[] = [];
  const core = createHubCore({
    dataFolder: data.dataFolder,
    onError: (error, context) => errors.push([context, error]),
    ...options,
  });
  onTestFinished(() => core.close());
  const as = (person: Person, org = person === "root" ? null : "acme"): Caller => {
    const session = core.signIn({ bearer: data.keys[person] }, { org, source: "test" });
    const call: Caller["call"] = async (operationId, input = {}, requestId = crypto.randomUUID()) =>
      (await core.execute(session, { operationId, input, requestId })).data;
    return {
      call,
      refused: async (id, input) => {
        const outcome = await call(id, input).then(
          (answer) => ({ code: "none", details: answer as unknown }),
          ({ code, details }: { code: string; details: unknown }) => ({ code, details }),
        );
        return outcome;
      },
      subscribe: (operationId, input = {}, signal) =>
        core.subscribe(session, {
          operationId,
          input,
          ...(signal === undefined ? {} : { signal }),
        }),
    };
  };
  return { core, data, errors, as };
}
