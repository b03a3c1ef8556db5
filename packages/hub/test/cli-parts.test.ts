import { PassThrough } from "node:stream";
import { InvalidArgumentError } from "commander";
import { describe, expect, it } from "vitest";
import { durationSeconds, futureDate } from "../src/cli/arguments/duration.ts";
import { streamStart } from "../src/cli/arguments/stream-start.ts";
import { bytes, integer, positive, whole } from "../src/cli/arguments/whole.ts";
import { confirm } from "../src/cli/confirm.ts";
import { exitCodeOf } from "../src/cli/exit-codes.ts";
import { ProgressBar } from "../src/cli/progress.ts";
import { cell, harmless, table } from "../src/cli/table.ts";
import { HubError } from "../src/errors.ts";

describe("arguments of alkdev (M44)", () => {
  it("reads durations, and nothing that only looks like one", () => {
    const seconds = ["0", "90", "30s", "15m", "12h", "7d", "2w"].map(durationSeconds);
    expect(seconds).toEqual([0, 90, 30, 900, 43_200, 604_800, 1_209_600]);
    for (const text of ["", "-1", "1.5h", "h", "1y", "1 h", "1e3", "NaN", "9".repeat(13)]) {
      expect(() => durationSeconds(text), text).toThrow(InvalidArgumentError);
    }
  });

  it("reads sizes in bytes", () => {
    expect(["0", "5000000", "5MB", "2GiB", "1kb"].map(bytes)).toEqual([
      0, 5_000_000, 5_000_000, 2_147_483_648, 1_000,
    ]);
    for (const text of ["", "MB", "1.5GB", "-1", "1TB"]) {
      expect(() => bytes(text), text).toThrow(InvalidArgumentError);
    }
  });

  it("reads whole numbers up to 2^53 - 1", () => {
    expect([whole("0"), positive("1"), integer("-7")]).toEqual([0, 1, -7]);
    expect(whole("9007199254740991")).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => whole("9007199254740992")).toThrow(InvalidArgumentError);
    expect(() => positive("0")).toThrow(InvalidArgumentError);
    for (const text of ["", " 1", "0x1", "1.0", "NaN"]) {
      expect(() => whole(text), text).toThrow(InvalidArgumentError);
    }
  });

  it("reads moments to come, and places in a stream", () => {
    expect(futureDate("2030-01-31").toISOString()).toBe("2030-01-31T00:00:00.000Z");
    expect(futureDate("1d").getTime()).toBeGreaterThan(Date.now() + 86_000_000);
    expect(() => futureDate("tomorrow")).toThrow(InvalidArgumentError);
    expect(["start", "end", "17"].map(streamStart)).toEqual(["start", "end", 17]);
    expect(streamStart("2030-01-31T12:00:00Z")).toEqual(new Date("2030-01-31T12:00:00Z"));
    expect(() => streamStart("begin")).toThrow(HubError);
    expect(() => streamStart("2030-13-31")).toThrow(HubError);
  });

  it("gives codes of errors their exit status", () => {
    const codes = ["NOT_FOUND", "UNAUTHENTICATED", "TENANT_BUSY", "INVALID_ARGUMENT", "IO_ERROR"];
    expect(codes.map(exitCodeOf)).toEqual([3, 4, 6, 2, 1]);
  });
});

describe("tables of alkdev (M44)", () => {
  const columns = [
    { header: "name", value: ({ name }: { name: string }) => name, shrinks: true },
    { header: "n", value: ({ n }: { n: number | null }) => n, align: "right" },
  ] as const;

  it("aligns columns, and cuts only where it is told how wide a line is", () => {
    const rows = [
      { name: "a", n: 5 },
      { name: "b".repeat(40), n: null },
    ];
    expect(table(rows, columns, 20).split("\n")).toEqual([
      "NAME               N",
      "a                  5",
      `${"b".repeat(16)}…  -`,
    ]);
    expect(table(rows, columns)).toContain("b".repeat(40));
  });

  it("shows data that holds escape sequences, line feeds or marks of direction harmlessly", () => {
    expect(cell("\u001b[31mred\nline\u202e")).toBe("\\u001b[31mred\\nline\\u202e");
    expect(harmless("two\nlines\u0007\u009b")).toBe("two\nlines\\u0007\\u009b");
    expect([null, undefined, "", [], new Date(0), 0, false].map(cell)).toEqual([
      "-",
      "-",
      "-",
      "-",
      "1970-01-01T00:00:00Z",
      "0",
      "false",
    ]);
  });
});

/** Streams that say that a person sits there. */
function terminal() {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const stderr = Object.assign(new PassThrough(), { isTTY: true, columns: 60 });
  return { stdin, stderr, stdout: new PassThrough() };
}

describe("what alkdev asks and shows on a terminal (M44)", () => {
  const what = { what: "the tenant of acme goes", word: "acme" };
  const { signal } = new AbortController();

  it("goes on when the name was typed, and not for anything else or the end of the input", async () => {
    for (const [typed, goesOn] of [
      ["acme\n", true],
      ["acne\n", false],
      ["\n", false],
      ["", false],
    ] as const) {
      const io = terminal();
      const asked = confirm(what, { yes: false, json: false, signal, io });
      io.stdin.end(typed);
      if (goesOn) await asked;
      else await expect(asked, typed).rejects.toMatchObject({ code: "REFUSED" });
    }
  });

  it("asks nobody with --json or without a terminal, and nothing with --yes", async () => {
    const io = terminal();
    await confirm(what, { yes: true, json: false, signal, io });
    expect(io.stderr.read()).toBeNull();
    const refused = { code: "REFUSED" };
    const json = confirm(what, { yes: false, json: true, signal, io });
    await expect(json).rejects.toMatchObject(refused);
    const stdin = new PassThrough();
    const piped = confirm(what, { yes: false, json: false, signal, io: { ...io, stdin } });
    await expect(piped).rejects.toMatchObject(refused);
  });

  it("ends the question when the program shall stop", async () => {
    const io = terminal();
    const stop = new AbortController();
    const asked = confirm(what, { yes: false, json: false, signal: stop.signal, io });
    stop.abort(new Error("Ctrl-C"));
    await expect(asked).rejects.toThrow("Ctrl-C");
  });

  it("draws progress in one line of the terminal, and none anywhere else", () => {
    const { stderr } = terminal();
    const bar = new ProgressBar(stderr, { json: false });
    bar.update({ label: "x".repeat(100), done: 1, total: 2 });
    bar.clear();
    const drawn = String(stderr.read());
    expect(drawn).toMatch(/^\r.\[2K█{12}░{12} {2}50 % {2}x+\r.\[2K$/u);
    expect(drawn.length).toBeLessThan(80);
    new ProgressBar(stderr, { json: true }).update({ label: "x", done: 1, total: 1 });
    const pipe = new PassThrough();
    new ProgressBar(pipe, { json: false }).update({ label: "x", done: 1, total: null });
    expect([stderr.read(), pipe.read()]).toEqual([null, null]);
  });
});
