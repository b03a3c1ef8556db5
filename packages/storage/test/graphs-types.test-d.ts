import {
  CallGraph,
  type EdgeEntryOf,
  type EntryOf,
  type NodeEntryOf,
  validateEdge,
  validateNode,
} from "@alkdev/storage/graphs";
import { describe, expectTypeOf, it } from "vitest";

describe("types of Modules (M25)", () => {
  it("knows the entries by kind", () => {
    expectTypeOf<NodeEntryOf<typeof CallGraph>>().toEqualTypeOf<"CallNode">();
    expectTypeOf<EdgeEntryOf<typeof CallGraph>>().toEqualTypeOf<
      "TriggeredEdge" | "DependsOnEdge"
    >();
  });

  it("resolves references in attributes", () => {
    type Call = EntryOf<typeof CallGraph, "CallNode">;
    expectTypeOf<Call["status"]>().toEqualTypeOf<
      "pending" | "running" | "completed" | "failed" | "aborted"
    >();
    expectTypeOf<Call["requestId"]>().toEqualTypeOf<string>();
    expectTypeOf<{
      requestId: string;
      operationId: string;
      status: "pending";
    }>().toExtend<Call>();
  });

  it("narrows what was validated", () => {
    const data: unknown = {};
    if (validateNode(CallGraph, "CallNode", data)) {
      expectTypeOf(data.error?.code).toEqualTypeOf<string | undefined>();
    }
  });

  it("refuses entries that are not of the kind", () => {
    // @ts-expect-error an edge type is no node type
    validateNode(CallGraph, "TriggeredEdge", {});
    // @ts-expect-error a shared type is no edge type
    validateEdge(CallGraph, "CallStatus", {});
  });
});
