import type { Command } from "commander";

/** A command as completion sees it. */
export interface CommandNode {
  /** Names from the program on, joined by blanks: `queue dead`; empty for the program itself. */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly CommandOption[];
}

/** An option as completion sees it. */
export interface CommandOption {
  /** `--state` */
  readonly flag: string;
  readonly description: string;
  /** Whether a value follows. */
  readonly hasValue: boolean;
  /** Values that are taken; empty: any. */
  readonly choices: readonly string[];
}

/** Every command of a program, the program first. */
export function commandTree(program: Command): readonly CommandNode[] {
  const common = optionsOf(program);
  const walk = (command: Command, path: string): readonly CommandNode[] => {
    const own = command === program ? [] : optionsOf(command);
    const node: CommandNode = {
      path,
      commands: command.commands.map((one) => {
        return { name: one.name(), description: firstLine(one.description()) };
      }),
      options: [...own, ...common],
    };
    const below = command.commands.map((one) => walk(one, `${path} ${one.name()}`.trim()));
    return [node, ...below.flat()];
  };
  return walk(program, "");
}

function optionsOf(command: Command): readonly CommandOption[] {
  return command.options.map(({ long, short, description, required, optional, argChoices }) => ({
    flag: long ?? short ?? "",
    description: firstLine(description),
    hasValue: required || optional,
    choices: argChoices ?? [],
  }));
}

function firstLine(text: string): string {
  return text.split(/[\n;(]/, 1)[0]?.trim() ?? "";
}
