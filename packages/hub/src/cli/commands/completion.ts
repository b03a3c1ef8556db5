import { Argument } from "commander";
import { bashCompletion } from "../completion/bash-completion.ts";
import { type CommandNode, commandTree } from "../completion/command-tree.ts";
import { fishCompletion } from "../completion/fish-completion.ts";
import { zshCompletion } from "../completion/zsh-completion.ts";
import type { DefineCommand } from "../shell.ts";

const SCRIPTS: Readonly<Record<string, (tree: readonly CommandNode[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** `alkdev completion` */
export const defineCompletion: DefineCommand = (command, shell) => {
  command.addArgument(new Argument("<shell>").choices(Object.keys(SCRIPTS))).action(
    shell.remote<object, [string]>(async (run, _, name) => {
      const script = SCRIPTS[name]?.(commandTree(await shell.wholeProgram())) ?? "";
      run.out.result({ shell: name, script }, () => script.trimEnd());
    }),
  );
};
