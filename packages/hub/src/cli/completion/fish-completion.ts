import type { CommandNode } from "./command-tree.ts";

/** A completion script for fish. */
export function fishCompletion(tree: readonly CommandNode[]): string {
  const paths = tree.filter(({ path }) => path !== "").map(({ path }) => `'${path}'`);
  return `# Completion of alkdev for fish: alkdev completion fish | source
set -g __alkdev_paths ${paths.join(" ")}
function __alkdev_is
  set -l at ''
  for word in (commandline -opc)[2..-1]
    set -l next (string trim -- "$at $word")
    contains -- $next $__alkdev_paths; and set at $next
  end
  test "$at" = "$argv[1]"
end
${tree.flatMap(linesOf).join("\n")}
`;
}

function linesOf({ path, commands, options }: CommandNode): string[] {
  const complete = `complete -c alkdev -n "__alkdev_is '${path}'"`;
  return [
    ...commands.map(({ name, description }) => {
      return `${complete} -f -a ${name} -d ${quoted(description)}`;
    }),
    ...options.map(({ flag, description, hasValue, choices }) => {
      const values = choices.length === 0 ? "-r" : `-x -a '${choices.join(" ")}'`;
      const takes = hasValue ? ` ${values}` : "";
      return `${complete} -l ${flag.replace(/^--/, "")}${takes} -d ${quoted(description)}`;
    }),
  ];
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
