import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonText, seconds, withMember } from "../src/import/values.ts";

function notesOf(text: string): { impreciseNumbers: number; nullCharacters: number } {
  const notes = { impreciseNumbers: 0, nullCharacters: 0 };
  expect(jsonText(text, "attributes", notes)).toBe(text);
  return notes;
}

describe("values of an import (M38)", () => {
  it("notes exactly the numbers that JavaScript does not read as they are written", () => {
    for (const [number, imprecise] of [
      ...[["9007199254740991", 0] as const, ["9007199254740993", 1] as const],
      ...[["12345678901234567890", 1] as const, ["10000000000000000000000", 0] as const],
      ...[["0.1", 0] as const, ["0.12345678901234567890", 1] as const, ["1e22", 0] as const],
      ...[["-1.5000000000000000", 0] as const, ["123456789.123456789", 1] as const],
    ] as const) {
      expect({ number, ...notesOf(`{"n": ${number}, "text": "9007199254740993"}`) }).toEqual({
        ...{ number, impreciseNumbers: imprecise, nullCharacters: 0 },
      });
    }
  });

  it("notes nothing of numbers that JavaScript wrote itself", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        expect(notesOf(JSON.stringify({ number })).impreciseNumbers).toBe(0);
      }),
    );
  });

  it("notes escaped null characters, and not what only looks like one", () => {
    expect(notesOf('{"a": "x\\u0000", "b": ["\\\\\\u0000"]}').nullCharacters).toBe(2);
    expect(notesOf('{"a": "x\\\\u0000"}').nullCharacters).toBe(0);
  });

  it("refuses numbers that are read as infinite, and times that no Date holds", () => {
    const notes = { impreciseNumbers: 0, nullCharacters: 0 };
    for (const number of ["1e400", "-1E999", "1".repeat(400)]) {
      expect(() => jsonText(`[${number}]`, "a", notes)).toThrow(/infinite/);
    }
    expect(jsonText('["1e400"]', "a", notes)).toBe('["1e400"]');
    expect(seconds("8640000000000", "t")).toBe(8_640_000_000_000);
    for (const time of ["8640000000001", "infinity", "-infinity", "x"]) {
      expect(() => seconds(time, "t")).toThrow(/no Date/);
    }
  });

  it("adds a member to the text of any object", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), (object, value) => {
        const { added, ...others } = JSON.parse(
          withMember(` ${JSON.stringify(object, null, 1)}`, "added", JSON.stringify(value)),
        );
        const expected = JSON.parse(JSON.stringify({ added: value, ...object }));
        expect({ added, ...others }).toEqual(expected);
      }),
    );
  });
});
