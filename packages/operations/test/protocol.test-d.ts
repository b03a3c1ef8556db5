import { Type } from "@sinclair/typebox";
import { describe, expectTypeOf, it } from "vitest";
import {
  type Caller,
  createCallHandler,
  defineSpec,
  OperationRegistry,
  type ResponseEnvelope,
} from "../src/index.ts";

const base = { version: "1.0.0", description: "d", accessControl: { requiredScopes: [] } };
const find = defineSpec({
  ...base,
  namespace: "graphs",
  name: "find",
  type: "query",
  inputSchema: Type.Object({ id: Type.String() }),
  outputSchema: Type.Object({ name: Type.String() }),
});
const watch = defineSpec({
  ...base,
  namespace: "graphs",
  name: "watch",
  type: "subscription",
  inputSchema: Type.Object({ id: Type.String() }),
  outputSchema: Type.Integer(),
});
declare const caller: Caller;

describe("types of calls (M40)", () => {
  it("come from the spec", () => {
    expectTypeOf(caller.call(find, { id: "g" })).toEqualTypeOf<
      Promise<ResponseEnvelope<{ name: string }>>
    >();
    expectTypeOf(caller.subscribe(watch, { id: "g" }).next()).resolves.toExtend<{
      value: ResponseEnvelope<number> | undefined;
    }>();
    // @ts-expect-error the input does not fit
    void caller.call(find, { id: 1 });
    // @ts-expect-error it answers many times
    void caller.call(watch, { id: "g" });
    // @ts-expect-error it answers once
    void caller.subscribe(find, { id: "g" });
  });

  it("are unknown by id", () => {
    expectTypeOf(caller.call("graphs.find", 1)).toEqualTypeOf<Promise<ResponseEnvelope>>();
  });

  it("let trust be said, not unsaid", () => {
    const registry = new OperationRegistry();
    const eventTarget = new EventTarget() as never;
    createCallHandler({ registry, eventTarget, trustIdentity: true });
    // @ts-expect-error leave it out instead
    createCallHandler({ registry, eventTarget, trustIdentity: false });
  });
});
