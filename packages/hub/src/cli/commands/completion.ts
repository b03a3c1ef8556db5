import { Argument } from "commander";
import { bashCompletion } from "../completion/bash-completion.ts";
import { type CommandNode, commandTree } from "../completion/command-tree.ts";
import { fishCompletion } from "../completion/fish-completion.ts";
import { zshCompletion } from "../completion/zsh-completion.ts";
import type { AddCommand } from "../shell.ts";

const SCRIPTS: Readonly<Record<string, (tree: readonly CommandNode[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** `alkdev completion` */
export const completionCommand: AddCommand = (program, shell) => {
  program
    .command("completion")
    .description("print a completion script, to be sourced: source <(alkdev completion bash)")
    .addArgument(new Argument("<shell>").choices(Object.keys(SCRIPTS)))
    .action(
      shell.action<object, [string]>((run, _, name) => {
        const script = SCRIPTS[name]?.(commandTree(program)) ?? "";
        run.out.result({ shell: name, script }, () => script.trimEnd());
      }),
    );
};
