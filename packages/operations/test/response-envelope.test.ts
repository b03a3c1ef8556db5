import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { describe, expect, it } from "vitest";
import {
  httpEnvelope,
  isResponseEnvelope,
  localEnvelope,
  mcpEnvelope,
  responseEnvelopeSchema,
  unwrap,
} from "../src/index.ts";

const http = { statusCode: 200, headers: { etag: "x" }, contentType: "text/plain" };
const mcp = {
  isError: false,
  content: [
    { type: "text", text: "hi", annotations: { audience: ["user"], priority: 0.5 } },
    { type: "image", data: "aGk=", mimeType: "image/png" },
    { type: "audio", data: "aGk=", mimeType: "audio/wav" },
    { type: "resource", resource: { uri: "file:///a", text: "a" } },
    { type: "resource_link", uri: "file:///a", name: "a" },
  ],
  structuredContent: { n: 1 },
  _meta: { server: "s" },
} as const;

describe("envelopes (M39)", () => {
  it.each([
    ["local", localEnvelope({ n: 1 }, "math.add", 5)],
    ["http", httpEnvelope("body", http)],
    ["mcp", mcpEnvelope({ n: 1 }, mcp)],
    ["with null as data", localEnvelope(null, "math.add")],
  ])("knows its own, also after JSON: %s", (_name, envelope) => {
    expect(isResponseEnvelope(envelope)).toBe(true);
    expect(isResponseEnvelope(JSON.parse(JSON.stringify(envelope)))).toBe(true);
    expect(unwrap(envelope as { data: unknown; meta: never })).toBe(envelope.data);
  });

  it.each<[string, unknown]>([
    ["null", null],
    ["a text", "x"],
    ["data without meta", { data: 1 }],
    ["meta without data", { meta: localEnvelope(1, "a.b").meta }],
    ["one property more", { ...localEnvelope(1, "a.b"), more: 1 }],
    ["an unknown source", { data: 1, meta: { source: "ftp" } }],
    ["a status that is none", httpEnvelope(1, { ...http, statusCode: 99 })],
    ["headers with several values", httpEnvelope(1, { ...http, headers: { a: ["b"] } as never })],
    ["unknown content", mcpEnvelope(1, { isError: false, content: [{ type: "video" } as never] })],
    ["a time that is none", localEnvelope(1, "a.b", Number.NaN)],
  ])("refuses %s", (_name, value) => {
    expect(isResponseEnvelope(value)).toBe(false);
  });

  it("describes an envelope around a schema", () => {
    const schema = responseEnvelopeSchema(Type.Number());
    expect(Value.Check(schema, localEnvelope(1, "a.b"))).toBe(true);
    expect(Value.Check(schema, localEnvelope("1", "a.b"))).toBe(false);
  });
});
