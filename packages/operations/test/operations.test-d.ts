import { Type } from "@sinclair/typebox";
import { describe, expectTypeOf, it } from "vitest";
import {
  defineOperation,
  type EnvOf,
  type InputOf,
  type OperationAnswers,
  type OperationContext,
  OperationRegistry,
  type OutputOf,
  type ResponseEnvelope,
} from "../src/index.ts";
import { addSpec, countSpec } from "./fixtures.ts";

const registry = new OperationRegistry();

describe("types (M39)", () => {
  it("reads input and output off the schemas", () => {
    expectTypeOf<InputOf<typeof addSpec>>().toEqualTypeOf<{ a: number; b: number }>();
    expectTypeOf<OutputOf<typeof addSpec>>().toEqualTypeOf<number>();
    expectTypeOf(addSpec.namespace).toEqualTypeOf<"math">();
    expectTypeOf(registry.execute(addSpec, { a: 1, b: 2 })).toEqualTypeOf<
      Promise<ResponseEnvelope<number>>
    >();
    expectTypeOf(registry.execute("math.add", {})).toEqualTypeOf<Promise<ResponseEnvelope>>();
    expectTypeOf(registry.subscribe(countSpec, { to: 1 })).toEqualTypeOf<
      OperationAnswers<number>
    >();
  });

  it("types a handler by its schemas", () => {
    registry.register({
      ...addSpec,
      handler: (input, context) => {
        expectTypeOf(input).toEqualTypeOf<{ a: number; b: number }>();
        expectTypeOf(context).toEqualTypeOf<OperationContext>();
        return input.a;
      },
    });
    registry.register({
      ...countSpec,
      handler: async function* ({ to }) {
        yield to;
      },
    });
    registry.registerHandler(addSpec, async ({ a }) => a);
    registry.registerHandler("math.add", (input) => {
      expectTypeOf(input).toEqualTypeOf<unknown>();
    });
    // lists of different operations need no type arguments
    registry.registerAll([
      defineOperation({ ...addSpec, handler: ({ a }) => a }),
      defineOperation({ ...addSpec, inputSchema: Type.String(), handler: (s) => s.length }),
      defineOperation({
        ...countSpec,
        handler: async function* () {
          yield 1;
        },
      }),
    ]);
  });

  it("refuses wrong inputs, outputs and kinds of call", () => {
    // @ts-expect-error b is missing
    void registry.execute(addSpec, { a: 1 });
    // @ts-expect-error a subscription is not executed
    void registry.execute(countSpec, { to: 1 });
    // @ts-expect-error a query is not subscribed to
    registry.subscribe(addSpec, { a: 1, b: 2 });
    // @ts-expect-error a text is no number
    registry.registerHandler(addSpec, () => "3");
    // @ts-expect-error a subscription returns an async iterable
    registry.registerHandler(countSpec, () => 1);
    registry.registerHandler(addSpec, (input) => {
      // @ts-expect-error there is no c
      return input.c;
    });
    // @ts-expect-error public is true or left out
    registry.registerSpec({ ...addSpec, accessControl: { requiredScopes: [], public: false } });
  });

  it("types an environment, without subscriptions", () => {
    type Env = EnvOf<[typeof addSpec, typeof countSpec]>;
    expectTypeOf<Env>().toEqualTypeOf<{
      readonly math: {
        readonly add: (input: { a: number; b: number }) => Promise<ResponseEnvelope<number>>;
      };
    }>();
  });
});
