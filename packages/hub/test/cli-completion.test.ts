import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { bashCompletion } from "../src/cli/completion/bash-completion.ts";
import { commandTree } from "../src/cli/completion/command-tree.ts";
import { fishCompletion } from "../src/cli/completion/fish-completion.ts";
import { zshCompletion } from "../src/cli/completion/zsh-completion.ts";
import { cli, sharedFolder, wholeProgram } from "./cli-fixture.ts";

const tree = commandTree(await wholeProgram());
const script = bashCompletion(tree);

/** What bash offers after these words. */
function offered(...words: readonly string[]): string[] {
  const typed = ["alkdev", ...words].map((word) => `'${word}'`).join(" ");
  const ask = `COMP_WORDS=(${typed}); COMP_CWORD=${words.length}; _alkdev; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const printed = execFileSync("bash", ["-c", `${script}\n${ask}`], { encoding: "utf8" });
  return printed.split("\n").filter((line) => line !== "");
}

describe("alkdev completion (M44)", () => {
  it("prints a script that bash understands", async () => {
    const { code, stdout } = await cli(sharedFolder()).run(["completion", "bash"]);
    expect(code).toBe(0);
    expect(stdout).toBe(script);
    execFileSync("bash", ["-n"], { input: stdout });
  });

  it("completes commands, their commands, options and values in bash", () => {
    expect(offered("ten")).toEqual(["tenant", "tenants"]);
    expect(offered("queue", "re")).toEqual(["resume", "redrive"]);
    expect(offered("queue", "dead", "emails", "--a")).toEqual(["--after"]);
    expect(offered("--json", "tenant", "list", "--state", "arch")).toEqual([
      "archiving",
      "archived",
    ]);
    expect(offered("queue", "dead", "--org", "queue", "--li")).toEqual(["--limit"]);
  });

  it("knows every command in every shell", () => {
    const names = tree.map(({ path }) => path);
    expect(names).toContain("stream reset-consumer");
    for (const name of names.filter((one) => one !== "")) {
      expect(fishCompletion(tree)).toContain(`'${name}'`);
      expect(zshCompletion(tree)).toContain(`('${name}')`);
    }
  });
});
