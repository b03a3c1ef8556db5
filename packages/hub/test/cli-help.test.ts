import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { cli, ended, sharedFolder, wholeProgram } from "./cli-fixture.ts";

const { run, start } = cli(sharedFolder());

describe("alkdev explains itself (M44)", () => {
  it("has the help that it had: change golden/cli-help.txt with --update", async () => {
    const program = await wholeProgram();
    const commands = (command: Command): readonly Command[] => [
      command,
      ...command.commands.flatMap(commands),
    ];
    const help = commands(program).map((command) => command.helpInformation());
    const text = help.join(`${"-".repeat(80)}\n`);
    await expect(text).toMatchFileSnapshot("golden/cli-help.txt");
    expect(text.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  it("every command has a description and one place in the list", async () => {
    const program = await wholeProgram();
    const names = program.commands.map((command) => command.name());
    expect(new Set(names).size).toBe(names.length);
    for (const command of program.commands.flatMap((one) => [one, ...one.commands])) {
      expect(command.description(), command.name()).not.toBe("");
    }
  });

  it("ends a process with what it says", async () => {
    const { code, stdout, stderr } = await ended(start(["org", "crate"]));
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toBe("alkdev: unknown command 'crate' (Did you mean create?)\n");
  });

  it("guesses what a mistyped command was to be, and ends with 2", async () => {
    const { code, stdout, stderr } = await run(["org", "crate", "acme"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toBe("alkdev: unknown command 'crate' (Did you mean create?)\n");
  });

  it("writes mistakes as JSON with --json", async () => {
    const { code, stderr } = await run(["account", "list", "--limt", "3", "--json"]);
    expect(code).toBe(2);
    expect(JSON.parse(stderr)).toEqual({
      error: { code: "USAGE", message: "unknown option '--limt' (Did you mean --limit?)" },
    });
  });

  it("explains a command asked for in either way", async () => {
    const [one, other] = await Promise.all([run(["help", "queue"]), run(["queue", "--help"])]);
    expect(one).toEqual(other);
    expect(one.code).toBe(0);
    expect(one.stdout).toContain("put dead letters back into the queue");
  });

  it("shows the help of a group where its command is missing", async () => {
    const { code, stdout, stderr } = await run(["org"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^Usage: alkdev org/);
    const asJson = await run(["org", "--json"]);
    expect(JSON.parse(asJson.stderr).error.message).toBe("a command is missing");
  });

  it("says where data is missing, and ends with 3", async () => {
    const { code, stderr } = await run(["org", "list"]);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^alkdev: there is no system.db in ".*data"\. Make it with alkdev init/);
    expect(stderr).not.toContain("    at ");
    const debugged = await run(["org", "list", "--debug"]);
    expect(debugged.stderr).toContain("    at ");
  });
});
